//! Service-provider mode: whose ids are sent, whose answers and notices are taken, and under which app the payer is
//! known. v2 sheet, sections 1.3, 6 and 10.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use yuanfen_core::{
    BuildError, Error, ErrorKind, Fate, Fields, Lookup, Notice, NotificationSource as _, Operation, OperationExt as _,
    OrderNo, PayAmount, Provider as _, RefundNo, Transition,
};
use yuanfen_sign::legacy::aes_256_ecb_seal;
use yuanfen_testkit::oracle;
use yuanfen_wechat_v2::notify::PaymentNotice;
use yuanfen_wechat_v2::ops::{OrderKey, PlaceOrder, QueryRefund, Refund};
use yuanfen_wechat_v2::{Account, Message, Payer, PayerApp, SetupError, SubMerchant, test_util};

use crate::far_side::{
    APP_ID, KEY, MERCHANT, OPENID, ORDER_NO, PAID, PLACED, Pairs, QUERIED, TRANSACTION_ID, account, ambient, answer,
    changed, now, order, posted, query, response, sent, signed, why, word, xml,
};
use yuanfen_wechat_v2::SignType;

pub(crate) const SUB_MERCHANT: &str = "1900000109";
pub(crate) const SUB_APP_ID: &str = "wx8888888888888888";
const SUB_OPENID: &str = "oSub-M2pxb1Q9zNjWeS6oAJO_uMu";

/// What an answer to a provider has more.
const IDS: &[(&str, Option<&str>)] = &[("sub_mch_id", Some(SUB_MERCHANT)), ("sub_appid", Some(SUB_APP_ID))];

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

fn without_app() -> Account {
    account()
        .for_sub_merchant(SubMerchant::new(SUB_MERCHANT).unwrap())
        .unwrap()
}

pub(crate) fn shop() -> Account {
    let sub_merchant = SubMerchant::new(SUB_MERCHANT).unwrap().with_app(SUB_APP_ID).unwrap();
    account().for_sub_merchant(sub_merchant).unwrap()
}

fn named(pairs: &[(&str, &str)], changes: Changes<'_>) -> Pairs {
    let with_ids = changed(pairs, IDS);
    let with_ids: Vec<_> = with_ids.iter().map(|(name, value)| (&**name, &**value)).collect();
    changed(&with_ids, changes)
}

fn sent_by<O: Operation<Provider = Account>>(account: &Account, operation: &O) -> BTreeMap<String, String> {
    sent(&operation.request(account, &ambient()).unwrap())
}

fn get<'a>(fields: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    fields.get(name).map(String::as_str)
}

fn refund() -> Refund {
    Refund::new(
        OrderKey::Merchant(OrderNo::new(ORDER_NO).unwrap()),
        RefundNo::new("R1").unwrap(),
        PayAmount::from_fen(500).unwrap(),
        PayAmount::from_fen(1200).unwrap(),
    )
}

#[test]
fn signs_the_sub_merchants_numbers_into_every_call() {
    let refunds = QueryRefund::by_refund_no(RefundNo::new("R1").unwrap());
    for (account, app) in [(shop(), Some(SUB_APP_ID)), (without_app(), None)] {
        for fields in [
            sent_by(&account, &order()),
            sent_by(&account, &query()),
            sent_by(&account, &refund()),
            sent_by(&account, &refunds),
        ] {
            assert_eq!(
                (get(&fields, "appid"), get(&fields, "mch_id")),
                (Some(APP_ID), Some(MERCHANT))
            );
            assert_eq!(get(&fields, "sub_mch_id"), Some(SUB_MERCHANT));
            assert_eq!(get(&fields, "sub_appid"), app, "never empty: it is there or not");
            assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY));
        }
    }
    let own = sent_by(&account(), &order());
    assert!(own.keys().all(|name| !name.starts_with("sub_")), "{own:?}");
}

