//! The cashier page.

use yuanfen_core::{Address, BuildError, UnixTime};
use yuanfen_fshows::PrepayId;

use crate::{NOW, account, now};

fn prepay_id() -> PrepayId {
    PrepayId::issued("wx2099010112000000000000000000000001", now())
}

#[test]
fn escapes_an_address_that_has_a_query_of_its_own_and_chinese_in_it() {
    let back = "https://shop.example/back?order=A1&name=%E4%B8%AD%E6%96%87&plus=1+2#top";
    let back = Address::parse("callback_url", back).unwrap();
    let page = account().cashier_page(&prepay_id(), &back, now()).unwrap();
    assert_eq!(
        page,
        "https://openapi-liquidation-test.51fubei.com/payPage/?prepay_id=wx2099010112000000000000000000000001\
         &callback_url=https%3A%2F%2Fshop.example%2Fback%3Forder%3DA1%26name%3D%25E4%25B8%25AD%25E6%2596%2587\
         %26plus%3D1%2B2%23top"
    );
    // Whoever reads the query finds the address as it was.
    let uri: http::Uri = page.parse().unwrap();
    let query = yuanfen_form::read(uri.query().unwrap().as_bytes(), &yuanfen_core::Limits::DEFAULT).unwrap();
    assert_eq!(query.get("callback_url"), Some(back.as_str()));
    assert!(Address::parse("callback_url", "https://shop.example/中文").is_err());
}

#[test]
fn a_prepay_id_cannot_add_parameters() {
    let odd = PrepayId::issued("wx1&callback_url=https://evil.example", now());
    let back = Address::parse("callback_url", "https://shop.example/").unwrap();
    let page = account().cashier_page(&odd, &back, now()).unwrap();
    assert!(page.contains("prepay_id=wx1%26callback_url%3Dhttps%3A%2F%2Fevil.example&callback_url=https%3A%2F%2Fshop"));
}

#[test]
fn a_prepay_id_is_good_for_two_hours_and_not_a_second_more() {
    let back = Address::parse("callback_url", "https://shop.example/").unwrap();
    for (seconds, good) in [(0, true), (7199, true), (7200, false), (7201, false), (-1, true)] {
        let now = UnixTime::from_seconds(NOW + seconds);
        assert_eq!(prepay_id().is_expired(now), !good, "{seconds}");
        match account().cashier_page(&prepay_id(), &back, now) {
            Ok(_) => assert!(good, "{seconds}"),
            Err(error) => {
                assert!(!good, "{seconds}");
                assert!(matches!(error, BuildError::Time { field: "prepay_id", .. }));
            }
        }
    }
    assert_eq!(prepay_id().issued_at(), now());
}
