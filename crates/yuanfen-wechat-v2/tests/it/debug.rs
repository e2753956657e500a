//! What may not be seen is not shown: not by `Debug`, not by `Display`, not by an error and its sources.

use std::error::Error;
use std::fmt::Debug;

use yuanfen_core::{
    Address, Notice, NotificationSource as _, OpenError, Opens as _, Operation as _, OperationExt as _, OrderNo,
    Provider as _, Verified,
};
use yuanfen_testkit::oracle;
use yuanfen_wechat_v2::ops::{PlaceOrder, QueryOrder};
use yuanfen_wechat_v2::{Account, PayerApp, PrepayId, Reply, SetupError, SignType};

use crate::far_side::{
    KEY, OPENID, PAID, PLACED, PREPAY_ID, QUERIED, account, ambient, answer, changed, now, order, posted, query,
    response, signed, xml,
};

/// Stands in every message, and may be seen.
const PLANTED: &str = "PLANTED20231115";
const ATTACH: &str = "the payer sits at table 4";

/// Everything that was printed.
#[derive(Default)]
struct Log(Vec<String>);

impl Log {
    fn show(&mut self, value: &impl Debug) {
        self.0.push(format!("{value:?}"));
        self.0.push(format!("{value:#?}"));
    }

    fn error(&mut self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.0.push(error.to_string());
            self.0.push(format!("{error:?} {error:#?}"));
            next = error.source();
        }
    }

    fn finds(&self, text: &str) -> usize {
        self.0.iter().filter(|line| line.contains(text)).count()
    }
}

fn planted_order() -> PlaceOrder {
    let mut order = order();
    order.order_no = OrderNo::new(PLANTED).unwrap();
    order.attach = Some(ATTACH.to_owned());
    order.detail = Some(ATTACH.to_owned());
    order.scene_info = Some(ATTACH.to_owned());
    order
}

fn planted(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs = changed(pairs, &[("err_code_des", Some("words"))]);
    pairs.retain(|(name, _)| !matches!(&**name, "out_trade_no" | "attach" | "err_code_des"));
    pairs.push(("out_trade_no".to_owned(), PLANTED.to_owned()));
    pairs.push(("attach".to_owned(), ATTACH.to_owned()));
    signed(&pairs, SignType::Md5)
}

fn signature_of(pairs: &[(String, String)]) -> String {
    pairs.iter().find(|(name, _)| name == "sign").unwrap().1.clone()
}

#[test]
fn secrets_never_show_and_the_same_search_finds_what_is_no_secret() {
    let mut log = Log::default();
    let account = account();
    let ambient = ambient();
    let order = planted_order();
    let by_no = QueryOrder::by_order_no(OrderNo::new(PLANTED).unwrap());
    log.show(&account);
    log.show(&order);
    log.show(&by_no);

    // What is sent.
    let message = order.encode(&account, &ambient).unwrap();
    log.show(&message);
    let draft = account.draft(message, &ambient).unwrap();
    log.show(&draft);
    assert!(
        !draft.redacted_text().contains(KEY),
        "it shows values, and never the key"
    );

    // What comes back.
    let placed_body = signed(
        &changed(PLACED, &[("code_url", Some("weixin://wxpay/hidden"))]),
        SignType::Md5,
    );
    let placed = order.reply(&account, &response(200, xml(&placed_body)), now()).unwrap();
    log.show(&placed);
    let bridge = account
        .bridge_params(&placed.prepay_id, PayerApp::Account, &ambient)
        .unwrap();
    let choose = account
        .choose_wx_pay_params(&placed.prepay_id, PayerApp::Account, &ambient)
        .unwrap();
    log.show(&bridge);
    log.show(&choose);
    let mini = account
        .mini_program_params(&placed.prepay_id, PayerApp::Account, &ambient)
        .unwrap();
    let app = account.app_params(&placed.prepay_id, &ambient).unwrap();
    log.show(&mini);
    log.show(&app);
    log.show(&PrepayId::issued(PREPAY_ID, now()));
    let queried_body = planted(QUERIED);
    let answered = response(200, xml(&queried_body));
    log.show(&by_no.reply(&account, &answered, now()).unwrap());
    log.show(&Verified::<Reply>::open(&account, &answered, now()).unwrap());

    // What is posted.
    let paid_body = planted(PAID);
    let notice = account.open_notification(&posted(xml(&paid_body)), now()).unwrap();
    log.show(&notice);
    let Notice::Settles(event) = notice else {
        panic!("a hint")
    };
    log.show(&account.key(event.get()));
    log.show(&account.facts(event.get()));

    errors(&mut log, &account);

    let secrets = [
        KEY.to_owned(),
        oracle::v2_refund_key(KEY),
        OPENID.to_owned(),
        ATTACH.to_owned(),
        PREPAY_ID.to_owned(),
        "weixin://wxpay/hidden".to_owned(),
        bridge.pay_sign.clone(),
        choose.pay_sign.clone(),
        mini.pay_sign.clone(),
        app.signature.clone(),
        signature_of(&placed_body),
        signature_of(&queried_body),
        signature_of(&paid_body),
        "203.0.113.7".to_owned(),
    ];
    for secret in secrets {
        assert_eq!(log.finds(&secret), 0, "{secret}");
    }
    assert!(
        log.finds(PLANTED) >= 8,
        "the search finds what is there: {}",
        log.finds(PLANTED)
    );
}

