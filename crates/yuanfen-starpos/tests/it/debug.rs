//! Nothing that is printed holds a key, an app secret, an openid, a code, a signature or a body; what is not secret is
//! found by the same search.

use std::fmt::Debug;

use yuanfen_core::{Opens as _, Operation as _, OperationExt as _, Provider as _, Unsigned, Verified};
use yuanfen_starpos::ops::{Payer, QueryOfficialAccount, QueryOrder};
use yuanfen_starpos::{Account, Reply};

use crate::{CODE, KEY, MERCHANT, OPENID, account, ambient, now, pay, reply, signed, unsigned};

const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
const PAY_SIGN: &str = "DEADBEEFDEADBEEFDEADBEEFDEADBEEF";
const PLANTED: &str = "SHOP20240102000001";
const SECRETS: [&str; 5] = [KEY, APP_SECRET, PAY_SIGN, OPENID, CODE];

fn show(out: &mut String, value: &dyn Debug) {
    *out += &format!("{value:?}\n{value:#?}\n");
}

fn show_error(out: &mut String, error: &(dyn std::error::Error + 'static)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        *out += &format!("{error}\n{error:?}\n");
        cause = error.source();
    }
}

/// Whether eight characters in a row of a secret are in the text.
fn shows(text: &str, secret: &str) -> bool {
    secret
        .as_bytes()
        .windows(8)
        .any(|part| text.as_bytes().windows(8).any(|other| other == part))
}

fn account_reply() -> http::Response<bytes::Bytes> {
    signed(&[
        ("returnCode", "000000"),
        ("mercId", MERCHANT),
        ("appId", "wx0000000000000000"),
        ("appIdKey", APP_SECRET),
    ])
}

fn started_reply() -> http::Response<bytes::Bytes> {
    unsigned(&[
        ("returnCode", "000000"),
        ("mercId", MERCHANT),
        ("logNo", "202401020000000002"),
        ("orderNo", "202401020000000002"),
        ("result", "A"),
        ("amount", "100"),
        ("total_amount", "100"),
        ("PrepayId", "wx02030405000000TESTPREPAY0000"),
        ("apiAppid", "wx0000000000000000"),
        ("apiTimestamp", "1704135845"),
        ("apiNoncestr", "abcdefghijklmnop"),
        ("apiPackage", "prepay_id=wx02030405000000TESTPREPAY0000"),
        ("apiSigntype", "MD5"),
        ("apiPaysign", PAY_SIGN),
        ("selOrderNo", PLANTED),
        ("OpenId", OPENID),
    ])
}

#[test]
fn nothing_secret_is_printed_and_the_order_number_is() {
    let mut shown = String::new();
    let account = account();
    show(&mut shown, &account);
    let (by_code, mut by_openid) = (pay(), pay());
    by_openid.payer = Payer::Openid {
        openid: OPENID.to_owned(),
        app_id: None,
    };
    for pay in [&by_code, &by_openid] {
        show(&mut shown, pay);
        show(&mut shown, &pay.encode(&account, &ambient()).unwrap());
        show(
            &mut shown,
            &account
                .draft(pay.encode(&account, &ambient()).unwrap(), &ambient())
                .unwrap(),
        );
    }
    show(&mut shown, &QueryOrder::by_trade_no(&pay().order_no));
    show(
        &mut shown,
        &Verified::<Reply>::open(&account, &account_reply(), now()).unwrap(),
    );
    show(
        &mut shown,
        &Unsigned::<Reply>::open(&account, &started_reply(), now()).unwrap(),
    );
    let official = QueryOfficialAccount::new()
        .reply(&account, &account_reply(), now())
        .unwrap();
    show(&mut shown, &official);
    show(&mut shown, &pay().reply(&account, &started_reply(), now()).unwrap());
    show(
        &mut shown,
        &official.authorize(
            yuanfen_core::Address::parse("redirect_uri", "https://shop.example/").unwrap(),
            yuanfen_starpos::State::new(KEY).unwrap(),
        ),
    );
    for secret in SECRETS {
        assert!(!shows(&shown, secret), "{secret} in {shown}");
    }
    assert!(shows(&shown, PLANTED));
}

#[test]
fn no_error_holds_a_secret() {
    let mut shown = String::new();
    let account = account();
    for response in [
        reply(
            200,
            format!("{{\"appIdKey\":\"{APP_SECRET}\",\"apiPaysign\":\"{PAY_SIGN}\","),
        ),
        reply(
            200,
            format!("{{\"returnCode\":\"000000\",\"appIdKey\":\"{APP_SECRET}\",\"signValue\":\"x\"}}"),
        ),
        reply(
            200,
            format!("{{\"returnCode\":\"000000\",\"OpenId\":\"{OPENID}\",\"openid\":\"{OPENID}\"}}"),
        ),
        reply(500, APP_SECRET),
        unsigned(&[("returnCode", PLANTED), ("message", "no"), ("appIdKey", APP_SECRET)]),
    ] {
        show_error(
            &mut shown,
            &QueryOfficialAccount::new()
                .reply(&account, &response, now())
                .unwrap_err(),
        );
        show_error(&mut shown, &pay().reply(&account, &response, now()).unwrap_err());
    }
    let mut wrong = pay();
    wrong.payer = Payer::Openid {
        openid: OPENID.repeat(2),
        app_id: None,
    };
    show_error(&mut shown, &wrong.request(&account, &ambient()).unwrap_err());
    wrong.payer = Payer::Code(CODE.repeat(3));
    show_error(&mut shown, &wrong.request(&account, &ambient()).unwrap_err());
    show_error(&mut shown, &Account::new("00001", MERCHANT, KEY, KEY).unwrap_err());
    for secret in SECRETS {
        assert!(!shows(&shown, secret), "{secret} in {shown}");
    }
    assert!(shows(&shown, PLANTED), "{shown}");
}

#[test]
fn the_masked_text_of_a_draft_ends_without_the_key() {
    let account = account();
    let draft = account
        .draft(pay().encode(&account, &ambient()).unwrap(), &ambient())
        .unwrap();
    assert!(!shows(&draft.redacted_text(), KEY));
    assert!(draft.redacted_text().ends_with("<key>"));
}
