//! What a provider brings: the three calls, the times, and how their answers read.

use crate::{Again, Error, Fate, Operation, OrderNo, RefusalKind, Standing};

use super::{CodePaymentEvent, CodePaymentRule};

/// A payment by scanned code, together with the query that tells what became of it and the reversal that undoes it: what
/// [`CodePayment`](super::CodePayment) is driven with.
///
/// Query and reversal are made from the payment's own number, so that they cannot be about another order, and so that a
/// payment can be taken up again by a process that knows nothing but its number.
pub trait CodePaymentCall: Operation {
    /// Asks what became of it.
    type Query: Operation<Provider = Self::Provider>;
    /// Closes it, or refunds it where it is paid.
    type Reverse: Operation<Provider = Self::Provider>;

    /// The times and limits of this route.
    const RULE: CodePaymentRule;

    /// The number that query and reversal are made with.
    fn order_no(&self) -> &OrderNo;

    /// The query for that number.
    fn query(order_no: OrderNo) -> Self::Query;

    /// The reversal of that number.
    fn reverse(order_no: OrderNo) -> Self::Reverse;

    /// What the payment's answer says: [`CodePaymentEvent::Paid`] or [`CodePaymentEvent::Typing`], or
    /// [`CodePaymentEvent::PayFailed`] with an unknown fate where it says neither.
    fn read_reply(reply: &Self::Reply) -> CodePaymentEvent;

    /// What the query's answer says. Only a state that promises that nobody can pay any more is
    /// [`Standing::Failed`].
    fn read_standing(found: &<Self::Query as Operation>::Reply) -> Standing;

    /// What the reversal's answer says: [`CodePaymentEvent::Reversed`] or [`CodePaymentEvent::ReverseAgain`].
    fn read_reversal(reversed: &<Self::Reverse as Operation>::Reply) -> CodePaymentEvent;

    /// What a failed payment call says: its fate, or that the payer is typing.
    #[must_use]
    fn read_failure(error: &Error) -> CodePaymentEvent {
        CodePaymentEvent::of_failed_payment(error)
    }

    /// What a failed query says: nothing, unless it is a proven "no such number" or "the payer is typing".
    #[must_use]
    fn read_query_failure(error: &Error) -> CodePaymentEvent {
        CodePaymentEvent::of_failed_query(error)
    }

    /// What a failed reversal says: its fate, or that it has to be called again.
    #[must_use]
    fn read_reversal_failure(error: &Error) -> CodePaymentEvent {
        CodePaymentEvent::of_failed_reversal(error)
    }
}

impl CodePaymentEvent {
    /// A payment call that failed in that way.
    #[must_use]
    pub fn of_failed_payment(error: &Error) -> Self {
        if is_pending(error) {
            Self::Typing
        } else {
            Self::PayFailed(error.fate())
        }
    }

    /// A query that failed in that way.
    #[must_use]
    pub fn of_failed_query(error: &Error) -> Self {
        error.standing().map_or(Self::QueryFailed, Self::Stands)
    }

    /// A reversal that failed in that way.
    #[must_use]
    pub fn of_failed_reversal(error: &Error) -> Self {
        let fate = error.fate();
        let later = fate == Fate::Refused && matches!(error.again(), Again::Now | Again::Later);
        if later || is_pending(error) {
            Self::ReverseAgain
        } else {
            Self::ReverseFailed(fate)
        }
    }
}

fn is_pending(error: &Error) -> bool {
    error
        .believed_refusal()
        .is_some_and(|refusal| refusal.meaning.kind == RefusalKind::Pending)
}
