//! What a code means on which call: v3 sheet, sections 10, 13.5, 14, 15, 16, 17.3, 18.3. Data, reviewed as data, one file for
//! each subject.
//!
//! The platform writes codes with and without underscores (`SYSTEM_ERROR`, `SYSTEMERROR`) and under changing HTTP
//! statuses, so codes are compared without underscores and the status decides only where the documents say so: 429.

mod bills;
mod common;
mod internal;
mod orders;
mod refunds;
mod till;

pub use internal::InternalNumber;

use yuanfen_core::{Again, CodeMeaning, Fate, RefusalKind, Route, open_enum};

open_enum! {
    /// `code` of an error body, as far as this version names it. Made with [`Code::of`], which knows both spellings.
    pub enum Code {
        /// A parameter is wrong.
        ParamError = "PARAM_ERROR",
        /// The request contradicts the state of what it is about.
        InvalidRequest = "INVALID_REQUEST",
        /// The signature, its header, the clock or the serial is wrong.
        SignError = "SIGN_ERROR",
        /// The merchant may not use this call.
        NoAuth = "NO_AUTH",
        /// App id and merchant number are not bound to each other.
        AppIdMerchantMismatch = "APPID_MCHID_NOT_MATCH",
        /// No such merchant.
        MerchantNotExists = "MCH_NOT_EXISTS",
        /// No such order.
        OrderNotExist = "ORDER_NOT_EXIST",
        /// No such thing.
        ResourceNotExists = "RESOURCE_NOT_EXISTS",
        /// The order is closed.
        OrderClosed = "ORDER_CLOSED",
        /// The order is paid.
        OrderPaid = "ORDER_PAID",
        /// The order number is in use with other parameters.
        OrderNoUsed = "OUT_TRADE_NO_USED",
        /// The business rule engine said no.
        RuleLimit = "RULE_LIMIT",
        /// The trade failed.
        TradeError = "TRADE_ERROR",
        /// The payer's account is unusable.
        AccountError = "ACCOUNT_ERROR",
        /// The payer's account is unusable.
        UserAccountAbnormal = "USER_ACCOUNT_ABNORMAL",
        /// Not enough money: the payer's, or the merchant's for a refund.
        NotEnough = "NOT_ENOUGH",
        /// The open id belongs to another app.
        OpenIdMismatch = "OPENID_MISMATCH",
        /// The transaction id is wrong.
        InvalidTransactionId = "INVALID_TRANSACTIONID",
        /// The refund's amounts differ from those of an earlier request under its number.
        RefundFeeMismatch = "REFUND_FEE_MISMATCH",
        /// Too late to refund.
        TradeOverdue = "TRADE_OVERDUE",
        /// The bill is being made.
        StatementCreating = "STATEMENT_CREATING",
        /// There is no bill for that day.
        NoStatementExist = "NO_STATEMENT_EXIST",
        /// Too many calls.
        FrequencyLimited = "FREQUENCY_LIMITED",
        /// Too many calls.
        FrequencyLimitExceed = "FREQUENCY_LIMIT_EXCEED",
        /// Too many calls.
        RateLimitExceeded = "RATELIMIT_EXCEEDED",
        /// The platform failed.
        SystemError = "SYSTEM_ERROR",
        /// The bank failed.
        BankError = "BANK_ERROR",
        /// The platform is not available.
        ServiceUnavailable = "SERVICE_UNAVAILABLE",
        /// The payer is typing.
        UserPaying = "USERPAYING",
        /// What was scanned is no payment code.
        AuthCodeInvalid = "AUTH_CODE_INVALID",
        /// The payment code is wrong, or was used.
        AuthCodeError = "AUTH_CODE_ERROR",
        /// The payment code is too old.
        AuthCodeExpired = "AUTHCODEEXPIRE",
    }
}

impl Code {
    /// The code of an answer, in whichever of its spellings.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let documented = rows().map(|row| row.code).find(|known| same_code(known, code));
        Self::from(documented.unwrap_or(code))
    }
}

