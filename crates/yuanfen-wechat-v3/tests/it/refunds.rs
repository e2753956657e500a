//! Refunds of a provider's merchants, refunds that went wrong, and what the platform says of a refund.

use bytes::Bytes;
use http::{Method, Request, Response};
use yuanfen_core::{BuildError, Error, Fate, Fen, Operation, OperationExt as _, RefundNo, RemoteId, Standing};
use yuanfen_wechat_v3::ops::{ApplyAbnormalRefund, PayerCard, QueryRefund};
use yuanfen_wechat_v3::{Account, FundsAccount, PromotionScope, RefundChannel, RefundStatus, Sensitive};

use crate::far_side::{account, ambient, now, partner, provider, reply, wrong_field};
use crate::requests::{is_signed_over_what_is_sent, refund, target};
use crate::sensitive::to_card;

const REFUND_ID: &str = "50000000382019052709732678859";
const RECORD: &str = concat!(
    r#"{"refund_id":"50000000382019052709732678859","out_refund_no":"R1","transaction_id":"1217752501201407033233368018","#,
    r#""out_trade_no":"1217752501201407033233368018","channel":"OTHER_BANKCARD","user_received_account":"招商银行信用卡0403","#,
    r#""create_time":"2020-12-01T16:18:12+08:00","status":"PROCESSING","funds_account":"UNSETTLED","#,
    r#""amount":{"total":100,"refund":60,"from":[{"account":"AVAILABLE","amount":20},{"account":"UNAVAILABLE","amount":40}],"#,
    r#""payer_total":90,"payer_refund":54,"settlement_refund":60,"settlement_total":100,"discount_refund":6,"#,
    r#""currency":"CNY","refund_fee":1},"promotion_detail":[{"promotion_id":"109519","scope":"SINGLE","type":"NOCASH","#,
    r#""amount":5,"refund_amount":3,"goods_detail":[{"merchant_goods_id":"1217752501201407033233368018","#,
    r#""wechatpay_goods_id":"1001","goods_name":"iPhone6s 16G","unit_price":528800,"refund_amount":528800,"#,
    r#""refund_quantity":1}]}]}"#,
);

fn to_merchant() -> ApplyAbnormalRefund {
    ApplyAbnormalRefund::to_merchant(RemoteId::new(REFUND_ID).unwrap(), RefundNo::new("R1").unwrap())
}

fn sent(account: &Account, operation: &impl Operation<Provider = Account>) -> Request<Bytes> {
    operation.request(account, &ambient()).unwrap()
}

