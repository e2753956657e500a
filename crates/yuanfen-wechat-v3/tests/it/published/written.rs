//! What was read, written down by the names of the wire, so that it can be held against what came.

use yuanfen_core::{Extra, UnixTime};
use yuanfen_testkit::{Value, json};
use yuanfen_wechat_v3::{
    CombinedTransaction, EncryptedBill, Promotion, RefundRecord, RefundedPromotion, RequestedBill, SubTransaction,
    Transaction,
};

/// Without the members that the answer did not have.
fn present(value: Value) -> Value {
    let is_there = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(object) => {
            let members = object.into_iter().map(|(name, value)| (name, present(value)));
            Value::Object(members.filter(|(_, value)| is_there(value)).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(present).collect()),
        other => other,
    }
}

fn seconds(time: Option<UnixTime>) -> Option<i64> {
    time.map(UnixTime::seconds)
}

/// The members that are typed are all that came.
pub(super) fn whole(written: Value, extra: &Extra) -> Value {
    assert!(extra.is_empty(), "{extra:?} is not typed");
    present(written)
}

pub(super) fn transaction(order: &Transaction) -> Value {
    let mut written = json!({
        "out_trade_no": order.order_no,
        "transaction_id": order.transaction_id,
        "trade_type": order.trade_type,
        "trade_state": order.trade_state,
        "trade_state_desc": order.trade_state_text,
        "bank_type": order.bank_type,
        "attach": order.attach,
        "success_time": seconds(order.success_time),
        "amount": {
            "total": order.total,
            "payer_total": order.payer_total,
            "currency": order.currency,
            "payer_currency": order.payer_currency,
        },
        "scene_info": { "device_id": order.device_id },
        "promotion_detail": promotions(&order.promotions),
    });
    let of_form = match &order.sub_merchant {
        None => json!({
            "appid": order.app_id,
            "mchid": order.merchant_id,
            "payer": { "openid": order.payer },
        }),
        Some(sub) => json!({
            "sp_appid": order.app_id,
            "sp_mchid": order.merchant_id,
            "sub_appid": sub.app_id,
            "sub_mchid": sub.merchant_id,
            "payer": { "sp_openid": order.payer, "sub_openid": order.sub_payer },
        }),
    };
    let members = written.as_object_mut().unwrap();
    members.extend(of_form.as_object().unwrap().clone());
    whole(written, &order.extra)
}

fn promotions(promotions: &[Promotion]) -> Vec<Value> {
    let goods = |promotion: &Promotion| -> Vec<Value> {
        let goods = promotion.goods.iter().map(|goods| {
            json!({
                "goods_id": goods.goods_id,
                "quantity": goods.quantity,
                "unit_price": goods.unit_price,
                "discount_amount": goods.discount,
                "goods_remark": goods.remark,
            })
        });
        goods.collect()
    };
    let one = |promotion: &Promotion| {
        json!({
            "coupon_id": promotion.coupon_id,
            "name": promotion.name,
            "scope": promotion.scope,
            "type": promotion.kind,
            "amount": promotion.amount,
            "stock_id": promotion.stock_id,
            "wechatpay_contribute": promotion.paid_by_platform,
            "merchant_contribute": promotion.paid_by_merchant,
            "other_contribute": promotion.paid_by_others,
            "currency": promotion.currency,
            "goods_detail": goods(promotion),
        })
    };
    promotions.iter().map(one).collect()
}

pub(super) fn combined(order: &CombinedTransaction) -> Value {
    let part = |part: &SubTransaction| {
        let written = json!({
            "mchid": part.merchant_id,
            "sub_mchid": part.sub_merchant.as_ref().map(|sub| &sub.merchant_id),
            "sub_appid": part.sub_merchant.as_ref().and_then(|sub| sub.app_id.as_ref()),
            "sub_openid": part.sub_payer,
            "out_trade_no": part.order_no,
            "transaction_id": part.transaction_id,
            "trade_type": part.trade_type,
            "trade_state": part.trade_state,
            "bank_type": part.bank_type,
            "attach": part.attach,
            "success_time": seconds(part.success_time),
            "amount": {
                "total_amount": part.total,
                "payer_amount": part.payer_total,
                "currency": part.currency,
                "payer_currency": part.payer_currency,
                "settlement_rate": part.settlement_rate,
            },
            "promotion_detail": promotions(&part.promotions),
        });
        whole(written, &part.extra)
    };
    let written = json!({
        "combine_appid": order.app_id,
        "combine_mchid": order.merchant_id,
        "combine_out_trade_no": order.order_no,
        "combine_payer_info": { "openid": order.payer },
        "scene_info": { "device_id": order.device_id },
        "sub_orders": order.sub_orders.iter().map(part).collect::<Vec<_>>(),
    });
    whole(written, &order.extra)
}

pub(super) fn refund_record(refund: &RefundRecord) -> Value {
    let amount = &refund.amount;
    let from = amount.from.iter();
    let written = json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.refund_no,
        "transaction_id": refund.transaction_id,
        "out_trade_no": refund.order_no,
        "status": refund.status,
        "channel": refund.channel,
        "user_received_account": refund.received_by,
        "success_time": seconds(refund.success_time),
        "create_time": seconds(refund.create_time),
        "funds_account": refund.funds_account,
        "amount": {
            "total": amount.total,
            "refund": amount.refund,
            "payer_total": amount.payer_total,
            "payer_refund": amount.payer_refund,
            "settlement_refund": amount.settlement_refund,
            "settlement_total": amount.settlement_total,
            "discount_refund": amount.discount_refund,
            "refund_fee": amount.returned_fee,
            "currency": amount.currency,
            "from": from.map(|from| json!({ "account": from.account, "amount": from.amount })).collect::<Vec<_>>(),
        },
        "promotion_detail": refund.promotions.iter().map(refunded_promotion).collect::<Vec<_>>(),
    });
    whole(written, &refund.extra)
}

fn refunded_promotion(promotion: &RefundedPromotion) -> Value {
    let goods = promotion.goods.iter().map(|goods| {
        json!({
            "merchant_goods_id": goods.goods_id,
            "wechatpay_goods_id": goods.platform_goods_id,
            "goods_name": goods.name,
            "unit_price": goods.unit_price,
            "refund_amount": goods.refund,
            "refund_quantity": goods.refund_quantity,
        })
    });
    json!({
        "promotion_id": promotion.promotion_id,
        "scope": promotion.scope,
        "type": promotion.kind,
        "amount": promotion.amount,
        "refund_amount": promotion.refund,
        "goods_detail": goods.collect::<Vec<_>>(),
    })
}

pub(super) fn bill(bill: &RequestedBill) -> Value {
    let written = json!({ "hash_value": bill.sha1, "download_url": bill.download_url() });
    whole(written, &bill.extra)
}

pub(super) fn encrypted_bill(bill: &EncryptedBill) -> Value {
    let parts = bill.parts.iter().map(|part| {
        json!({
            "bill_sequence": part.sequence,
            "hash_value": part.sha1,
            "nonce": part.nonce,
            "download_url": part.download_url(),
            "encrypt_key": part.sealed_key().as_str(),
        })
    });
    let written = json!({ "download_bill_list": parts.collect::<Vec<_>>() });
    whole(written, &bill.extra)
}
