//! What may not be seen is not shown: not by `Debug`, not by `Display`, not by an error and its sources.

use std::error::Error;
use std::fmt::Debug;

use yuanfen_core::{
    BaseUrl, Notice, NotificationSource as _, Opens as _, Operation as _, OperationExt as _, OrderNo, Provider as _,
    Verified,
};
use yuanfen_mpgateway::ops::{CancelOrder, QueryOrder, SubmitOrder};
use yuanfen_mpgateway::{Account, Reply};
use yuanfen_testkit::{Value, json};

use crate::far_side::{
    BASE, KEY, OPENID, PAY_ID, account, ambient, answer, canceled, changed, form, notice, noticed, now, order, outer,
    posted, queried, response, signed, submitted,
};

/// Stands in every message, and may be seen.
const PLANTED: &str = "PLANTED20240102";
const SCANNED: &str = "134567890123456789";

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

fn planted_no() -> OrderNo {
    OrderNo::new(PLANTED).unwrap()
}

fn planted_order() -> SubmitOrder {
    let mut order = order();
    order.order_no = planted_no();
    order.code = Some(SCANNED.to_owned());
    order.ip = Some("203.0.113.7".parse().unwrap());
    order
}

fn planted(payload: Value) -> Value {
    changed(payload, &[("orderid", json!(PLANTED)), ("openid", json!(OPENID))])
}

#[test]
fn secrets_never_show_and_the_same_search_finds_what_is_no_secret() {
    let mut log = Log::default();
    let account = account();
    let order = planted_order();
    let query = QueryOrder::by_order_no(planted_no());
    let cancel = CancelOrder::by_order_no(planted_no());
    log.show(&account);
    log.show(&order);
    log.show(&query);
    log.show(&cancel);

    // What is sent.
    let message = order.encode(&account, &ambient()).unwrap();
    let (req, req_sign) = signed(&message.json);
    log.show(&message);
    let draft = account.draft(message, &ambient()).unwrap();
    log.show(&draft);
    assert!(!draft.redacted_text().contains(KEY));

    // What comes back.
    let mut secrets = vec![
        KEY.to_owned(),
        OPENID.to_owned(),
        SCANNED.to_owned(),
        PAY_ID.to_owned(),
        "203.0.113.7".to_owned(),
        req,
        req_sign,
    ];
    for payload in [submitted(), queried(), canceled(), noticed()] {
        let (resp, sign) = signed(&planted(payload).to_string());
        secrets.extend([resp, sign]);
    }
    log.show(&order.reply(&account, &answer(&planted(submitted())), now()).unwrap());
    log.show(&query.reply(&account, &answer(&planted(queried())), now()).unwrap());
    log.show(&cancel.reply(&account, &answer(&planted(canceled())), now()).unwrap());
    log.show(&Verified::<Reply>::open(&account, &answer(&planted(queried())), now()).unwrap());

    // What is posted.
    let opened = account.open_notification(&notice(&planted(noticed())), now()).unwrap();
    log.show(&opened);
    let Notice::Settles(event) = opened else {
        panic!("a hint")
    };
    log.show(&account.key(event.get()));
    log.show(&account.facts(event.get()));

    errors(&mut log, &account);

    for secret in secrets {
        assert_eq!(log.finds(&secret), 0, "{secret}");
    }
    assert!(
        log.finds(PLANTED) >= 14,
        "the search finds what is there: {}",
        log.finds(PLANTED)
    );
}

/// Every error that a call or a notice can end in, over messages that hold the secrets.
fn errors(log: &mut Log, account: &Account) {
    let query = QueryOrder::by_order_no(planted_no());
    let (resp, sign) = signed(&planted(queried()).to_string());
    for status in [200, 500] {
        for body in [
            outer(&resp, KEY),
            outer(&resp, ""),
            outer(&format!("{resp}{OPENID}"), &sign),
            format!("resp={resp}&sign={KEY}"),
            format!("resp={resp}&sign={KEY}&sign"),
            format!("<html>{OPENID}{KEY}"),
            format!("{OPENID}{KEY}"),
            format!(r#"{{"resp":"{OPENID}","sign":{{"a":"{KEY}"}}}}"#),
        ] {
            log.error(&query.reply(account, &response(status, body), now()).unwrap_err());
        }
    }
    for changes in [
        ("txnamt", json!(OPENID)),
        ("orderid", json!(OPENID)),
        ("merid", json!(OPENID)),
        ("resultcode", json!({ "openid": OPENID })),
        ("respcode", json!("90")),
    ] {
        let reply = answer(&changed(planted(queried()), &[changes]));
        log.error(&query.reply(account, &reply, now()).unwrap_err());
    }
    let hidden = || Some(format!("{OPENID}\n"));
    let (mut first, mut second, mut third) = (planted_order(), planted_order(), planted_order());
    first.openid = hidden();
    second.code = hidden();
    third.channel = hidden();
    for order in [first, second, third] {
        log.error(&order.request(account, &ambient()).unwrap_err());
    }
    log.error(
        &account
            .pay_page(&planted_no(), &format!("{PAY_ID}\n"), &ambient())
            .unwrap_err(),
    );
    for body in [
        form([("resp", &*resp), ("sign", KEY)]),
        form([("resp", &*resp), ("sign", "")]),
        form([("resp", OPENID), ("sign", &sign)]),
        format!("resp={resp}&sign=%"),
    ] {
        log.error(&account.open_notification(&posted(body.clone()), now()).unwrap_err());
        log.error(&account.open_front_return(&body).unwrap_err());
    }
    let setup = Account::new(format!("{KEY}\n"), KEY, BaseUrl::parse(BASE).unwrap());
    log.error(&setup.unwrap_err());
}
