//! Every rule of a field at its limit and one past it, and the conditions between fields.

use yuanfen_core::{
    Address, Ambient as _, BuildError, Fen, Operation as _, OrderNo, PayAmount, RefundNo, RemoteId, UnixTime,
};
use yuanfen_wechat_v3::ops::RefundedGoods;
use yuanfen_wechat_v3::ops::{CloseOrder, PlaceJsapiOrder, QueryOrder, QueryRefund, Refund, RefundSource};
use yuanfen_wechat_v3::{FundsAccount, LimitPay, OpenId, OrderDetail, OrderRef, OrderedGoods, Scene, Store};

use crate::far_side::{NOW, account, ambient};
use crate::requests::{order, refund};

fn place(change: impl FnOnce(&mut PlaceJsapiOrder)) -> Result<(), BuildError> {
    let mut order = order();
    change(&mut order);
    order.encode(&account(), &ambient()).map(drop)
}

fn give_back(change: impl FnOnce(&mut Refund)) -> Result<(), BuildError> {
    let mut refund = refund();
    change(&mut refund);
    refund.encode(&account(), &ambient()).map(drop)
}

#[track_caller]
fn names(result: Result<(), BuildError>, field: &str) {
    let error = result.expect_err("accepted");
    assert_eq!(error.field(), Some(field), "{error}");
    assert!(
        error.to_string().contains(field.split(" and ").next().unwrap()),
        "{error}"
    );
}

type Set = fn(&mut PlaceJsapiOrder, String);
type SetRefund = fn(&mut Refund, String);

fn detail(goods: OrderedGoods) -> OrderDetail {
    let mut detail = OrderDetail::new();
    detail.goods.push(goods);
    detail
}

fn goods() -> OrderedGoods {
    OrderedGoods::new("g", 1, Fen::new(1))
}

fn scene() -> Scene {
    Scene::new("203.0.113.7".parse().unwrap())
}

fn store() -> Store {
    Store::new("s")
}

#[test]
fn holds_every_text_of_an_order_to_its_length() {
    let table: &[(&str, usize, Set)] = &[
        ("description", 127, |order, text| order.terms.description = text),
        ("attach", 128, |order, text| order.terms.attach = Some(text)),
        ("goods_tag", 32, |order, text| order.terms.goods_tag = Some(text)),
        ("payer.openid", 128, |order, text| {
            order.payer = OpenId::new(text).into();
        }),
        ("limit_pay", 32, |order, text| {
            order.terms.limit_pay = vec![LimitPay::from(&*text)];
        }),
        ("detail.invoice_id", 32, |order, text| {
            let mut detail = OrderDetail::new();
            detail.invoice_id = Some(text);
            order.terms.detail = Some(detail);
        }),
        ("detail.goods_detail[].merchant_goods_id", 32, |order, text| {
            order.terms.detail = Some(detail(OrderedGoods::new(text, 1, Fen::new(1))));
        }),
        ("detail.goods_detail[].wechatpay_goods_id", 32, |order, text| {
            let mut goods = goods();
            goods.platform_goods_id = Some(text);
            order.terms.detail = Some(detail(goods));
        }),
        ("detail.goods_detail[].goods_name", 256, |order, text| {
            let mut goods = goods();
            goods.name = Some(text);
            order.terms.detail = Some(detail(goods));
        }),
        ("scene_info.device_id", 32, |order, text| {
            let mut scene = scene();
            scene.device_id = Some(text);
            order.scene = Some(scene);
        }),
        ("scene_info.store_info.id", 32, |order, text| {
            let mut scene = scene();
            scene.store = Some(Store::new(text));
            order.scene = Some(scene);
        }),
        ("scene_info.store_info.name", 256, |order, text| {
            let mut store = store();
            store.name = Some(text);
            let mut scene = scene();
            scene.store = Some(store);
            order.scene = Some(scene);
        }),
        ("scene_info.store_info.area_code", 32, |order, text| {
            let mut store = store();
            store.area_code = Some(text);
            let mut scene = scene();
            scene.store = Some(store);
            order.scene = Some(scene);
        }),
        ("scene_info.store_info.address", 512, |order, text| {
            let mut store = store();
            store.address = Some(text);
            let mut scene = scene();
            scene.store = Some(store);
            order.scene = Some(scene);
        }),
    ];
    for (field, max, set) in table {
        place(|order| set(order, "x".repeat(*max))).unwrap_or_else(|error| panic!("{field} at its limit: {error}"));
        names(place(|order| set(order, "x".repeat(max + 1))), field);
        names(place(|order| set(order, String::new())), field);
        names(place(|order| set(order, "a\u{1}b".to_owned())), field);
    }
}