#[test]
fn makes_a_message_without_the_sub_merchant_where_that_means_something() {
    let message = |pairs: &[(&str, &str)]| Message::new("/pay/downloadbill", Fields::try_from(pairs).unwrap());
    for account in [shop(), account().for_every_sub_merchant()] {
        let all = message(&[("bill_date", "20231114")]).without_sub_merchant();
        let fields = sent(&account.seal(all, &ambient()).unwrap());
        assert!(fields.keys().all(|name| !name.starts_with("sub_")), "{fields:?}");
        let one = message(&[("bill_date", "20231114"), ("sub_mch_id", "1900000110")]).without_sub_merchant();
        let fields = sent(&account.seal(one, &ambient()).unwrap());
        assert_eq!(get(&fields, "sub_mch_id"), Some("1900000110"));
        assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY));
    }
    // Two words for one thing in one message are none.
    let twice = message(&[("sub_mch_id", "1900000110")]);
    assert!(matches!(shop().seal(twice, &ambient()), Err(BuildError::Encode(_))));
}

#[test]
fn makes_no_call_about_one_merchant_for_a_provider_as_a_whole() {
    let provider = account().for_every_sub_merchant();
    assert_eq!(provider.sub_merchant(), None);
    let error = query().request(&provider, &ambient()).unwrap_err();
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(
        matches!(error.kind(), ErrorKind::Build(BuildError::Setup { .. })),
        "{error:?}"
    );
    assert!(error.to_string().len() < 200 && !format!("{error:?}").contains(KEY));
}

#[test]
fn refuses_numbers_that_are_none_and_the_providers_own() {
    let field = |result: Result<SubMerchant, SetupError>| match result.unwrap_err() {
        SetupError::Number(error) => error.field().unwrap(),
        other => panic!("{other:?}"),
    };
    for bad in [String::new(), "1".repeat(33), " 1".to_owned(), "号".to_owned()] {
        assert_eq!(field(SubMerchant::new(&*bad)), "sub_mch_id", "{bad:?}");
        assert_eq!(
            field(SubMerchant::new("1").unwrap().with_app(&*bad)),
            "sub_appid",
            "{bad:?}"
        );
    }
    let longest = SubMerchant::new("1".repeat(32))
        .unwrap()
        .with_app("a".repeat(32))
        .unwrap();
    let fields = sent_by(&account().for_sub_merchant(longest.clone()).unwrap(), &query());
    assert_eq!(get(&fields, "sub_mch_id"), Some(longest.merchant_id()));
    assert_eq!(get(&fields, "sub_appid"), longest.app_id());
    let itself = account().for_sub_merchant(SubMerchant::new(MERCHANT).unwrap());
    assert!(matches!(itself, Err(SetupError::ProviderItself)), "{itself:?}");
    // The account that others are made of stays what it is.
    assert!(
        shop()
            .for_sub_merchant(SubMerchant::new("1900000110").unwrap())
            .unwrap()
            .sub_merchant()
            .unwrap()
            .app_id()
            .is_none()
    );
}

fn built(account: &Account, payer: Payer) -> Result<Request<Bytes>, Error> {
    let mut order = order();
    order.payer = Some(payer);
    order.request(account, &ambient())
}

