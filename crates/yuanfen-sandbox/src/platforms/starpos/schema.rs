//! Which fields a call has, and what each may hold (sections 5.1 and 6 of the sheet).

use yuanfen_core::{Clock14, Fen, Fields, WireText as _};

use super::Refusal;

/// One row of a request's table.
pub(super) struct Row {
    name: &'static str,
    required: bool,
    most: usize,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Alphanumeric,
    /// Letters, digits, `-` and `_`.
    Number,
    /// Integer fen, at least one.
    Amount,
    /// `yyyyMMddHHmmss`.
    Time,
    OneOf(&'static [&'static str]),
    /// A text that only version `V1.0.1` takes.
    LaterText,
}

const fn row(name: &'static str, required: bool, most: usize, form: Form) -> Row {
    Row {
        name,
        required,
        most,
        form,
    }
}

const SIGN_TYPE: &[&str] = &["MD5"];
const LATER: &str = "V1.0.1";
const VERSIONS: &[&str] = &["V1.0.0", LATER];

/// Sheet, section 6.1.
pub(super) const PUB_SIG_QRY: &[Row] = &[
    row("orgNo", true, 15, Form::Text),
    row("mercId", true, 15, Form::Text),
    row("trmNo", true, 8, Form::Alphanumeric),
    row("txnTime", true, 14, Form::Time),
    row("signType", true, 6, Form::OneOf(SIGN_TYPE)),
    row("version", true, 10, Form::OneOf(VERSIONS)),
    row("attach", false, 256, Form::LaterText),
];

/// Sheet, section 6.2. The 13 characters that the table gives a code are wrong; 64 are accepted.
pub(super) const PUB_SIG_PAY: &[Row] = &[
    row("orgNo", true, 15, Form::Text),
    row("mercId", true, 15, Form::Text),
    row("trmNo", true, 8, Form::Alphanumeric),
    row("txnTime", true, 14, Form::Time),
    row("version", true, 10, Form::OneOf(VERSIONS)),
    row("code", false, 64, Form::Text),
    row("openid", false, 50, Form::Text),
    row("amount", true, 13, Form::Amount),
    row("total_amount", true, 13, Form::Amount),
    row("subject", false, 256, Form::Text),
    row("selOrderNo", false, 50, Form::Text),
    row("goods_tag", false, 250, Form::Text),
    row("attach", false, 256, Form::LaterText),
    row("tradeNo", false, 64, Form::Number),
    row("txnappid", false, 32, Form::Alphanumeric),
    row("signType", false, 6, Form::OneOf(SIGN_TYPE)),
];

/// Sheet, sections 5.1 and 6.5; a revocation has the same.
pub(super) const QUERY: &[Row] = &[
    row("opSys", true, 1, Form::OneOf(&["0", "1", "2", "3"])),
    row("characterSet", true, 2, Form::OneOf(&["00", "01"])),
    row("latitude", false, 15, Form::Text),
    row("longitude", false, 15, Form::Text),
    row("orgNo", true, 15, Form::Text),
    row("mercId", true, 15, Form::Text),
    row("trmNo", true, 8, Form::Alphanumeric),
    row("oprId", false, 6, Form::Alphanumeric),
    row("trmTyp", false, 2, Form::Text),
    row("tradeNo", true, 64, Form::Number),
    row("txnTime", true, 14, Form::Time),
    row("signType", true, 6, Form::OneOf(SIGN_TYPE)),
    row("addField", false, 256, Form::LaterText),
    row("version", true, 10, Form::OneOf(VERSIONS)),
    row("qryNo", true, 64, Form::Text),
];

/// Sheet, sections 5.1 and 6.6.
pub(super) const REFUND: &[Row] = &[
    row("opSys", true, 1, Form::OneOf(&["0", "1", "2", "3"])),
    row("characterSet", true, 2, Form::OneOf(&["00", "01"])),
    row("latitude", false, 15, Form::Text),
    row("longitude", false, 15, Form::Text),
    row("orgNo", true, 15, Form::Text),
    row("mercId", true, 15, Form::Text),
    row("trmNo", true, 8, Form::Alphanumeric),
    row("oprId", false, 6, Form::Alphanumeric),
    row("trmTyp", false, 2, Form::Text),
    row("tradeNo", true, 64, Form::Number),
    row("txnTime", true, 14, Form::Time),
    row("signType", true, 6, Form::OneOf(SIGN_TYPE)),
    row("addField", false, 256, Form::LaterText),
    row("version", true, 10, Form::OneOf(VERSIONS)),
    row("orderNo", true, 64, Form::Text),
    row("txnAmt", false, 13, Form::Amount),
];

/// Whether the call is one of the later version, which knows `attach`, `addField` and `refAmt`.
pub(super) fn is_later(fields: &Fields) -> bool {
    fields.get("version") == Some(LATER)
}

/// Checks a call against its table. Fields that are in no table pass: clients send some.
pub(super) fn check(fields: &Fields, rows: &[Row]) -> Result<(), Refusal> {
    for row in rows {
        let Some(value) = fields.filled(row.name) else {
            if row.required {
                return Err(Refusal::field(row.name));
            }
            continue;
        };
        let holds = value.chars().count() <= row.most
            && match row.form {
                Form::Text => true,
                Form::LaterText => is_later(fields),
                Form::Alphanumeric => value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                Form::Number => value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                Form::Amount => Fen::from_fen_text(value).is_ok_and(|amount| amount > Fen::ZERO),
                Form::Time => Clock14::read(value).is_ok(),
                Form::OneOf(values) => values.contains(&value),
            };
        if !holds {
            return Err(Refusal::field(row.name));
        }
    }
    Ok(())
}
