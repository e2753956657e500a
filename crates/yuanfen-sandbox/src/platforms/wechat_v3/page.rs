//! What a page, a mini program, a mobile app, a QR code or a browser hands to the payer's WeChat (section 22 of the sheet).

use yuanfen_core::{UnixTime, Verify as _, WireText as _};
use yuanfen_sign::line_text;

use super::caller::Merchant;
use super::placing::{CODE_URL, H5_URL, Product, lives};
use crate::book::Order;
use crate::platforms::{Desk, PageRefused};

/// Checks the parameters, and names the order.
pub(super) fn open(
    parameters: &[(&str, &str)],
    merchants: &[Merchant],
    desk: &mut Desk<'_>,
) -> Result<String, PageRefused> {
    let given = |name: &'static str| {
        let found = parameters.iter().find(|(candidate, _)| *candidate == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    };
    if let Some(code) = given("code_url") {
        let prepay_id = code.strip_prefix(CODE_URL);
        let prepay_id = prepay_id.ok_or(PageRefused::Parameter("code_url"))?;
        return by_address(prepay_id, Product::Native, merchants, desk).ok_or(PageRefused::Expired);
    }
    if let Some(address) = given("h5_url") {
        let prepay_id = address.strip_prefix(H5_URL).and_then(|rest| rest.split_once('&'));
        let (prepay_id, _) = prepay_id.ok_or(PageRefused::Parameter("h5_url"))?;
        return by_address(prepay_id, Product::H5, merchants, desk).ok_or(PageRefused::Expired);
    }
    let need = |name| given(name).ok_or(PageRefused::Parameter(name));
    // A mobile app spells everything in small letters, names the merchant, and signs the bare prepay id.
    let is_mobile = given("partnerid").is_some();
    let (time, nonce, line, prepay_id, signature) = if is_mobile {
        if need("package")? != "Sign=WXPay" {
            return Err(PageRefused::Parameter("package"));
        }
        let prepay_id = need("prepayid")?;
        (
            need_time("timestamp", &need)?,
            need("noncestr")?,
            prepay_id,
            prepay_id,
            need("sign")?,
        )
    } else {
        let time = need_time("timeStamp", &need)?;
        let package = need("package")?;
        let prepay_id = package
            .strip_prefix("prepay_id=")
            .ok_or(PageRefused::Parameter("package"))?;
        if need("signType")? != "RSA" {
            return Err(PageRefused::Parameter("signType"));
        }
        (time, need("nonceStr")?, package, prepay_id, need("paySign")?)
    };
    let now = desk.now();
    let found = merchants.iter().find_map(|merchant| {
        let order = desk.book.by_detail(merchant.account, "prepay_id", prepay_id, now)?;
        Some((merchant, order.clone()))
    });
    let (merchant, order) = match found {
        Some((merchant, order)) => (merchant, Some(order)),
        None => (merchants.first().ok_or(PageRefused::NoCashier)?, None),
    };
    let apps = apps_of(merchant, order.as_ref());
    let name = if is_mobile { "appid" } else { "appId" };
    // Where no app is named it is the running mini program's, which is one of those that the order allows.
    let tried: Vec<&str> = match given(name) {
        Some(app) if apps.contains(&app) => vec![app],
        Some(_) => return Err(PageRefused::Parameter(name)),
        None if is_mobile => return Err(PageRefused::Parameter(name)),
        None => apps,
    };
    if is_mobile && given("partnerid") != Some(merchant.id) {
        return Err(PageRefused::Parameter("partnerid"));
    }
    let holds = tried.iter().any(|app| {
        merchant
            .key
            .verify(&page_text(app, time, nonce, line), signature)
            .is_ok()
    });
    if !holds {
        return Err(PageRefused::Signature);
    }
    // An order for a mobile app does not open in a page, nor the other way round.
    let scene = if is_mobile { Product::App } else { Product::Jsapi };
    if order
        .as_ref()
        .is_some_and(|order| order.detail("trade_type") != Some(scene.trade_type()))
    {
        return Err(PageRefused::Parameter(if is_mobile { "prepayid" } else { "package" }));
    }
    order
        .filter(|order| lives(order, scene, now))
        .map(|order| order.order_no)
        .ok_or(PageRefused::Expired)
}

/// The order of a code that is scanned, or of an address that a browser opens; nothing signs either.
fn by_address(prepay_id: &str, product: Product, merchants: &[Merchant], desk: &mut Desk<'_>) -> Option<String> {
    let now = desk.now();
    let orders = merchants.iter().find_map(|merchant| {
        let order = desk.book.by_detail(merchant.account, "prepay_id", prepay_id, now)?;
        let is_it = order.detail("trade_type") == Some(product.trade_type()) && lives(order, product, now);
        Some(is_it.then(|| order.order_no.clone()))
    });
    orders.flatten()
}

fn need_time<'a>(
    name: &'static str,
    need: &dyn Fn(&'static str) -> Result<&'a str, PageRefused>,
) -> Result<&'a str, PageRefused> {
    let time = need(name)?;
    if time.len() == 10 && UnixTime::read(time).is_ok() {
        Ok(time)
    } else {
        Err(PageRefused::Parameter(name))
    }
}

/// The apps in which the cashier of an order may run. A payer that is named under one app pays in that one.
fn apps_of<'a>(merchant: &'a Merchant, order: Option<&'a Order>) -> Vec<&'a str> {
    let sub = order.and_then(|order| order.detail("sub_appid"));
    let by_sub_openid = order.is_some_and(|order| order.detail("sub_openid").is_some());
    let by_openid = order.is_some_and(|order| order.payer.is_some());
    match sub {
        Some(sub) if by_sub_openid => vec![sub],
        Some(sub) if !by_openid => vec![merchant.app_id, sub],
        _ => vec![merchant.app_id],
    }
}

/// What a page's signature is over (section 22 of the sheet).
pub(super) fn page_text(app_id: &str, time: &str, nonce: &str, package: &str) -> Vec<u8> {
    line_text(&[app_id.as_bytes(), time.as_bytes(), nonce.as_bytes(), package.as_bytes()])
}