#[test]
fn names_the_payer_under_one_of_two_apps() {
    let own = Payer::OpenId(OPENID.to_owned());
    let sub = Payer::SubOpenId(SUB_OPENID.to_owned());
    assert_eq!((own.app(), sub.app()), (PayerApp::Account, PayerApp::SubMerchant));
    for account in [account(), without_app(), shop()] {
        let fields = sent(&built(&account, own.clone()).unwrap());
        assert_eq!(
            (get(&fields, "openid"), get(&fields, "sub_openid")),
            (Some(OPENID), None)
        );
    }
    let fields = sent(&built(&shop(), sub.clone()).unwrap());
    assert_eq!(
        (get(&fields, "openid"), get(&fields, "sub_openid")),
        (None, Some(SUB_OPENID))
    );
    for account in [account(), without_app()] {
        let error = built(&account, sub.clone()).unwrap_err();
        let ErrorKind::Build(error) = error.kind() else {
            panic!("{error:?}")
        };
        assert!(matches!(error, BuildError::Conflict { .. }), "{error:?}");
        assert_eq!(error.field(), Some("sub_openid and sub_appid"));
    }
    for (length, fits) in [(1, true), (128, true), (129, false), (0, false)] {
        let found = built(&shop(), Payer::SubOpenId("o".repeat(length)));
        match found {
            Ok(_) => assert!(fits, "{length}"),
            Err(error) => {
                let ErrorKind::Build(error) = error.kind() else {
                    panic!("{error:?}")
                };
                assert_eq!((error.field(), fits), (Some("sub_openid"), false), "{length}");
            }
        }
    }
    let shown = format!(
        "{own:?} {sub:?} {:#?}",
        PlaceOrder::jsapi(
            OrderNo::new(ORDER_NO).unwrap(),
            PayAmount::from_fen(1).unwrap(),
            "b",
            "::1".parse().unwrap(),
            crate::far_side::notify_url(),
            sub.clone(),
        )
    );
    assert!(!shown.contains(OPENID) && !shown.contains(SUB_OPENID), "{shown}");
}

/// Ids of an answer, and what comes of it.
type Row<'a> = (Changes<'a>, Option<&'a str>);

/// On a success, with an account that has an app of the sub-merchant's.
const SUCCESSES: &[Row<'_>] = &[
    (&[], None),
    (&[("sub_appid", None)], None),
    (&[("sub_appid", Some(""))], None),
    (&[("sub_mch_id", None)], Some("foreign sub_mch_id")),
    (&[("sub_mch_id", Some(""))], Some("foreign sub_mch_id")),
    (&[("sub_mch_id", Some("1900000110"))], Some("foreign sub_mch_id")),
    (&[("sub_mch_id", Some(MERCHANT))], Some("foreign sub_mch_id")),
    (&[("sub_appid", Some("wx1"))], Some("foreign sub_appid")),
    (&[("mch_id", Some(SUB_MERCHANT))], Some("foreign mch_id")),
    (&[("mch_id", None)], Some("field mch_id")),
];

fn placed(account: &Account, pairs: &Pairs) -> Option<String> {
    order().reply(account, &answer(pairs), now()).err().map(|error| {
        assert_eq!(error.fate(), Fate::Unknown, "somebody else's answer settles nothing");
        why(&error)
    })
}

