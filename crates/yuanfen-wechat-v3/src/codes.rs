//! What a code means on which call: v3 sheet, sections 10, 13.5, 14, 15, 17.3, 18.3. Data, reviewed as data.
//!
//! The platform writes codes with and without underscores (`SYSTEM_ERROR`, `SYSTEMERROR`) and under changing HTTP
//! statuses, so codes are compared without underscores and the status decides only where the documents say so: 429.

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
    }
}

impl Code {
    /// The code of an answer, in whichever of its spellings.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let documented = TABLE.iter().map(|row| row.code).find(|known| same_code(known, code));
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

const EVERY: &[&str] = &[];
const PLACE: &[&str] = &[
    "place_jsapi_order",
    "place_app_order",
    "place_native_order",
    "place_h5_order",
];
const QUERY: &[&str] = &["query_order"];
const CLOSE: &[&str] = &["close_order"];
const REFUND: &[&str] = &["refund"];
const QUERY_REFUND: &[&str] = &["query_refund"];
const BILLS: &[&str] = &["request_trade_bill", "request_fund_flow_bill"];
const CERTIFICATES: &[&str] = &["download_certificates"];

const fn row(
    operations: &'static [&'static str],
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

const fn mend(
    operations: &'static [&'static str],
    code: &'static str,
    sentence: &'static str,
    source: &'static str,
) -> Row {
    row(
        operations,
        code,
        Fate::Refused,
        RefusalKind::Configuration,
        sentence,
        source,
    )
}

const fn declined(
    operations: &'static [&'static str],
    code: &'static str,
    sentence: &'static str,
    source: &'static str,
) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::Declined, sentence, source)
}

const fn already(
    operations: &'static [&'static str],
    code: &'static str,
    sentence: &'static str,
    source: &'static str,
) -> Row {
    row(operations, code, Fate::Already, RefusalKind::Already, sentence, source)
}

const fn absent(
    operations: &'static [&'static str],
    code: &'static str,
    sentence: &'static str,
    source: &'static str,
) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::NotFound, sentence, source)
}

const fn unclear(code: &'static str, sentence: &'static str) -> Row {
    row(EVERY, code, Fate::Unknown, RefusalKind::Unclear, sentence, STATUSES)
}

const fn throttled(code: &'static str) -> Row {
    Row {
        operations: EVERY,
        code,
        meaning: THROTTLED,
    }
}

const STATUSES: &str = "v3 sheet, section 10.2";
const ORDERING: &str = "v3 sheet, section 13.5";
const QUERYING: &str = "v3 sheet, section 14";
const CLOSING: &str = "v3 sheet, section 15";
const REFUNDING: &str = "v3 sheet, section 17.3";
const BILLING: &str = "v3 sheet, section 18.3";

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