/// The platform counts characters and takes those of the basic plane only.
#[test]
fn counts_characters_and_refuses_emoji() {
    let table: &[(&str, usize, Set)] = &[
        ("description", 127, |order, text| order.terms.description = text),
        ("attach", 128, |order, text| order.terms.attach = Some(text)),
        ("goods_tag", 32, |order, text| order.terms.goods_tag = Some(text)),
    ];
    for (field, max, set) in table {
        place(|order| set(order, "汉".repeat(*max))).unwrap();
        names(place(|order| set(order, "汉".repeat(max + 1))), field);
        names(place(|order| set(order, "好😀".to_owned())), field);
    }
    names(give_back(|refund| refund.reason = Some("退😀".to_owned())), "reason");
}

#[test]
fn holds_order_numbers_to_their_alphabet_and_length() {
    let number = |text: &str| {
        let order_no = OrderNo::new(text).unwrap();
        place(|order| order.terms.order_no = order_no)
    };
    for good in ["123456", "AB|12_-*", &"a".repeat(32)] {
        number(good).unwrap();
    }
    for bad in ["12345", &"a".repeat(33), "abc.def", "abc/def", "abcdef@"] {
        names(number(bad), "out_trade_no");
    }
}

#[test]
fn asks_for_numbers_that_were_made_under_wider_rules() {
    let (account, ambient) = (account(), ambient());
    let query = |text: &str| {
        let order_no = OrderNo::new(text).unwrap();
        let query = QueryOrder::by_order_no(order_no.clone()).encode(&account, &ambient);
        let close = CloseOrder::new(order_no).encode(&account, &ambient);
        assert_eq!(query.is_ok(), close.is_ok(), "{text}");
        query.map(drop)
    };
    for good in ["1", "a@b", &"a".repeat(32)] {
        query(good).unwrap();
    }
    for bad in [&*"a".repeat(33), "a.b", "..", "a/b", "a?b", "a%2Fb"] {
        names(query(bad), "out_trade_no");
    }
    let theirs = |text: &str| {
        let id = RemoteId::new(text).unwrap();
        QueryOrder::by_transaction_id(id).encode(&account, &ambient).map(drop)
    };
    theirs(&"4".repeat(32)).unwrap();
    for bad in [&*"4".repeat(33), "..", "4/5", "4 5", "4?mchid=2"] {
        names(theirs(bad), "transaction_id");
    }
    let refund_no = |text: &str| {
        QueryRefund::new(RefundNo::new(text).unwrap())
            .encode(&account, &ambient)
            .map(drop)
    };
    refund_no(&"r".repeat(64)).unwrap();
    names(refund_no("r/1"), "out_refund_no");
}

#[test]
fn holds_the_notify_address_to_its_form() {
    let to = |text: &str| {
        let address = Address::parse("notify_url", text)?;
        place(|order| order.terms.notify_url = address)
    };
    let of_length = |length: usize| format!("https://a.example/{}", "n".repeat(length - 18));
    to(&of_length(255)).unwrap();
    to("http://127.0.0.1:8080/notify").unwrap();
    for bad in [
        &*of_length(256),
        "https://a.example/?a=1",
        "https://a.example/#top",
        "http://a.example/",
        "a.example/notify",
        "ftp://a.example/",
        "",
    ] {
        names(to(bad), "notify_url");
    }
    let back = |text: &str| {
        let address = Address::parse("notify_url", text).unwrap();
        give_back(|refund| refund.notify_url = Some(address))
    };
    back(&of_length(256)).unwrap();
    names(back(&of_length(257)), "notify_url");
    names(back("https://a.example/?a=1"), "notify_url");
}