fn opened(account: &Account, pairs: &Pairs) -> Result<PaymentNotice, String> {
    let body = xml(&signed(pairs, SignType::Md5));
    match account.open_notification(&posted(body), now()) {
        Ok(Notice::Settles(event)) => Ok(event.into_inner()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(word(&error)),
    }
}

#[test]
fn takes_answers_and_notices_about_the_configured_sub_merchant_alone() {
    for (changes, expected) in SUCCESSES {
        assert_eq!(
            placed(&shop(), &named(PLACED, changes)).as_deref(),
            *expected,
            "{changes:?}"
        );
        let asked = query().reply(&shop(), &answer(&named(QUERIED, changes)), now());
        assert_eq!(
            asked.err().map(|error| why(&error)).as_deref(),
            *expected,
            "{changes:?}"
        );
        let notice = opened(&shop(), &named(PAID, changes));
        assert_eq!(notice.err().as_deref(), *expected, "{changes:?}");
    }
    // Where no app is configured, the order named none and any may come back.
    assert_eq!(placed(&without_app(), &named(PLACED, &[])), None);
    // A merchant's own account is not about a provider's merchants. Official samples repeat its own number, though.
    assert_eq!(
        placed(&account(), &named(PLACED, &[])).as_deref(),
        Some("foreign sub_mch_id")
    );
    assert_eq!(
        opened(&account(), &named(PAID, &[])).err().as_deref(),
        Some("foreign sub_mch_id")
    );
    let own: Changes<'_> = &[("sub_mch_id", Some(MERCHANT)), ("sub_appid", None)];
    assert_eq!(placed(&account(), &named(PLACED, own)), None);
    assert!(opened(&account(), &named(PAID, own)).is_ok());
    assert!(opened(&account(), &changed(PAID, &[("sub_mch_id", Some(""))])).is_ok());
}

#[test]
fn takes_a_refusal_to_the_configured_sub_merchant_alone() {
    let refused = |changes: Changes<'_>| {
        let mut pairs = named(PLACED, changes);
        for (name, value) in &mut pairs {
            if name == "result_code" {
                *value = "FAIL".to_owned();
            }
        }
        pairs.push(("err_code".to_owned(), "ORDERPAID".to_owned()));
        let error = order().reply(&shop(), &answer(&pairs), now()).unwrap_err();
        why(&error)
    };
    assert_eq!(refused(&[]), "refused ORDERPAID");
    // A refusal may come before the platform knows whose call it was.
    assert_eq!(
        refused(&[("sub_mch_id", None), ("sub_appid", None)]),
        "refused ORDERPAID"
    );
    assert_eq!(refused(&[("sub_mch_id", Some("1900000110"))]), "foreign sub_mch_id");
    assert_eq!(refused(&[("sub_appid", Some("wx1"))]), "foreign sub_appid");
}

#[test]
fn tells_the_payer_under_both_apps() {
    let more: Changes<'_> = &[
        ("sub_openid", Some(SUB_OPENID)),
        ("sub_is_subscribe", Some("N")),
        ("is_subscribe", Some("Y")),
    ];
    let queried = query().reply(&shop(), &answer(&named(QUERIED, more)), now()).unwrap();
    assert_eq!(
        (queried.openid.as_deref(), queried.is_subscribed.as_deref()),
        (Some(OPENID), Some("Y"))
    );
    assert_eq!(
        (queried.sub_openid.as_deref(), queried.is_sub_subscribed.as_deref()),
        (Some(SUB_OPENID), Some("N"))
    );
    assert!(queried.extra.iter().next().is_none(), "the ids were looked at");
    let notice = opened(&shop(), &named(PAID, more)).unwrap();
    assert_eq!(
        (&*notice.openid, notice.sub_openid.as_deref()),
        (OPENID, Some(SUB_OPENID))
    );
    assert_eq!(notice.is_sub_subscribed.as_deref(), Some("N"));
    assert_eq!(notice.sub_merchant_id.as_deref(), Some(SUB_MERCHANT));
    assert_eq!(notice.sub_app_id.as_deref(), Some(SUB_APP_ID));
    assert!(notice.extra.iter().next().is_none());
    let shown = format!("{queried:?} {notice:#?}");
    assert!(!shown.contains(SUB_OPENID) && shown.contains(SUB_MERCHANT), "{shown}");
}

#[test]
fn opens_notices_about_each_merchant_of_a_provider_and_tells_them_apart() {
    let provider = account().for_every_sub_merchant();
    for number in [SUB_MERCHANT, "1900000110"] {
        let notice = opened(&provider, &named(PAID, &[("sub_mch_id", Some(number))])).unwrap();
        assert_eq!(notice.sub_merchant_id.as_deref(), Some(number));
        assert_eq!(provider.facts(&notice).merchant.as_deref(), Some(number));
        let key = provider.key(&notice);
        // One number across all of a provider's merchants: the same number twice is one event, and then a conflict.
        assert_eq!((&*key.account, &*key.subject), (MERCHANT, ORDER_NO));
        assert_eq!(key.transition, Transition::OrderPaid);
    }
    let nobody = opened(&provider, &changed(PAID, &[]));
    assert_eq!(nobody.err().as_deref(), Some("foreign sub_mch_id"));
    // It is the same event whichever of the provider's accounts opens it.
    let notice = opened(&shop(), &named(PAID, &[])).unwrap();
    assert_eq!(shop().key(&notice), provider.key(&notice));
    assert_eq!(shop().facts(&notice), provider.facts(&notice));
}

