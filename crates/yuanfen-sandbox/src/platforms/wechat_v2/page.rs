//! What the payer's app does with the parameters that a page hands it (section 3.3 of the sheet), with a code that it scans
//! and with the address that a browser opens.

use yuanfen_core::{Fields, SignatureError, UnixTime, Verify as _, WireText as _};

use super::message::{Merchant, RULES, SignType, put};
use super::orders::{CODE_URL, H5_URL, prepay_lives};
use crate::platforms::{Desk, PageRefused};

/// `WeixinJSBridge`, `wx.chooseWXPay` and `wx.requestPayment` sign the same five names; the second is handed
/// `timestamp` for `timeStamp`, and the last two are not handed the app's id, which the running page has. The app is
/// the one under which the payer's openid was had: the merchant's or provider's, or the sub-merchant's.
pub(super) fn open_cashier(
    merchants: &[Merchant],
    parameters: &[(&str, &str)],
    desk: &mut Desk<'_>,
) -> Result<String, PageRefused> {
    let given = |name: &'static str| {
        let found = parameters.iter().find(|(candidate, _)| *candidate == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    };
    if let Some(code) = given("code_url") {
        let code = code.strip_prefix(CODE_URL).ok_or(PageRefused::Parameter("code_url"))?;
        return by_address("code", code, "NATIVE", merchants, desk).ok_or(PageRefused::Expired);
    }
    if let Some(address) = given("mweb_url") {
        let prepay_id = address.strip_prefix(H5_URL).and_then(|rest| rest.split_once('&'));
        let (prepay_id, _) = prepay_id.ok_or(PageRefused::Parameter("mweb_url"))?;
        return by_address("prepay_id", prepay_id, "MWEB", merchants, desk).ok_or(PageRefused::Expired);
    }
    let need = |name| given(name).ok_or(PageRefused::Parameter(name));
    let time = given("timeStamp").or_else(|| given("timestamp"));
    let time = time.ok_or(PageRefused::Parameter("timeStamp"))?;
    if time.len() != 10 || UnixTime::read(time).is_err() {
        return Err(PageRefused::Parameter("timeStamp"));
    }
    let package = need("package")?;
    let prepay_id = package
        .strip_prefix("prepay_id=")
        .ok_or(PageRefused::Parameter("package"))?;
    let sign_type = need("signType")?;
    let scheme = SignType::parse(Some(sign_type)).ok_or(PageRefused::Parameter("signType"))?;
    let (nonce, signature) = (need("nonceStr")?, need("paySign")?);
    let now = desk.now();
    let found = merchants.iter().find_map(|merchant| {
        let order = desk.book.by_detail(merchant.account, "prepay_id", prepay_id, now)?;
        Some((merchant, order.clone()))
    });
    // Nobody's prepay id: the first merchant's key still tells a wrong signature from an old page.
    let (merchant, order) = match found {
        Some((merchant, order)) => (Some(merchant), Some(order)),
        None => (merchants.first(), None),
    };
    let merchant = merchant.ok_or(PageRefused::NoCashier)?;
    let app_id = match &order {
        Some(order) if order.detail("sub_openid").is_some() => order.detail("sub_appid").unwrap_or_default(),
        _ => merchant.app_id,
    };
    if given("appId").is_some_and(|shown| shown != app_id) {
        return Err(PageRefused::Parameter("appId"));
    }
    let mut signed = Fields::new();
    put(&mut signed, "appId", app_id);
    put(&mut signed, "timeStamp", time);
    put(&mut signed, "nonceStr", nonce);
    put(&mut signed, "package", package);
    put(&mut signed, "signType", sign_type);
    let text = RULES.text(&signed, &merchant.key);
    merchant
        .signer(scheme)
        .verify(text.as_bytes(), signature)
        .map_err(|_: SignatureError| PageRefused::Signature)?;
    let order = order.filter(|order| prepay_lives(order, now));
    let order = order.ok_or(PageRefused::Expired)?;
    // The page repeats the order's type, or the cashier says the signature fails.
    if order.detail("sign_type") != Some(scheme.name()) {
        return Err(PageRefused::Signature);
    }
    Ok(order.order_no)
}

/// The order of a code that is scanned, or of an address that a browser opens; nothing signs either.
fn by_address(
    name: &'static str,
    value: &str,
    trade_type: &str,
    merchants: &[Merchant],
    desk: &mut Desk<'_>,
) -> Option<String> {
    let now = desk.now();
    let orders = merchants.iter().find_map(|merchant| {
        let order = desk.book.by_detail(merchant.account, name, value, now)?;
        let is_it = order.detail("trade_type") == Some(trade_type) && prepay_lives(order, now);
        Some(is_it.then(|| order.order_no.clone()))
    });
    orders.flatten()
}