/// Every error that a call or a notice can end in, over messages that hold the secrets.
fn errors(log: &mut Log, account: &Account) {
    let mut failed = 0;
    let mut call = |error: yuanfen_core::Error| {
        log.error(&error);
        failed += 1;
    };
    let query = query();
    for status in [200, 500] {
        for body in [
            xml(&planted(QUERIED)),
            xml(&changed(QUERIED, &[])),
            xml(&changed(QUERIED, &[("sign", Some(KEY))])),
            xml(&changed(QUERIED, &[("sign_type", Some(OPENID)), ("sign", Some(KEY))])),
            format!("<xml><a>{OPENID}</a><a>{KEY}</a></xml>").into_bytes(),
            format!("<xml><a>{OPENID}{KEY}").into_bytes(),
            format!("<html>{OPENID}</html>").into_bytes(),
            format!("{{\"openid\":\"{OPENID}\"}}").into_bytes(),
        ] {
            call(query.reply(account, &response(status, body), now()).unwrap_err());
        }
    }
    for changes in [
        ("total_fee", Some(OPENID)),
        ("time_end", Some(OPENID)),
        ("out_trade_no", Some(PLANTED)),
        ("appid", Some("wx1")),
        ("result_code", Some("FAIL")),
    ] {
        call(
            query
                .reply(account, &answer(&changed(QUERIED, &[changes])), now())
                .unwrap_err(),
        );
    }
    let hidden = || Some(format!("{OPENID}\0"));
    let mut orders = vec![planted_order(), planted_order(), planted_order(), planted_order()];
    let mut parts = orders.iter_mut();
    parts.next().unwrap().payer = hidden().map(Into::into);
    parts.next().unwrap().attach = hidden();
    parts.next().unwrap().detail = hidden();
    parts.next().unwrap().notify_url =
        Address::parse("notify_url", &format!("https://shop.example/?{OPENID}")).unwrap();
    for order in orders {
        let error = order.request(account, &ambient()).unwrap_err();
        // `Debug` of the address itself is the caller's business; the error does not repeat it.
        call(error);
    }
    assert_eq!(failed, 25);
    for body in [
        xml(&changed(PAID, &[("sign", Some(KEY))])),
        xml(&changed(PAID, &[])),
        xml(&changed(PAID, &[("sign", Some("")), ("req_info", Some(OPENID))])),
        xml(&changed(PAID, &[("req_info", Some(OPENID))])),
    ] {
        let error: OpenError = account.open_notification(&posted(body), now()).unwrap_err();
        log.error(&error);
    }
    log.error(&account.decrypt_refund_notice(OPENID).unwrap_err());
    let setup: [SetupError; 2] = [
        Account::new("", "1", KEY).unwrap_err(),
        Account::new("wx1", format!("{KEY}\n"), KEY).unwrap_err(),
    ];
    for error in setup {
        log.error(&error);
    }
}
