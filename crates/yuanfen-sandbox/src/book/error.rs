//! Why the book refuses.

use super::MOST_REFUNDS;

/// Why the book does not do what is asked. Each platform has its own codes for these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// No such order.
    #[error("no such order")]
    UnknownOrder,
    /// No such refund.
    #[error("no such refund")]
    UnknownRefund,
    /// The order is paid already.
    #[error("the order is paid already")]
    Paid,
    /// The order is closed.
    #[error("the order is closed")]
    Closed,
    /// The order is not paid.
    #[error("the order is not paid")]
    Unpaid,
    /// The number was used before, with other parameters.
    #[error("the number was used before, with other parameters")]
    Differs,
    /// The request states another order total than the order has.
    #[error("the stated total is not the order's")]
    Total,
    /// Not a positive amount.
    #[error("the amount is not positive")]
    Amount,
    /// More than what is left of the order.
    #[error("more than what is left of the order")]
    Exceeds,
    /// One refund too many for this order.
    #[error("more than {MOST_REFUNDS} refunds of one order")]
    TooMany,
    /// Less than a minute after the refund before, where that is kept.
    #[error("less than a minute after the refund before")]
    TooSoon,
    /// The merchant's account holds less than is to go back.
    #[error("the merchant's account holds less than is to go back")]
    Poor,
    /// Paid too long ago.
    #[error("the order was paid more than 365 days ago")]
    Overdue,
    /// The refund came to its end already.
    #[error("the refund came to its end already")]
    Settled,
    /// The order was taken back.
    #[error("the order was taken back")]
    Revoked,
    /// A part of the order was refunded, so it is not taken back.
    #[error("a part of the order was refunded already")]
    Refunded,
    /// The order was charged at a till: it is taken back, not closed.
    #[error("the order was charged at a till, which is taken back and not closed")]
    AtTill,
    /// The order was not charged at a till, and only those are taken back.
    #[error("the order was not charged at a till")]
    NotAtTill,
    /// Charged too long ago to be taken back.
    #[error("the order was charged more than 7 days ago")]
    Late,
    /// The payer whose code was charged is gone: gave up, failed, or let the time pass.
    #[error("nobody is paying this order any more")]
    NoPayer,
    /// The number was begun with another payer's code.
    #[error("the number was begun with another payer's code")]
    OtherPayer,
    /// The order is a part of another one, and paid with it.
    #[error("the order is a part of another one, and is paid with it")]
    Part,
    /// A comment has one to five stars.
    #[error("a comment has one to five stars")]
    Stars,
    /// No payer shows such a code.
    #[error("no payer shows such a code")]
    CodeUnknown,
    /// The code is more than a minute old.
    #[error("the code is more than a minute old")]
    CodeExpired,
    /// The code was charged for another order.
    #[error("the code was charged before")]
    CodeUsed,
    /// Another merchant asked for the payer behind the code and alone can charge it.
    #[error("only another merchant can charge the code")]
    CodeOfAnother,
}