/// What is refused here is what the platform would refuse: an order that expires before it can be paid. Its default is
/// the platform's business, and there is no upper bound.
#[test]
fn wants_an_expiry_at_least_a_minute_ahead() {
    let at = |seconds: i64| place(|order| order.terms.expires_at = Some(UnixTime::from_seconds(seconds)));
    at(NOW + 60).unwrap();
    at(NOW + 400 * 86_400).unwrap();
    at(253_402_271_999).unwrap();
    for bad in [NOW + 59, NOW, NOW - 1, i64::MIN, 253_402_272_000, i64::MAX] {
        names(at(bad), "time_expire");
    }
}

/// Repeating an order does not move its expiry, and an order whose expiry has come too near is not sent any more.
#[test]
fn never_moves_an_expiry_on_a_repeat() {
    let (account, ambient) = (account(), ambient());
    let mut order = order();
    order.terms.expires_at = Some(ambient.now().after(std::time::Duration::from_secs(120)));
    let first = order.encode(&account, &ambient).unwrap();
    ambient.advance(60);
    let second = order.encode(&account, &ambient).unwrap();
    assert_eq!(first.body(), second.body());
    ambient.advance(1);
    names(order.encode(&account, &ambient).map(drop), "time_expire");
}

#[test]
fn holds_amounts_to_at_least_one_fen() {
    assert!(PayAmount::from_fen(0).is_err());
    assert!(PayAmount::from_fen(-1).is_err());
    for (price, quantity, field) in [
        (-1, 1, "detail.goods_detail[].unit_price"),
        (i64::MAX, 2, "detail.goods_detail[].unit_price"),
        (1, 0, "detail.goods_detail[].quantity"),
    ] {
        let goods = OrderedGoods::new("g", quantity, Fen::new(price));
        names(place(|order| order.terms.detail = Some(detail(goods))), field);
    }
    names(
        place(|order| {
            let mut detail = OrderDetail::new();
            detail.cost_price = Some(Fen::new(-1));
            order.terms.detail = Some(detail);
        }),
        "detail.cost_price",
    );
    place(|order| {
        let mut detail = OrderDetail::new();
        detail.cost_price = Some(Fen::new(1_000_000));
        order.terms.detail = Some(detail);
    })
    .unwrap();
}

#[test]
fn refuses_goods_that_cost_more_than_the_order() {
    let priced = |prices: &[(u32, i64)]| {
        let mut detail = OrderDetail::new();
        for (quantity, price) in prices {
            detail.goods.push(OrderedGoods::new("g", *quantity, Fen::new(*price)));
        }
        place(|order| order.terms.detail = Some(detail))
    };
    priced(&[(2, 30), (1, 40)]).unwrap();
    names(priced(&[(2, 30), (1, 41)]), "detail.goods_detail[] and amount.total");
    names(priced(&[(1, i64::MAX), (1, 1)]), "detail.goods_detail[].unit_price");
}

#[test]
fn holds_the_list_of_goods_to_its_bytes() {
    let sized = |bytes: usize| {
        // As JSON, without names: 24 of these, the commas between them, and the brackets around.
        let bare = 24 * r#"{"merchant_goods_id":"g","quantity":1,"unit_price":1}"#.len() + 23 + 2;
        let mut list = vec![goods(); 24];
        let mut missing = bytes.checked_sub(bare).unwrap();
        for goods in &mut list {
            if missing > r#","goods_name":"""#.len() {
                let room = missing - r#","goods_name":"""#.len();
                let name = "n".repeat(room.min(256));
                missing = room - name.len();
                goods.name = Some(name);
            }
        }
        assert_eq!(missing, 0, "room for {bytes} bytes");
        let mut detail = OrderDetail::new();
        detail.goods = list;
        place(|order| order.terms.detail = Some(detail))
    };
    sized(6144).unwrap();
    names(sized(6145), "detail.goods_detail");
}

#[test]
fn goods_ids_are_letters_digits_and_two_signs() {
    for (id, good) in [("aZ09_-", true), ("a.b", false), ("汉", false)] {
        let placed = place(|order| order.terms.detail = Some(detail(OrderedGoods::new(id, 1, Fen::new(1)))));
        assert_eq!(placed.is_ok(), good, "{id}");
        let refunded = give_back(|refund| {
            refund.goods = vec![RefundedGoods::new(id, Fen::new(1), Fen::new(1), 1)];
        });
        assert_eq!(refunded.is_ok(), good, "{id}");
    }
}