fn refund_notice(changes: Changes<'_>) -> Vec<u8> {
    let inner = format!(
        "<root><out_refund_no>R1</out_refund_no><refund_id>5000</refund_id><out_trade_no>{ORDER_NO}</out_trade_no>\
         <transaction_id>{TRANSACTION_ID}</transaction_id><total_fee>1200</total_fee><refund_fee>500</refund_fee>\
         <refund_status>SUCCESS</refund_status></root>"
    );
    // The key is the provider's: the sub-merchant has none here.
    let key: [u8; 32] = oracle::v2_refund_key(KEY).into_bytes().try_into().unwrap();
    let req_info = STANDARD.encode(aes_256_ecb_seal(&key, inner.as_bytes()));
    let outer = [
        ("return_code", "SUCCESS"),
        ("appid", APP_ID),
        ("mch_id", MERCHANT),
        ("nonce_str", "TeqClE3i0mvn3DrK"),
        ("req_info", &*req_info),
    ];
    xml(&named(&outer, changes))
}

#[test]
fn opens_a_refund_notice_with_the_providers_key() {
    for account in [shop(), without_app(), account().for_every_sub_merchant()] {
        let notice = account.open_notification(&posted(refund_notice(&[])), now()).unwrap();
        let Notice::Hint(hint) = notice else {
            panic!("it settles")
        };
        assert_eq!(hint.lookup, Lookup::Refund(RefundNo::new("R1").unwrap()));
    }
    let foreign = |account: &Account, changes: Changes<'_>| {
        let body = refund_notice(changes);
        word(&account.open_notification(&posted(body), now()).unwrap_err())
    };
    assert_eq!(
        foreign(&shop(), &[("sub_mch_id", Some("1900000110"))]),
        "foreign sub_mch_id"
    );
    assert_eq!(foreign(&shop(), &[("sub_mch_id", None)]), "foreign sub_mch_id");
    assert_eq!(foreign(&account(), &[]), "foreign sub_mch_id");
}

#[test]
fn forges_notices_that_a_providers_account_accepts() {
    let business: Vec<(&str, &str)> = PAID
        .iter()
        .copied()
        .filter(|(name, _)| !matches!(*name, "return_code" | "appid" | "mch_id" | "nonce_str" | "result_code"))
        .collect();
    for account in [shop(), without_app()] {
        let request = test_util::forge_notice(&account, &business, &ambient()).unwrap();
        let notice = account.open_notification(&request, now()).unwrap();
        assert!(matches!(notice, Notice::Settles(_)), "{notice:?}");
    }
    let every = account().for_every_sub_merchant();
    let mut named = business.clone();
    named.push(("sub_mch_id", SUB_MERCHANT));
    let request = test_util::forge_notice(&every, &named, &ambient()).unwrap();
    assert!(every.open_notification(&request, now()).is_ok());
}

#[test]
fn shows_whose_trade_an_account_is_about_and_no_key() {
    let shown = format!("{:?} {:?}", shop(), account().for_every_sub_merchant());
    assert!(shown.contains(SUB_MERCHANT) && shown.contains(SUB_APP_ID), "{shown}");
    assert!(shown.contains("EverySubMerchant") && !shown.contains(KEY), "{shown}");
    let unsigned: Response<Bytes> = response(200, xml(&named(PLACED, &[])));
    let error = order().reply(&shop(), &unsigned, now()).unwrap_err();
    assert_eq!(
        why(&error),
        "missing-signature",
        "the ids of an unsigned answer say nothing"
    );
}
