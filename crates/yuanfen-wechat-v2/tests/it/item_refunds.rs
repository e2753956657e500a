//! The two calls for refunds with discounts on single items: the same fields and rules on other paths.

use yuanfen_core::{Advice, BuildError, ClientAuth, Fate, OperationExt as _, RefundNo, Standing};
use yuanfen_wechat_v2::SignType;
use yuanfen_wechat_v2::ops::{QueryRefund, QueryRefundV2, RefundV2, routes};

use crate::far_side::{account, ambient, answer, changed, now, response, sent, signed, why, xml};
use crate::fields::refused;
use crate::refunds::{ACCEPTED, FOUND, REFUND_NO, order_key, refund};

const DETAIL: &str =
    r#"{"goods_detail":[{"goods_id":"商品编码","refund_amount":500,"refund_quantity":1,"price":500}]}"#;
const PROMOTION: &str =
    r#"{"promotion_detail":[{"promotion_id":"109519","scope":"SINGLE","type":"DISCOUNT","refund_amount":100}]}"#;

fn item_refund() -> RefundV2 {
    let mut refund = refund();
    refund.detail = Some(DETAIL.to_owned());
    RefundV2::from(refund)
}

fn query() -> QueryRefundV2 {
    QueryRefund::by_refund_no(RefundNo::new(REFUND_NO).unwrap()).into()
}

#[test]
fn sends_the_same_fields_to_other_paths() {
    let request = item_refund().request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/secapi/pay/refundv2");
    assert_eq!(request.extensions().get::<ClientAuth>(), Some(&ClientAuth::Required));
    let mut fields = sent(&request);
    assert_eq!(fields["detail"], DETAIL);
    let mut plain = sent(&item_refund().refund.request(&account(), &ambient()).unwrap());
    for volatile in ["nonce_str", "sign"] {
        fields.remove(volatile);
        plain.remove(volatile);
    }
    assert_eq!(fields, plain);

    let request = query().request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/pay/refundqueryv2");
    assert_eq!(request.extensions().get::<ClientAuth>(), None);
    assert_eq!(sent(&request)["out_refund_no"], REFUND_NO);

    let mut beyond = item_refund();
    beyond.refund.amount = yuanfen_core::PayAmount::from_fen(1201).unwrap();
    assert!(matches!(refused(&beyond), BuildError::Conflict { .. }));
    let paths: Vec<_> = routes()
        .into_iter()
        .filter(|info| info.route.operation.ends_with("_v2"))
        .map(|info| (info.route.path, info.route.effect.as_str()))
        .collect();
    assert_eq!(
        paths,
        [("/secapi/pay/refundv2", "query-first"), ("/pay/refundqueryv2", "read")]
    );
}

#[test]
fn tells_the_discounts_as_the_signed_text() {
    let answered = answer(&changed(ACCEPTED, &[("promotion_detail", Some(PROMOTION))]));
    let accepted = item_refund().reply(&account(), &answered, now()).unwrap();
    assert_eq!(accepted.promotion_detail.as_deref(), Some(PROMOTION));
    assert!(accepted.coupons.is_empty());

    let changes = [
        ("promotion_detail", Some(PROMOTION)),
        ("promotion_detail_0", Some("{}")),
        ("refund_status_0", Some("SUCCESS")),
    ];
    let queried = query()
        .reply(&account(), &answer(&changed(FOUND, &changes)), now())
        .unwrap();
    assert_eq!(queried.promotion_detail.as_deref(), Some(PROMOTION));
    assert_eq!(queried.refunds.first().unwrap().promotion_detail.as_deref(), Some("{}"));
    assert_eq!((queried.standing(), queried.extra.len()), (Standing::Succeeded, 0));
    let shown = format!("{accepted:?} {queried:?} {:?}", item_refund());
    assert!(!shown.contains("109519") && !shown.contains("商品"), "{shown}");
    assert!(shown.contains(REFUND_NO), "{shown}");
}

#[test]
fn takes_no_answer_about_another_refund_and_none_without_proof() {
    for (field, value) in [
        ("out_refund_no", "R2"),
        ("refund_fee", "501"),
        ("total_fee", "1"),
        ("mch_id", "1"),
    ] {
        let answered = answer(&changed(ACCEPTED, &[(field, Some(value))]));
        let error = item_refund().reply(&account(), &answered, now()).unwrap_err();
        assert_eq!((why(&error), error.fate()), (format!("foreign {field}"), Fate::Unknown));
        assert_eq!(error.advice(), Advice::QueryFirst);
    }
    let other = answer(&changed(FOUND, &[("out_refund_no_0", Some("R2"))]));
    let error = query().reply(&account(), &other, now()).unwrap_err();
    assert_eq!(why(&error), "foreign out_refund_no_$n");
    let mut forged = signed(&changed(ACCEPTED, &[]), SignType::Md5);
    forged.push(("promotion_detail".to_owned(), PROMOTION.to_owned()));
    let error = item_refund()
        .reply(&account(), &response(200, xml(&forged)), now())
        .unwrap_err();
    assert_eq!((&*why(&error), error.fate()), ("mismatch", Fate::Unknown));
}