#[test]
fn takes_both_kinds_of_address_for_the_payer() {
    for (ip, written) in [("203.0.113.7", "203.0.113.7"), ("2001:db8::1", "2001:db8::1")] {
        let mut order = order();
        order.scene = Some(Scene::new(ip.parse().unwrap()));
        let message = order.encode(&account(), &ambient()).unwrap();
        let body = std::str::from_utf8(message.body()).unwrap();
        assert!(body.contains(&format!(r#""payer_client_ip":"{written}""#)), "{body}");
    }
}

#[test]
fn holds_every_text_of_a_refund_to_its_length() {
    let table: &[(&str, usize, SetRefund)] = &[
        ("reason", 80, |refund, text| refund.reason = Some(text)),
        ("funds_account", 32, |refund, text| {
            refund.funds_account = Some(FundsAccount::from(&*text));
        }),
        ("goods_detail[].merchant_goods_id", 32, |refund, text| {
            refund.goods = vec![RefundedGoods::new(text, Fen::new(1), Fen::new(1), 1)];
        }),
        ("goods_detail[].wechatpay_goods_id", 32, |refund, text| {
            let mut goods = RefundedGoods::new("g", Fen::new(1), Fen::new(1), 1);
            goods.platform_goods_id = Some(text);
            refund.goods = vec![goods];
        }),
        ("goods_detail[].goods_name", 256, |refund, text| {
            let mut goods = RefundedGoods::new("g", Fen::new(1), Fen::new(1), 1);
            goods.name = Some(text);
            refund.goods = vec![goods];
        }),
    ];
    for (field, max, set) in table {
        give_back(|refund| set(refund, "x".repeat(*max))).unwrap_or_else(|error| panic!("{field}: {error}"));
        names(give_back(|refund| set(refund, "x".repeat(max + 1))), field);
        names(give_back(|refund| set(refund, String::new())), field);
    }
    for (number, good) in [("r", true), ("a_-|*@9", true), ("a.b", false), ("a/b", false)] {
        let changed = give_back(|refund| refund.refund_no = RefundNo::new(number).unwrap());
        assert_eq!(changed.is_ok(), good, "{number}");
    }
    assert!(RefundNo::new("r".repeat(64)).is_ok() && RefundNo::new("r".repeat(65)).is_err());
    names(
        give_back(|refund| refund.order = OrderRef::OrderNo(OrderNo::new("a.b").unwrap())),
        "out_trade_no",
    );
    names(
        give_back(|refund| refund.order = OrderRef::TransactionId(RemoteId::new("4".repeat(33)).unwrap())),
        "transaction_id",
    );
}

#[test]
fn refuses_refunds_that_do_not_add_up() {
    let fen = |fen| PayAmount::from_fen(fen).unwrap();
    give_back(|refund| refund.amount = fen(100)).unwrap();
    names(
        give_back(|refund| refund.amount = fen(101)),
        "amount.refund and amount.total",
    );
    let from = |sources: &[(FundsAccount, i64)]| {
        let sources = sources
            .iter()
            .map(|(account, amount)| RefundSource::new(account.clone(), fen(*amount)))
            .collect();
        give_back(|refund| refund.from = sources)
    };
    from(&[(FundsAccount::Available, 60)]).unwrap();
    from(&[(FundsAccount::Available, 59), (FundsAccount::Unavailable, 1)]).unwrap();
    for wrong in [59, 61] {
        names(
            from(&[(FundsAccount::Available, wrong)]),
            "amount.from[].amount and amount.refund",
        );
    }
    names(
        from(&[(FundsAccount::Available, 30), (FundsAccount::Available, 30)]),
        "amount.from[].account",
    );
    names(from(&[(FundsAccount::Basic, 60)]), "amount.from[].account");
    for (price, amount, quantity, field) in [
        (-1, 1, 1, "goods_detail[].unit_price"),
        (1, -1, 1, "goods_detail[].refund_amount"),
        (1, 1, 0, "goods_detail[].refund_quantity"),
    ] {
        let goods = RefundedGoods::new("g", Fen::new(price), Fen::new(amount), quantity);
        names(give_back(|refund| refund.goods = vec![goods]), field);
    }
}
