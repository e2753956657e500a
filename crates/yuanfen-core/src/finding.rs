//! What a query found out, in the vocabulary of notices.

use crate::{Error, EventKey, Facts, Standing};

/// What the answer to a query says about an order or a refund, in the vocabulary of notices: an event has the same key
/// whether a notice told of it or a query, so it takes effect once.
///
/// A provider's `Account::order_finding` and `Account::refund_finding` make one of an answer; of a query that was refused,
/// [`of_error`](Self::of_error) does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where it stands.
    pub standing: Standing,
    /// The transitions that the answer proves, in the order in which they happened: each by the key that the notice of
    /// it has, and with the same facts, as far as the answer names them ([`Facts::contradiction`]).
    pub settled: Vec<(EventKey, Facts)>,
    /// Whether nothing further is to be expected of it: it need not be asked about again.
    pub is_over: bool,
    /// Whether it is an order that stands there unpaid, so that it may be closed when it has expired. Not so while a payment
    /// is being decided.
    pub may_be_closed: bool,
}

impl Finding {
    /// It stands there, nothing is settled, and more is to be expected. What is accepted and no more may be closed.
    #[must_use]
    pub const fn open(standing: Standing) -> Self {
        Self {
            standing,
            settled: Vec::new(),
            is_over: false,
            may_be_closed: matches!(standing, Standing::Accepted),
        }
    }

    /// The same, and it may be closed although its standing does not say so: WeChat's `PAYERROR`, where the bank refused one
    /// payment and the payer may try another.
    #[must_use]
    pub const fn closable(mut self) -> Self {
        self.may_be_closed = true;
        self
    }

    /// The same with one more transition that is proven.
    #[must_use]
    pub fn with(mut self, key: EventKey, facts: Facts) -> Self {
        self.may_be_closed = false;
        self.settled.push((key, facts));
        self
    }

    /// The same, and nothing further is to be expected.
    #[must_use]
    pub const fn over(mut self) -> Self {
        self.may_be_closed = false;
        self.is_over = true;
        self
    }

    /// What a query that failed found all the same: that the platform does not know the number (yet), or that it is being
    /// decided; see [`Error::standing`]. Neither is an end. `None` where the error says nothing about it.
    #[must_use]
    pub fn of_error(error: &Error) -> Option<Self> {
        error.standing().map(Self::open)
    }

    /// What a query found, whether it was answered or refused; `read` is the provider's `order_finding` or
    /// `refund_finding`.
    ///
    /// # Errors
    /// The query's own, where nothing was learned from it.
    pub fn of_query<R>(answer: Result<R, Error>, read: impl FnOnce(&R) -> Self) -> Result<Self, Error> {
        match answer {
            Ok(answer) => Ok(read(&answer)),
            Err(error) => Self::of_error(&error).ok_or(error),
        }
    }
}
