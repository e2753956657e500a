//! Forged notices for your own tests: valid in every respect, from nobody.

use bytes::Bytes;
use yuanfen_core::{Ambient, BuildError, Fields, Sign as _, nonce_text};

use crate::Account;
use crate::sign::RULES;

/// A payment notice that this account accepts, as the raw request that would arrive at the notify address.
///
/// `fields` are the business fields (`out_trade_no`, `total_fee`, …); what every notice has is added: codes, ids
/// (those of the account's sub-merchant among them), nonce, signature.
///
/// # Errors
/// When a field stands twice or holds what XML cannot carry.
pub fn forge_notice(
    account: &Account,
    fields: &[(&str, &str)],
    ambient: &dyn Ambient,
) -> Result<http::Request<Bytes>, BuildError> {
    let nonce = nonce_text(ambient);
    let mut message = Fields::new();
    let mut common = vec![
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", account.app_id()),
        ("mch_id", account.merchant_id()),
        ("nonce_str", &*nonce),
    ];
    if let Some(sub_merchant) = account.sub_merchant() {
        common.push(("sub_mch_id", sub_merchant.merchant_id()));
        common.extend(sub_merchant.app_id().map(|app_id| ("sub_appid", app_id)));
    }
    for (name, value) in common.iter().chain(fields) {
        message.push(name, value).map_err(BuildError::encode)?;
    }
    let signer = account.signer_of(account.sign_type());
    let signature = signer.sign(RULES.text(&message, signer.key()).as_bytes(), ambient)?;
    message.push("sign", &signature).map_err(BuildError::encode)?;
    let body = yuanfen_xml::write("xml", &message).map_err(BuildError::encode)?;
    let mut request = http::Request::new(Bytes::from(body));
    *request.method_mut() = http::Method::POST;
    Ok(request)
}
