//! What shops are told: a payment, signed as its order was, and a refund's end, sealed and signed by nobody (section 8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, header};
use yuanfen_core::{Fields, WireText as _, nonce_text};
use yuanfen_sign::legacy::{aes_256_ecb_seal, md5_hex};
use yuanfen_xml::write;

use super::message::{Merchant, SignType, Sub, put, to_xml};
use super::orders::{Told, put_payment};
use super::refunds::{RECEIVER, UNSETTLED, status_of, succeeded_at};
use crate::bills::Shares;
use crate::deliver::Event;
use crate::platforms::Desk;

pub(super) fn payment(merchant: &Merchant, event: &Event, desk: &Desk<'_>) -> Option<Request<Bytes>> {
    let order = &event.order;
    let sign_type = SignType::parse(order.detail("sign_type"))?;
    let mut fields = Fields::new();
    merchant.put_ids(&mut fields, &Sub::of(order));
    if let Some(attach) = order.detail("attach") {
        put(&mut fields, "attach", attach);
    }
    put_payment(&mut fields, order, Told::of(order), desk);
    put(&mut fields, "nonce_str", &nonce_text(desk.ambient));
    put(&mut fields, "out_trade_no", &order.order_no);
    put(&mut fields, "result_code", "SUCCESS");
    put(&mut fields, "return_code", "SUCCESS");
    if sign_type == SignType::HmacSha256 {
        put(&mut fields, "sign_type", sign_type.name());
    }
    post(event, merchant.seal(fields, sign_type, desk))
}

/// The refund's end, sealed under the API key of whoever asked for the refund and signed by nobody.
pub(super) fn refund(merchant: &Merchant, event: &Event, refund_no: &str, desk: &Desk<'_>) -> Option<Request<Bytes>> {
    let order = &event.order;
    let (refund, payment) = (order.refund(refund_no)?, order.payment.as_ref()?);
    let shares = Shares::of(order, payment, Some(refund));
    let account = refund.detail("refund_account").unwrap_or(UNSETTLED);
    let whole = Shares::of(order, payment, None);
    let mut told = Fields::new();
    put(&mut told, "out_refund_no", &refund.refund_no);
    put(&mut told, "out_trade_no", &order.order_no);
    put(&mut told, "refund_account", account);
    put(&mut told, "refund_fee", &refund.amount.to_text());
    put(&mut told, "refund_id", &refund.refund_id);
    put(&mut told, "refund_recv_accout", RECEIVER);
    put(&mut told, "refund_request_source", "API");
    put(&mut told, "refund_status", status_of(refund));
    put(&mut told, "settlement_refund_fee", &shares.settled.to_text());
    put(&mut told, "settlement_total_fee", &whole.settled.to_text());
    if let Some(at) = succeeded_at(refund) {
        put(&mut told, "success_time", &at);
    }
    put(&mut told, "total_fee", &order.amount.to_text());
    put(&mut told, "transaction_id", &payment.transaction_id);
    let plaintext = write("root", &told).ok()?;
    // The digest's 32 lower-case hex characters are the key's 32 bytes.
    let hex = md5_hex(merchant.api_key.expose().as_bytes());
    let key: &[u8; 32] = hex.as_bytes().try_into().ok()?;
    let sealed = STANDARD.encode(aes_256_ecb_seal(key, plaintext.as_ref()));
    let mut fields = Fields::new();
    put(&mut fields, "return_code", "SUCCESS");
    merchant.put_ids(&mut fields, &Sub::of(order));
    put(&mut fields, "nonce_str", &nonce_text(desk.ambient));
    put(&mut fields, "req_info", &sealed);
    post(event, to_xml(&fields))
}

fn post(event: &Event, body: Bytes) -> Option<Request<Bytes>> {
    Request::post(event.url.as_str())
        .header(header::CONTENT_TYPE, "text/xml")
        .header(header::USER_AGENT, "Mozilla/4.0")
        .body(body)
        .ok()
}
