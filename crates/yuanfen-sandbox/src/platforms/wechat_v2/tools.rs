//! Short links, and reports of how calls went (section 6.10 of the sheet).

use bytes::Bytes;
use http::Response;
use percent_encoding::percent_decode_str;
use yuanfen_core::Fields;

use super::checks::{lengths, need};
use super::message::{Caller, Refusal, put, respond, to_xml};
use crate::platforms::Desk;

/// The field that is signed raw and sent percent-encoded.
pub(super) const LONG_URL: &str = "long_url";

/// The message as it was signed: the link without its percent-encoding. A link that nobody encoded and that has no
/// escapes of its own is the same either way.
pub(super) fn with_raw_link(fields: &Fields) -> Fields {
    let mut raw = Fields::new();
    for (name, value) in fields.iter() {
        if name == LONG_URL {
            put(&mut raw, name, &percent_decode_str(value).decode_utf8_lossy());
        } else {
            put(&mut raw, name, value);
        }
    }
    raw
}

pub(super) fn shorten(fields: &Fields, caller: &Caller<'_>, desk: &Desk<'_>) -> Result<Fields, Refusal> {
    lengths(fields, &[(LONG_URL, 512)])?;
    if !need(fields, LONG_URL)?.starts_with("weixin://wxpay/") {
        return Err(Refusal::field(LONG_URL));
    }
    let mut reply = caller.reply(desk);
    let short = format!("weixin://wxpay/s/{}", desk.ambient.letters(7));
    put(&mut reply, "short_url", &short);
    Ok(reply)
}

/// One call's report has its own time and outcome; a till's has a batch of them in JSON.
pub(super) fn report(fields: &Fields) -> Result<Response<Bytes>, Refusal> {
    const TEXTS: &[(&str, usize)] = &[
        ("interface_url", 127),
        ("user_ip", 16),
        ("return_code", 16),
        ("return_msg", 128),
        ("result_code", 16),
        ("err_code", 32),
        ("err_code_des", 128),
        ("out_trade_no", 32),
        ("time", 14),
        ("trades", 1024),
    ];
    lengths(fields, TEXTS)?;
    need(fields, "interface_url")?;
    need(fields, "user_ip")?;
    if let Some(trades) = fields.filled("trades") {
        serde_json::from_str::<Vec<serde_json::Value>>(trades).map_err(|_| Refusal::field("trades"))?;
    } else {
        need(fields, "return_code")?;
        need(fields, "result_code")?;
        // The page and the wire spell it differently.
        let spelled = ["execute_time", "execute_time_"].into_iter();
        let time = spelled.filter_map(|name| fields.filled(name)).next();
        let time = time.ok_or_else(|| Refusal::lacks("execute_time"))?;
        time.parse::<u32>().map_err(|_| Refusal::field("execute_time"))?;
    }
    let mut reply = Fields::new();
    put(&mut reply, "return_code", "SUCCESS");
    put(&mut reply, "return_msg", "OK");
    put(&mut reply, "result_code", "SUCCESS");
    Ok(respond(to_xml(&reply)))
}