/// Every row there is. A row for one call stands before the row for every call.
pub const TABLE: &[Row] = &[
    // Placing an order.
    already(
        PLACE,
        "ORDER_PAID",
        "this order is paid: query it, and do not ask the payer again",
        STATUSES,
    ),
    already(
        PLACE,
        "OUT_TRADE_NO_USED",
        "this number was used with other parameters or on another endpoint: query it; for a change, close it and use a new \
         number",
        "v3 sheet, section 10.4",
    ),
    declined(
        PLACE,
        "ORDER_CLOSED",
        "this order is closed: use a new order number",
        ORDERING,
    ),
    declined(
        PLACE,
        "RULE_LIMIT",
        "a business rule forbids it: read the platform's message",
        ORDERING,
    ),
    declined(
        PLACE,
        "TRADE_ERROR",
        "the trade cannot be made: read the platform's message",
        ORDERING,
    ),
    declined(
        PLACE,
        "ACCOUNT_ERROR",
        "the payer's account cannot be used: let the payer pay another way",
        ORDERING,
    ),
    declined(
        PLACE,
        "NOT_ENOUGH",
        "the payer's balance is too low: let the payer choose another means",
        ORDERING,
    ),
    mend(
        PLACE,
        "ORDER_NOT_EXIST",
        "the platform misses an order: check which endpoint and merchant number were used",
        ORDERING,
    ),
    mend(
        PLACE,
        "OPENID_MISMATCH",
        "the open id belongs to another app: obtain it under the app id of the order (sent as 500; do not repeat)",
        ORDERING,
    ),
    mend(
        PLACE,
        "INVALID_TRANSACTIONID",
        "a transaction id is wrong (sent as 500; do not repeat)",
        ORDERING,
    ),
    row(
        PLACE,
        "USERPAYING",
        Fate::Unknown,
        RefusalKind::Pending,
        "the payer is typing: query until it is decided",
        ORDERING,
    ),
    // Querying an order.
    absent(
        QUERY,
        "ORDER_NOT_EXIST",
        "no such order under this merchant; right after placing one, query again once or twice",
        QUERYING,
    ),
    absent(
        QUERY,
        "RESOURCE_NOT_EXISTS",
        "no such order under this merchant; right after placing one, query again once or twice",
        STATUSES,
    ),
    declined(
        QUERY,
        "ORDER_CLOSED",
        "this order is closed and no longer queried",
        QUERYING,
    ),
    // Closing an order.
    already(
        CLOSE,
        "ORDER_PAID",
        "this order is paid and was not closed: query it, and refund it if it shall not stand",
        CLOSING,
    ),
    already(CLOSE, "ORDER_CLOSED", "this order is closed already", CLOSING),
    absent(
        CLOSE,
        "ORDER_NOT_EXIST",
        "no such order under this merchant; wait five minutes after placing one before closing it",
        CLOSING,
    ),
    declined(
        CLOSE,
        "TRADE_ERROR",
        "this order cannot be closed in its state: query it",
        STATUSES,
    ),
    // Refunding.
    already(
        REFUND,
        "REFUND_FEE_MISMATCH",
        "this refund number was used with other amounts, or the order's total is another: query the refund",
        REFUNDING,
    ),
    declined(
        REFUND,
        "TRADE_OVERDUE",
        "the order was paid more than 365 days ago and cannot be refunded",
        REFUNDING,
    ),
    declined(
        REFUND,
        "NOT_ENOUGH",
        "the merchant's balance is too low: top it up, then repeat with the same refund number",
        "v3 sheet, section 10.4",
    )
    .with_again(Again::WhenMended),
    declined(
        REFUND,
        "USER_ACCOUNT_ABNORMAL",
        "the payer's account cannot take the refund: agree on another way with the payer",
        REFUNDING,
    ),
    absent(
        REFUND,
        "RESOURCE_NOT_EXISTS",
        "no such order under this merchant: check the order's number",
        REFUNDING,
    ),
    absent(
        REFUND,
        "ORDER_NOT_EXIST",
        "no such order under this merchant: check the order's number",
        STATUSES,
    ),
    absent(
        QUERY_REFUND,
        "RESOURCE_NOT_EXISTS",
        "no such refund under this merchant; after an unknown outcome, repeat the refund under the same number only",
        "v3 sheet, section 10.4",
    ),
    absent(
        QUERY_REFUND,
        "ORDER_NOT_EXIST",
        "no such refund under this merchant; after an unknown outcome, repeat the refund under the same number only",
        STATUSES,
    ),
    // Bills.
    row(
        BILLS,
        "STATEMENT_CREATING",
        Fate::Refused,
        RefusalKind::NotYet,
        "the bill is being made: it is ready at ten o'clock of the next morning in Beijing",
        BILLING,
    ),
    row(
        BILLS,
        "NO_STATEMENT_EXIST",
        Fate::Refused,
        RefusalKind::Nothing,
        "there was nothing to bill on that day",
        BILLING,
    ),
    // Certificates.
    mend(
        CERTIFICATES,
        "RESOURCE_NOT_EXISTS",
        "this merchant has no platform certificates: use public-key mode, with the key and the PUB_KEY_ID_ of the merchant \
         console",
        "v3 sheet, section 6.1",
    ),
    // Every call.
    mend(
        EVERY,
        "PARAM_ERROR",
        "a parameter is wrong: the answer's detail names it",
        STATUSES,
    ),
    mend(
        EVERY,
        "INVALID_REQUEST",
        "the request is not allowed as it is: read the platform's message, and query what it is about",
        STATUSES,
    ),
    mend(
        EVERY,
        "SIGN_ERROR",
        "the platform did not accept the signature: check clock, merchant number, certificate serial and private key, then \
         compare the text with `yuanfen sign`",
        "v3 sheet, section 4.3",
    ),
    mend(
        EVERY,
        "NO_AUTH",
        "this merchant may not use this call: apply for it in the merchant console",
        STATUSES,
    ),
    mend(
        EVERY,
        "APPID_MCHID_NOT_MATCH",
        "app id and merchant number are not bound to each other",
        STATUSES,
    ),
    mend(
        EVERY,
        "MCH_NOT_EXISTS",
        "the platform does not know this merchant number",
        STATUSES,
    ),
    throttled("FREQUENCY_LIMITED"),
    throttled("FREQUENCY_LIMIT_EXCEED"),
    throttled("RATELIMIT_EXCEEDED"),
    unclear(
        "SYSTEM_ERROR",
        "the platform failed and does not say what was done: query, or repeat with the same parameters",
    ),
    unclear(
        "BANK_ERROR",
        "the bank failed and does not say what was done: query, or repeat with the same parameters",
    ),
    unclear(
        "SERVICE_UNAVAILABLE",
        "the platform is not available and does not say what was done: query, or repeat with the same parameters",
    ),
];

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
    let row = TABLE.iter().find(|row| same_code(row.code, code) && applies(row));
    row.map(|row| row.meaning).or((status >= 500).then_some(FAILED))
}

/// Whether two spellings are of one code.
fn same_code(left: &str, right: &str) -> bool {
    letters(left).eq(letters(right))
}

fn letters(code: &str) -> impl Iterator<Item = u8> {
    code.bytes().filter(|byte| *byte != b'_')
}