#[test]
fn a_refused_item_refund_keeps_its_number_too() {
    let no = |code: &str| {
        let changes = [("result_code", Some("FAIL")), ("err_code", Some(code))];
        item_refund()
            .reply(&account(), &answer(&changed(ACCEPTED, &changes)), now())
            .unwrap_err()
    };
    for (code, fate, advice) in [
        ("SYSTEMERROR", Fate::Unknown, Advice::QueryFirst),
        ("FREQUENCY_LIMITED", Fate::Refused, Advice::RepeatLater),
        ("TRADE_OVERDUE", Fate::Refused, Advice::Stop),
        ("BRAND_NEW", Fate::Unknown, Advice::QueryFirst),
    ] {
        let error = no(code);
        assert_eq!((error.fate(), error.advice()), (fate, advice), "{code}");
    }
}

#[test]
fn pages_as_the_plain_query_does() {
    let first = QueryRefundV2::from(QueryRefund::by_order(order_key()));
    let page = changed(FOUND, &[("total_refund_count", Some("2"))]);
    let queried = first.reply(&account(), &answer(&page), now()).unwrap();
    let second = first.next_page(&queried).unwrap();
    assert_eq!(second.query.offset, Some(1));
    assert!(second.next_page(&queried).is_none());
    let request = second.request(&account(), &ambient()).unwrap();
    assert!(request.uri().path().ends_with("/refundqueryv2"));
    assert_eq!(sent(&request)["offset"], "1");
}

#[test]
fn tells_twelve_coupons_of_one_refund_apart_in_either_answer() {
    let more = |suffix: &str| -> Vec<(String, String)> {
        // 10 and 11 stand before 2 in byte order, and before their refund's sum.
        (0..12)
            .rev()
            .flat_map(|index| {
                [
                    (format!("coupon_refund_id{suffix}_{index}"), format!("C{index}")),
                    (format!("coupon_refund_fee{suffix}_{index}"), index.to_string()),
                    (format!("coupon_type{suffix}_{index}"), "CASH".to_owned()),
                ]
            })
            .collect()
    };
    let seen = |coupons: &[yuanfen_wechat_v2::ops::RefundedCoupon]| -> Vec<(u32, String, i64)> {
        let one = |coupon: &yuanfen_wechat_v2::ops::RefundedCoupon| {
            (coupon.index, coupon.id.clone().unwrap(), coupon.fee.unwrap().get())
        };
        coupons.iter().map(one).collect()
    };
    let expected: Vec<_> = (0..12)
        .map(|index| (index, format!("C{index}"), i64::from(index)))
        .collect();

    let mut pairs = changed(
        ACCEPTED,
        &[("coupon_refund_count", Some("12")), ("coupon_refund_fee", Some("66"))],
    );
    pairs.extend(more(""));
    let accepted = refund().reply(&account(), &answer(&pairs), now()).unwrap();
    assert_eq!(
        (seen(&accepted.coupons), accepted.coupon_count),
        (expected.clone(), Some(12))
    );
    assert_eq!(accepted.coupon_refund.unwrap().get(), 66, "the sum is no coupon");

    let mut pairs = changed(
        FOUND,
        &[
            ("coupon_refund_count_0", Some("12")),
            ("coupon_refund_fee_0", Some("66")),
        ],
    );
    pairs.extend(more("_0"));
    let queried = query().query.reply(&account(), &answer(&pairs), now()).unwrap();
    let [record] = &*queried.refunds else {
        panic!("{queried:?}")
    };
    assert_eq!((seen(&record.coupons), record.coupon_count), (expected, Some(12)));
    assert_eq!(record.coupon_refund.unwrap().get(), 66);
    // One of them taken out, and the signature does not hold.
    let mut pairs = signed(&pairs, SignType::Md5);
    pairs.retain(|(name, _)| name != "coupon_type_0_11");
    let error = query()
        .query
        .reply(&account(), &response(200, xml(&pairs)), now())
        .unwrap_err();
    assert_eq!(why(&error), "mismatch");
}
