//! Nothing that is printed holds a key, an openid, an address of a payer, a prepay id or a body; what is not secret is
//! found by the same search.

use std::fmt::Debug;

use yuanfen_core::{Opens as _, Operation as _, OperationExt as _, Provider as _, Unsigned};
use yuanfen_fshows::{Account, Reply};

use crate::{MERCHANT_KEY, OPENID, PLATFORM_KEY, PLATFORM_PUBLIC, account, ambient, envelope, now, pay, query, reply};

const PREPAY_ID: &str = "wxPREPAYPREPAYPREPAY";
const PLANTED: &str = "DEMO_20990101_0001";

fn show(out: &mut String, value: &dyn Debug) {
    *out += &format!("{value:?}\n{value:#?}\n");
}

fn shows(text: &str, secret: &str) -> bool {
    secret
        .as_bytes()
        .windows(8)
        .any(|part| text.as_bytes().windows(8).any(|other| other == part))
}

fn check(shown: &str) {
    for secret in [OPENID, PREPAY_ID, "203.0.113.7"] {
        assert!(!shows(shown, secret), "{secret} in {shown}");
    }
    for line in MERCHANT_KEY
        .lines()
        .chain(PLATFORM_KEY.lines())
        .chain(PLATFORM_PUBLIC.lines())
    {
        assert!(line.starts_with('-') || !shows(shown, line), "{shown}");
    }
    assert!(shows(shown, PLANTED), "{shown}");
}

#[test]
fn nothing_secret_is_printed_and_the_order_number_is() {
    let mut shown = String::new();
    let account = account();
    show(&mut shown, &account);
    show(&mut shown, &pay());
    let message = pay().encode(&account, &ambient()).unwrap();
    show(&mut shown, &message);
    show(&mut shown, &account.draft(message, &ambient()).unwrap());
    show(&mut shown, &query());
    let prepaid = reply(
        200,
        format!("{{\"success\":true,\"return_value\":{{\"prepay_id\":\"{PREPAY_ID}\",\"openid\":\"{OPENID}\"}}}}"),
    );
    let queried = reply(
        200,
        format!(
            "{{\"success\":true,\"return_value\":{{\"trade_state\":\"SUCCESS\",\"total_fee\":0.01,\
             \"openid\":\"{OPENID}\",\"out_trade_no\":\"{PLANTED}\",\"buyer_user_id\":\"{OPENID}\"}}}}"
        ),
    );
    for response in [&prepaid, &queried] {
        show(&mut shown, &Unsigned::<Reply>::open(&account, response, now()).unwrap());
    }
    show(&mut shown, &pay().reply(&account, &prepaid, now()).unwrap());
    let found = query().reply(&account, &queried, now()).unwrap();
    assert_eq!(found.openid.as_deref(), Some(OPENID));
    show(&mut shown, &found);
    let body = envelope().case("t4-call-back-doubly-encoded").bytes("body");
    let callback = account.open_callback(&body).unwrap();
    show(&mut shown, &callback);
    assert!(!shown.contains("AbC%2FdEf"));
    check(&shown);
}

#[test]
fn no_error_holds_a_secret() {
    let mut shown = String::new();
    let account = account();
    let mut add = |error: &(dyn std::error::Error + 'static)| {
        let mut cause = Some(error);
        while let Some(error) = cause {
            shown += &format!("{error}\n{error:?}\n");
            cause = error.source();
        }
    };
    for response in [
        reply(
            200,
            format!("{{\"success\":true,\"return_value\":{{\"prepay_id\":\"{PREPAY_ID}\","),
        ),
        reply(
            200,
            format!("{{\"success\":true,\"return_value\":{{\"openid\":\"{OPENID}\"}}}}"),
        ),
        reply(
            200,
            format!("{{\"success\":true,\"return_value\":{{\"prepay_id\":\"{PREPAY_ID}\",\"total_fee\":7}}}}"),
        ),
        reply(500, PREPAY_ID),
        reply(
            200,
            format!("{{\"success\":false,\"error_code\":\"-101\",\"error_message\":\"{PLANTED}\"}}"),
        ),
    ] {
        add(&pay().reply(&account, &response, now()).unwrap_err());
    }
    let mut wrong = pay();
    wrong.openid = OPENID.repeat(9);
    add(&wrong.request(&account, &ambient()).unwrap_err());
    add(&account
        .open_callback(format!("openid={OPENID}&openid={OPENID}&sign=x").as_bytes())
        .unwrap_err());
    add(&account
        .open_callback(format!("openid={OPENID}&sign=x").as_bytes())
        .unwrap_err());
    let base = yuanfen_core::BaseUrl::parse(yuanfen_fshows::TEST_BASE).unwrap();
    add(&Account::new("1", &MERCHANT_KEY.replace("END", "AND"), PLATFORM_PUBLIC, &base).unwrap_err());
    check(&shown);
}