/// One row: on which calls (none: on every call), which code, what it means.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The operations it is about; empty for all.
    pub operations: &'static [&'static str],
    /// The code as the documents write it now.
    pub code: &'static str,
    /// What it means there.
    pub meaning: CodeMeaning,
}

impl Row {
    const fn with_again(self, again: Again) -> Self {
        Self {
            meaning: self.meaning.with_again(again),
            ..self
        }
    }
}

type Operations = &'static [&'static str];

const fn row(
    operations: Operations,
    code: &'static str,
    fate: Fate,
    kind: RefusalKind,
    sentence: &'static str,
    source: &'static str,
) -> Row {
    Row {
        operations,
        code,
        meaning: CodeMeaning::new(fate, kind, sentence, source),
    }
}

const fn mend(operations: Operations, code: &'static str, sentence: &'static str, source: &'static str) -> Row {
    row(
        operations,
        code,
        Fate::Refused,
        RefusalKind::Configuration,
        sentence,
        source,
    )
}

const fn declined(operations: Operations, code: &'static str, sentence: &'static str, source: &'static str) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::Declined, sentence, source)
}

const fn already(operations: Operations, code: &'static str, sentence: &'static str, source: &'static str) -> Row {
    row(operations, code, Fate::Already, RefusalKind::Already, sentence, source)
}

const fn absent(operations: Operations, code: &'static str, sentence: &'static str, source: &'static str) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::NotFound, sentence, source)
}

const STATUSES: &str = "v3 sheet, section 10.2";

/// 429, whatever the code: the documents name three.
const THROTTLED: CodeMeaning = CodeMeaning::new(
    Fate::Unknown,
    RefusalKind::Throttled,
    "too many calls: wait, with growing pauses, and send the same parameters again",
    STATUSES,
);

/// 5xx with a code that no table has.
const FAILED: CodeMeaning = CodeMeaning::new(
    Fate::Unknown,
    RefusalKind::Unclear,
    "the platform failed and does not say what was done: query, or repeat with the same parameters",
    STATUSES,
);

/// 501 with a code that no table has.
const RETIRED: CodeMeaning = CodeMeaning::new(
    Fate::Refused,
    RefusalKind::Configuration,
    "the platform does not have this call, or no longer: read its message, and look for another",
    STATUSES,
);

/// Every row there is. A row for some calls comes before the row for every call.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [orders::ROWS, till::ROWS, refunds::ROWS, bills::ROWS, common::ROWS]
        .into_iter()
        .flatten()
}

/// What a code means on a call, under that HTTP status. A code without a row is never concluded from: after a write its
/// fate is unknown.
#[must_use]
pub fn meaning(route: &Route, status: u16, code: &str) -> CodeMeaning {
    known(status, code, |row| {
        row.operations.is_empty() || row.operations.contains(&route.operation)
    })
    .unwrap_or_else(|| CodeMeaning::unknown(route.effect))
}

/// What a code means on whichever call it was: for answers that nothing proves, which are opened before the operation is
/// known. Only rows for every call count; of any other code nothing is concluded.
#[must_use]
pub fn meaning_anywhere(status: u16, code: &str) -> CodeMeaning {
    const UNPROVEN: CodeMeaning = CodeMeaning::new(
        Fate::Unknown,
        RefusalKind::Unclear,
        "no signature proves this answer, so nothing follows from it: query, or repeat with the same parameters",
        "v3 sheet, section 5.6",
    );
    known(status, code, |row| row.operations.is_empty()).unwrap_or(UNPROVEN)
}

fn known(status: u16, code: &str, applies: impl Fn(&Row) -> bool) -> Option<CodeMeaning> {
    if status == 429 {
        return Some(THROTTLED);
    }
    let row = rows().find(|row| same_code(row.code, code) && applies(row));
    row.map(|row| row.meaning).or(match status {
        501 => Some(RETIRED),
        500.. => Some(FAILED),
        _ => None,
    })
}

/// Whether two spellings are of one code.
fn same_code(left: &str, right: &str) -> bool {
    letters(left).eq(letters(right))
}

fn letters(code: &str) -> impl Iterator<Item = u8> {
    code.bytes().filter(|byte| *byte != b'_')
}
