//! A refund that the payer's account did not take, sent on to another one (section 17.4 of the sheet).

use serde_json::Value;
use yuanfen_core::Ambient;
use yuanfen_sign::RsaSigningKey;

use super::caller::{Merchant, SUB_NUMBER};
use super::schema::{Kind, Member, maybe, need, read, wrong};
use super::{Answer, Refusal, refunds};
use crate::book::BookError;
use crate::platforms::{Call, Desk};

const BODY: &[Member] = &[
    need("out_refund_no", Kind::Text(1, 64)),
    need("type", Kind::Text(1, 32)),
    maybe("bank_type", Kind::Text(1, 16)),
    maybe("bank_account", Kind::Text(1, 1024)),
    maybe("real_name", Kind::Text(1, 1024)),
];

/// `key` is the one that the call names as the one it encrypted under, if the platform has such a key.
pub(super) fn send_on(
    refund_id: &str,
    merchant: &Merchant,
    key: Option<&RsaSigningKey>,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    let body = read(call.body, &[merchant.shaped(&[], SUB_NUMBER), BODY])?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let party = refunds::sub_merchant(merchant, text("sub_mchid"))?;
    match text("type") {
        Some("MERCHANT_BANK_CARD") => {}
        Some("USER_BANK_CARD") => {
            if text("bank_type").is_none() {
                return Err(wrong("/bank_type", "缺少必填参数"));
            }
            for name in ["bank_account", "real_name"] {
                let pointer = format!("/{name}");
                let ciphertext = text(name).ok_or_else(|| wrong(&pointer, "缺少必填参数"))?;
                opens(ciphertext, key, desk.ambient)?;
            }
        }
        _ => return Err(wrong("/type", "取值不在枚举中")),
    }
    let refund_no = text("out_refund_no").unwrap_or_default();
    let known = desk.book.by_refund(merchant.account, refund_no);
    let (order, _) = known
        .filter(|(_, refund)| refund.refund_id == refund_id)
        .ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
    party.must_own(order)?;
    match desk.book.send_refund_on(merchant.account, refund_no) {
        Ok(()) => refunds::answer(merchant, desk, refund_no),
        Err(BookError::Settled) => Err(Refusal::new(400, "INVALID_REQUEST", "退款单状态不允许发起异常退款")),
        Err(_) => Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在")),
    }
}

fn opens(ciphertext: &str, key: Option<&RsaSigningKey>, ambient: &dyn Ambient) -> Result<(), Refusal> {
    let opened = key.and_then(|key| key.decrypt_oaep_sha1(ciphertext, ambient).ok());
    if opened.is_some_and(|text| !text.is_empty() && str::from_utf8(&text).is_ok()) {
        Ok(())
    } else {
        Err(Refusal::new(
            400,
            "PARAM_ERROR",
            "敏感信息解密失败,请检查Http头Wechatpay-Serial与加密所用的证书或公钥是否一致",
        ))
    }
}