fn body(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

fn ask<O: Operation<Provider = Account>>(operation: &O, response: &Response<Bytes>) -> Result<O::Reply, Error> {
    operation.reply(&account(), response, now())
}

#[test]
fn a_provider_refunds_for_a_merchant_and_names_it_in_the_body() {
    let request = sent(&partner(), &refund());
    assert_eq!(target(&request), "/v3/refund/domestic/refunds");
    assert_eq!(
        body(&request),
        concat!(
            r#"{"sub_mchid":"1900000109","out_trade_no":"1217752501201407033233368018","out_refund_no":"R1","#,
            r#""amount":{"refund":60,"total":100,"currency":"CNY"}}"#
        )
    );
    is_signed_over_what_is_sent(&request);
    assert!(
        !body(&sent(&account(), &refund())).contains("mchid"),
        "and a merchant none"
    );
}

#[test]
fn a_provider_asks_about_a_refund_with_the_merchant_in_the_address() {
    let query = QueryRefund::new(RefundNo::new("R|*@").unwrap());
    let request = sent(&partner(), &query);
    assert_eq!(
        target(&request),
        "/v3/refund/domestic/refunds/R%7C%2A%40?sub_mchid=1900000109"
    );
    is_signed_over_what_is_sent(&request);
    assert_eq!(
        target(&sent(&account(), &query)),
        "/v3/refund/domestic/refunds/R%7C%2A%40"
    );
}

/// A refund answer names no merchant, so both forms are read alike; what it is about is held to what was asked.
#[test]
fn a_providers_answers_are_read_like_a_merchants() {
    for account in [account(), partner()] {
        let record = to_card().reply(&account, &reply(200, RECORD), now()).unwrap();
        assert_eq!(record.refund_id.as_str(), REFUND_ID);
        let record = refund().reply(&account, &reply(200, RECORD), now()).unwrap();
        assert_eq!(record.standing(), Standing::Accepted);
    }
}

#[test]
fn an_abnormal_refund_goes_to_the_merchants_card_without_any_secret() {
    let request = sent(&account(), &to_merchant());
    assert_eq!(request.method(), Method::POST);
    assert_eq!(
        target(&request),
        "/v3/refund/domestic/refunds/50000000382019052709732678859/apply-abnormal-refund"
    );
    assert_eq!(body(&request), r#"{"out_refund_no":"R1","type":"MERCHANT_BANK_CARD"}"#);
    assert!(!request.headers().contains_key("wechatpay-serial"));
    is_signed_over_what_is_sent(&request);
    assert_eq!(
        body(&sent(&partner(), &to_merchant())),
        r#"{"sub_mchid":"1900000109","out_refund_no":"R1","type":"MERCHANT_BANK_CARD"}"#
    );
}

#[test]
fn an_abnormal_refund_goes_to_a_card_of_the_payer() {
    for (account, sub_merchant) in [(account(), None), (partner(), Some("1900000109"))] {
        let request = sent(&account, &to_card());
        let members: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(members["sub_mchid"].as_str(), sub_merchant);
        assert_eq!(members["type"], "USER_BANK_CARD");
        assert_eq!(members["bank_type"], "CMB_DEBIT");
        let count = members.as_object().unwrap().len();
        assert_eq!(count, if sub_merchant.is_some() { 6 } else { 5 });
        for encrypted in ["bank_account", "real_name"] {
            // 256 bytes in base64.
            assert_eq!(members[encrypted].as_str().unwrap().len(), 344);
        }
    }
    let refused = to_card().encode(&provider(), &ambient()).unwrap_err();
    assert!(
        matches!(refused, BuildError::Setup { .. }),
        "which merchant? {refused:?}"
    );
}

#[test]
fn an_abnormal_refund_is_held_to_the_rules_of_its_fields() {
    let field = |operation: &ApplyAbnormalRefund| {
        let refused = operation.encode(&account(), &ambient()).unwrap_err();
        refused.field().unwrap()
    };
    let mut long_id = to_merchant();
    long_id.refund_id = RemoteId::new("5".repeat(33)).unwrap();
    assert_eq!(field(&long_id), "refund_id");
    let mut other_number = to_merchant();
    other_number.refund_no = RefundNo::new("R#1").unwrap();
    assert_eq!(field(&other_number), "out_refund_no");
    for bank in ["", "CMB DEBIT", &"A".repeat(17)] {
        let secret = || Sensitive::new("x".to_owned());
        let card = PayerCard::new(bank, secret(), secret());
        let id = RemoteId::new(REFUND_ID).unwrap();
        let operation = ApplyAbnormalRefund::to_payer(id, RefundNo::new("R1").unwrap(), card);
        assert_eq!(field(&operation), "bank_type", "{bank}");
    }
}

#[test]
fn reads_every_member_of_a_refund() {
    let record = ask(&to_card(), &reply(200, RECORD)).unwrap();
    assert_eq!(record.status, RefundStatus::Processing);
    assert_eq!(record.channel, Some(RefundChannel::OtherBankCard));
    assert_eq!(record.funds_account, Some(FundsAccount::Unsettled));
    assert_eq!(record.success_time, None);
    let amount = &record.amount;
    let fen = |fen| Some(Fen::new(fen));
    assert_eq!((amount.total, amount.refund), (Fen::new(100), Fen::new(60)));
    assert_eq!((amount.payer_total, amount.payer_refund), (fen(90), fen(54)));
    assert_eq!((amount.settlement_refund, amount.settlement_total), (fen(60), fen(100)));
    assert_eq!((amount.discount_refund, amount.returned_fee), (fen(6), fen(1)));
    let from: Vec<_> = amount.from.iter().map(|from| (&from.account, from.amount)).collect();
    assert_eq!(
        from,
        [
            (&FundsAccount::Available, Fen::new(20)),
            (&FundsAccount::Unavailable, Fen::new(40))
        ]
    );
    let [promotion] = &*record.promotions else {
        panic!("{record:?}")
    };
    assert_eq!(promotion.scope, Some(PromotionScope::Single));
    assert_eq!((promotion.amount, promotion.refund), (fen(5), fen(3)));
    let [goods] = &*promotion.goods else {
        panic!("{promotion:?}")
    };
    assert_eq!(goods.goods_id.as_deref(), Some("1217752501201407033233368018"));
    assert_eq!(goods.platform_goods_id.as_deref(), Some("1001"));
    assert_eq!(goods.name.as_deref(), Some("iPhone6s 16G"));
    assert_eq!((goods.unit_price, goods.refund), (fen(528_800), fen(528_800)));
    assert_eq!(goods.refund_quantity, Some(1));
    assert!(record.extra.is_empty());
}

/// It is about one refund; an answer about another says nothing of it.
#[test]
fn refuses_an_answer_about_another_refund() {
    for (from, to, field) in [
        (r#""refund_id":"5"#, r#""refund_id":"6"#, "refund_id"),
        (r#""out_refund_no":"R1""#, r#""out_refund_no":"R2""#, "out_refund_no"),
    ] {
        let answer = RECORD.replacen(from, to, 1);
        assert_ne!(answer, RECORD);
        let error = ask(&to_merchant(), &reply(200, &answer)).unwrap_err();
        assert_eq!(error.fate(), Fate::Unknown);
        let yuanfen_core::ErrorKind::Protocol(error) = error.kind() else {
            panic!("{error:?}")
        };
        let error = yuanfen_core::ProtocolError::new(error.kind.clone()).into();
        assert_eq!(wrong_field(&error), field);
    }
}
