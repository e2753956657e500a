//! Whatever is written is signed as the oracle signs it; whatever arrives, nothing panics and nobody's word settles.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use yuanfen_core::{Fields, Notice, NotificationSource as _, OperationExt as _, OrderNo, Provider as _, RemoteId};
use yuanfen_core::{RefundNo, UnixTime};
use yuanfen_starpos::ops::{PayOfficialAccount, QueryOfficialAccount, QueryOrder, QueryRefund, Refund};
use yuanfen_starpos::{Message, SignedAs};
use yuanfen_testkit::oracle;

use crate::{KEY, account, ambient, body, now, pay, reply, sent, with};

const LOG_NO: &str = "202401020000000002";

fn query() -> QueryOrder {
    QueryOrder::by_log_no(&RemoteId::new(LOG_NO).unwrap())
}

fn refund_no() -> RefundNo {
    RefundNo::new("R1").unwrap()
}

/// No call that needs a signature takes that answer, and none panics over it.
fn settles_nothing(body: &[u8]) {
    let response = reply(200, body.to_vec());
    let (account, remote) = (account(), |text| RemoteId::new(text).unwrap());
    assert!(query().reply(&account, &response, now()).is_err());
    let by_trade_no = QueryOrder::by_trade_no(&OrderNo::new("SHOP20240102000001").unwrap());
    assert!(by_trade_no.reply(&account, &response, now()).is_err());
    assert!(QueryOfficialAccount::new().reply(&account, &response, now()).is_err());
    let refund = Refund::whole(remote("4200"), refund_no());
    assert!(refund.reply(&account, &response, now()).is_err());
    let query_refund = QueryRefund::by_refund_no(refund_no(), remote(LOG_NO));
    assert!(query_refund.reply(&account, &response, now()).is_err());
    let pay: PayOfficialAccount = pay();
    if let Ok(started) = pay.reply(&account, &response, now()) {
        assert_eq!((started.amount, started.total), (pay.amount.fen(), pay.total.fen()));
    }
    let push = crate::notify::request(body.to_vec());
    if let Ok(notice) = account.open_notification(&push, UnixTime::from_seconds(0)) {
        assert!(matches!(notice, Notice::Hint(_)), "{notice:?}");
    }
}

/// A paid order and a push of it, with some members changed for something else.
fn almost(base: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = String> {
    let names = prop::sample::select(base.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let value = prop_oneof![
        Just(String::new()),
        Just("000000".to_owned()),
        "[SFAZD0-9]{1,6}",
        "[ -~]{0,20}",
        "\\PC{0,12}",
    ];
    btree_map(names, prop::option::of(value), 0..4).prop_map(|changes| {
        let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, value.as_deref())).collect();
        body(&with(base, &changes))
    })
}

const QUERIED: &[(&str, &str)] = &[
    ("returnCode", "000000"),
    ("mercId", crate::MERCHANT),
    ("logNo", LOG_NO),
    ("orderNo", "4200"),
    ("result", "S"),
    ("amount", "100"),
    ("total_amount", "100"),
    ("txnAmt", "100"),
    ("tradeNo", "R1"),
    ("appId", "wx0"),
    ("appIdKey", "k"),
    ("PrepayId", "wx1"),
    ("apiAppid", "wx0"),
    ("apiTimestamp", "1704135845"),
    ("apiNoncestr", "n"),
    ("apiPackage", "prepay_id=wx1"),
    ("apiSigntype", "RSA"),
    ("apiPaysign", "s"),
    ("signValue", "00000000000000000000000000000000"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_signed_as_the_oracle_signs_it(
        record in btree_map("[A-Za-z][A-Za-z0-9_]{0,11}", "[ -~]{0,24}|[ \\u{4e00}-\\u{9fa5}a-z]{0,12}", 0..12),
        bare in any::<bool>(),
    ) {
        let mut fields = Fields::new();
        let mut lowered = std::collections::BTreeSet::new();
        for (name, value) in &record {
            // Which of two names that differ in case alone comes first is not published.
            let name_of_ours = ["signtype", "signvalue"].contains(&&*name.to_ascii_lowercase());
            if !name_of_ours && lowered.insert(name.to_ascii_lowercase()) {
                fields.push(name, value).unwrap();
            }
        }
        let signed_as = if bare { SignedAs::ValueOnly } else { SignedAs::TypeAndValue };
        let request = account().seal(Message::new("/call.json", fields.clone(), signed_as), &ambient()).unwrap();
        let sent = sent(&request);
        for (name, value) in fields.iter() {
            prop_assert_eq!(sent.get(name), Some(value));
        }
        prop_assert_eq!(sent.get("signType"), (!bare).then_some("MD5"));
        let signature = oracle::starpos_sign(&crate::map(sent.iter()), KEY);
        prop_assert_eq!(sent.get("signValue"), Some(&*signature));
    }

    #[test]
    fn no_bytes_panic_or_settle(bytes in vec(any::<u8>(), 0..200)) {
        settles_nothing(&bytes);
    }

    #[test]
    fn no_unproven_answer_settles(text in almost(QUERIED)) {
        settles_nothing(text.as_bytes());
    }

    #[test]
    fn no_unproven_push_settles(text in almost(crate::notify::PUSH)) {
        settles_nothing(text.as_bytes());
    }
}
