//! What a code means on which call: v2 sheet, section 9. Data, reviewed as data.
//!
//! A row is found by the operation and the code together: `ORDERCLOSED` on an order asks for a new number, on a close it
//! says that it is done. The trade bill has no codes of this kind; its rows are found by the text of `return_msg`, or by
//! `error_code` where there is a row for it.

mod bills;
mod family;
mod orders;
mod refunds;
mod till;

use yuanfen_core::{Again, CodeMeaning, Fate, RefusalKind, Route, open_enum};

open_enum! {
    /// `err_code`, as far as this version names it.
    pub enum Code {
        /// The platform failed; the outcome is unknown.
        SystemError = "SYSTEMERROR",
        /// The bank failed; the outcome is unknown.
        BankError = "BANKERROR",
        /// The payer is typing the password.
        UserPaying = "USERPAYING",
        /// The order is paid.
        OrderPaid = "ORDERPAID",
        /// The order is closed.
        OrderClosed = "ORDERCLOSED",
        /// The order was reversed.
        OrderReversed = "ORDERREVERSED",
        /// No such order.
        OrderNotExist = "ORDERNOTEXIST",
        /// No such refund.
        RefundNotExist = "REFUNDNOTEXIST",
        /// The platform asks to try again.
        NeedRetry = "BIZERR_NEED_RETRY",
        /// Too many calls.
        FrequencyLimited = "FREQUENCY_LIMITED",
        /// Too many calls that fail.
        TooManyInvalidRequests = "INVALID_REQ_TOO_MUCH",
        /// The order was paid too long ago to be refunded.
        TradeOverdue = "TRADE_OVERDUE",
        /// The order was paid too long ago to be reversed.
        ReverseExpired = "REVERSE_EXPIRE",
        /// The payer's account cannot take the refund.
        UserAccountAbnormal = "USER_ACCOUNT_ABNORMAL",
        /// The order's state does not fit.
        TradeStateError = "TRADE_STATE_ERROR",
        /// The trade failed; on a reversal, the order's state does not fit.
        TradeError = "TRADE_ERROR",
        /// The order number is in use.
        OutTradeNoUsed = "OUT_TRADE_NO_USED",
        /// The payer's balance is too low; of a refund, the merchant's.
        NotEnough = "NOTENOUGH",
        /// The payer's card cannot be used here. The platform spells it that way.
        CardNotSupported = "NOTSUPORTCARD",
        /// The payment code is too old.
        AuthCodeExpired = "AUTHCODEEXPIRE",
        /// The payment code is wrong.
        AuthCodeError = "AUTH_CODE_ERROR",
        /// The payment code is no payment code.
        AuthCodeInvalid = "AUTH_CODE_INVALID",
        /// The number was begun by another payer.
        BuyerMismatch = "BUYER_MISMATCH",
        /// The request contradicts the order's state or an earlier request.
        InvalidRequest = "INVALID_REQUEST",
        /// The transaction id is wrong.
        InvalidTransactionId = "INVALID_TRANSACTIONID",
        /// The merchant may not use this call.
        NoAuth = "NOAUTH",
        /// The platform does not know the app id.
        AppIdNotExist = "APPID_NOT_EXIST",
        /// The platform does not know the merchant number.
        MerchantNotExist = "MCHID_NOT_EXIST",
        /// App id and merchant number are not bound to each other.
        AppIdMerchantMismatch = "APPID_MCHID_NOT_MATCH",
        /// A parameter is missing.
        LackParams = "LACK_PARAMS",
        /// A parameter is wrong.
        ParamError = "PARAM_ERROR",
        /// The signature is wrong.
        SignError = "SIGNERROR",
        /// The message is no XML that the platform reads.
        XmlFormatError = "XML_FORMAT_ERROR",
        /// The call was not a POST.
        RequirePostMethod = "REQUIRE_POST_METHOD",
        /// The body was empty.
        PostDataEmpty = "POST_DATA_EMPTY",
        /// The message is not UTF-8.
        NotUtf8 = "NOT_UTF8",
        /// The day's bill is being made.
        BillCreating = "BILL_CREATING",
        /// That day has no bill.
        NoBillExist = "NO_BILL_EXIST",
    }
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The operations that it is about.
    pub operations: &'static [&'static str],
    /// The code, as the documents write it.
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

/// Every row there is.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [orders::ROWS, till::ROWS, refunds::ROWS, bills::ROWS, family::ROWS]
        .into_iter()
        .flatten()
}

/// What a code means on a call. A code without a row is never concluded from: after a write its fate is unknown.
#[must_use]
pub fn meaning(route: &Route, code: &str) -> CodeMeaning {
    find(route, code).unwrap_or_else(|| CodeMeaning::unknown(route.effect))
}

/// The row of a code on a call.
pub(crate) fn find(route: &Route, code: &str) -> Option<CodeMeaning> {
    // The texts of the trade bill are not written alike on every page (`No Bill Exist`, `NO Bill Exist`).
    let texts = route.operation == bills::TRADE_BILL;
    rows()
        .filter(|row| row.operations.contains(&route.operation))
        .find(|row| row.code == code || texts && row.code.eq_ignore_ascii_case(code))
        .map(|row| row.meaning)
}

type Operations = &'static [&'static str];

const SHEET: &str = "v2 sheet, section 9";

const fn row(operations: Operations, code: &'static str, fate: Fate, kind: RefusalKind, sentence: &'static str) -> Row {
    Row {
        operations,
        code,
        meaning: CodeMeaning::new(fate, kind, sentence, SHEET),
    }
}

/// The platform does not know its own outcome.
const fn unclear(operations: Operations, code: &'static str, sentence: &'static str) -> Row {
    row(operations, code, Fate::Unknown, RefusalKind::Unclear, sentence)
}

/// The payer has still to act.
const fn pending(operations: Operations, code: &'static str, sentence: &'static str) -> Row {
    row(operations, code, Fate::Unknown, RefusalKind::Pending, sentence)
}

/// It is there, or done.
const fn already(operations: Operations, code: &'static str, sentence: &'static str) -> Row {
    row(operations, code, Fate::Already, RefusalKind::Already, sentence)
}

/// Refused for good under these parameters.
const fn declined(operations: Operations, code: &'static str, sentence: &'static str) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::Declined, sentence)
}

/// No such order or refund.
const fn absent(operations: Operations, code: &'static str, sentence: &'static str) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::NotFound, sentence)
}

/// Not accepted yet, because of too many calls.
const fn throttled(operations: Operations, code: &'static str, sentence: &'static str) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::Throttled, sentence)
}

/// The request or the configuration is wrong.
const fn mend(operations: Operations, code: &'static str, sentence: &'static str) -> Row {
    row(operations, code, Fate::Refused, RefusalKind::Configuration, sentence)
}
