//! What values look like, whichever call they are in (sections 4, 6 and 10 of the sheet).

use std::net::IpAddr;

use yuanfen_core::{Clock14, Fen, Fields, UnixTime, WireText as _};

use super::message::{Caller, Refusal};
use crate::keys;

/// Whether a call names the sub-merchant that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubMerchant {
    /// A service provider always does.
    Needed,
    /// A service provider may leave it out, and means all of them.
    Optional,
}

/// What every call has beside its signature: ids that belong together, and a nonce.
///
/// # Errors
/// When one of them is absent, empty or somebody else's.
pub(super) fn common(fields: &Fields, caller: &Caller<'_>, sub: SubMerchant) -> Result<(), Refusal> {
    let mismatch = || Refusal::new("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配");
    let app_id = fields.filled("appid").ok_or_else(|| Refusal::lacks("appid"))?;
    if app_id != caller.merchant.app_id {
        return Err(mismatch());
    }
    let nonce = fields.filled("nonce_str").ok_or_else(|| Refusal::lacks("nonce_str"))?;
    if nonce.chars().count() > 32 {
        return Err(Refusal::field("nonce_str"));
    }
    for name in ["sub_mch_id", "sub_appid", "sub_openid"] {
        if fields.get(name).is_some_and(str::is_empty) {
            return Err(Refusal::field(name));
        }
    }
    let (merchant_id, app_id) = (caller.sub.merchant_id.as_deref(), caller.sub.app_id.as_deref());
    if !caller.account().is_provider {
        // Somebody who is no provider has no sub-merchants.
        return match merchant_id.or(app_id).or(fields.filled("sub_openid")) {
            None => Ok(()),
            Some(_) => Err(Refusal::new("NOAUTH", "商户无此接口权限")),
        };
    }
    let known = keys::WECHAT_SUB_MERCHANTS;
    match merchant_id {
        None if sub == SubMerchant::Needed => Err(Refusal::lacks("sub_mch_id")),
        None => Ok(()),
        Some(merchant_id) => match known.iter().find(|(known, _)| *known == merchant_id) {
            None => Err(Refusal::new("MCHID_NOT_EXIST", "受理关系不存在")),
            Some((_, bound)) if app_id.is_some() && app_id != *bound => {
                Err(Refusal::new("APPID_MCHID_NOT_MATCH", "sub_mch_id与sub_appid不匹配"))
            }
            Some(_) => Ok(()),
        },
    }
}

/// The value of a field that must be there.
///
/// # Errors
/// When it is absent or empty.
pub(super) fn need<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, Refusal> {
    fields.filled(name).ok_or_else(|| Refusal::lacks(name))
}

/// No text is longer than its table says. The pages leave open whether bytes or characters count; here characters do.
///
/// # Errors
/// Names the first that is.
pub(super) fn lengths(fields: &Fields, table: &[(&str, usize)]) -> Result<(), Refusal> {
    for (name, most) in table {
        if fields.get(name).is_some_and(|value| value.chars().count() > *most) {
            return Err(Refusal::field(name));
        }
    }
    Ok(())
}

/// A number for a new order.
///
/// # Errors
/// When it is absent or has a character that no new number has.
pub(super) fn new_order_no(fields: &Fields) -> Result<&str, Refusal> {
    let order_no = need(fields, "out_trade_no")?;
    if !is_of(order_no, b"_-|*") {
        return Err(Refusal::field("out_trade_no"));
    }
    Ok(order_no)
}

/// Whether a text consists of digits, letters and these.
pub(super) fn is_of(text: &str, others: &[u8]) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    text.bytes().all(allowed)
}

/// A positive amount in fen.
///
/// # Errors
/// When it is absent, zero, negative, or no whole number.
pub(super) fn amount(fields: &Fields, name: &str) -> Result<Fen, Refusal> {
    Fen::from_fen_text(need(fields, name)?)
        .ok()
        .filter(|amount| *amount > Fen::ZERO)
        .ok_or_else(|| Refusal::field(name))
}

/// A field that has one of these values, or is not there.
///
/// # Errors
/// When it has another.
pub(super) fn one_of(fields: &Fields, name: &str, values: &[&str]) -> Result<(), Refusal> {
    match fields.filled(name) {
        Some(value) if !values.contains(&value) => Err(Refusal::field(name)),
        _ => Ok(()),
    }
}

/// Whose machine calls: an address of either version.
///
/// # Errors
/// When it is absent or no address.
pub(super) fn address(fields: &Fields, name: &str) -> Result<(), Refusal> {
    match need(fields, name)?.parse::<IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::field(name)),
    }
}

/// Where notices go: absolute, and without a query, which the platform does not call.
///
/// # Errors
/// When it is not.
pub(super) fn notify_url(url: &str) -> Result<(), Refusal> {
    let absolute = url.starts_with("https://") || url.starts_with("http://");
    if absolute && !url.contains(['?', '#']) {
        Ok(())
    } else {
        Err(Refusal::field("notify_url"))
    }
}

/// When an order ends; a shorter life than a minute is raised to one.
///
/// # Errors
/// When a time is not of its form, or the end is not after the start.
pub(super) fn expiry(fields: &Fields, now: UnixTime) -> Result<Option<UnixTime>, Refusal> {
    let moment = |name: &str| match fields.filled(name).map(Clock14::read) {
        None => Ok(None),
        Some(Ok(Clock14(moment))) => Ok(Some(moment)),
        Some(Err(_)) => Err(Refusal::field(name)),
    };
    let (start, end) = (moment("time_start")?, moment("time_expire")?);
    if start.is_some() && end.is_some() && end <= start {
        return Err(Refusal::field("time_expire"));
    }
    Ok(end.map(|end| end.max(later(now, 60))))
}

pub(super) const fn later(moment: UnixTime, seconds: i64) -> UnixTime {
    UnixTime::from_seconds(moment.seconds().saturating_add(seconds))
}

/// What a repeat must repeat: everything but the nonce, the signature and its type.
pub(super) fn fingerprint(fields: &Fields) -> String {
    let mut pairs: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(name, value)| !matches!(*name, "nonce_str" | "sign" | "sign_type") && !value.is_empty())
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}\0{value}\0")).collect()
}
