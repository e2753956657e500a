//! Notices: what a platform posts to the shop when something has happened.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::{Fen, OpenError, OrderNo, RefundNo, RemoteId, UnixTime, Verified};

/// A route's side of receiving notices.
pub trait NotificationSource {
    /// The typed event.
    type Event;

    /// The route's name: what [`key`](Self::key) puts in [`EventKey::route`].
    fn route(&self) -> &'static str;

    /// Whose notices these are: what [`key`](Self::key) puts in [`EventKey::account`]. A hint has no key, and neither has
    /// a request that was refused; this is the name under which they are noted.
    fn account(&self) -> &str;

    /// The headers, by their lower-case names, without which the same request cannot be checked or read once more. Who
    /// stores a request, to open it again later, keeps its method, its address with the query, its body, and of its
    /// headers these.
    ///
    /// Unless a route says otherwise it is the one that says how the body is written.
    fn kept_headers(&self) -> &'static [&'static str] {
        &["content-type"]
    }

    /// Checks a raw request and opens it.
    ///
    /// # Errors
    /// When the check fails, or the message is not what the protocol allows. Answer with
    /// [`acknowledge`](Self::acknowledge) and [`Verdict::Rejected`], so that the platform delivers again.
    fn open_notification(
        &self,
        request: &http::Request<Bytes>,
        now: UnixTime,
    ) -> Result<Notice<Self::Event>, OpenError>;

    /// What the event is about and which transition it reports: the same for every delivery of it.
    fn key(&self, event: &Self::Event) -> EventKey;

    /// What the event settles. Two deliveries under one key must agree on this.
    fn facts(&self, event: &Self::Event) -> Facts;

    /// Whether nothing further is to be heard about the order or refund after that event, so that it need not be queried.
    ///
    /// Unless a route says otherwise it is so after every end ([`Transition::is_end`]).
    fn is_over(&self, event: &Self::Event) -> bool {
        self.key(event).transition.is_end()
    }

    /// The answer in the route's own form.
    fn acknowledge(&self, verdict: Verdict) -> http::Response<Bytes>;
}

/// What a notice is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice<E> {
    /// A signature proves it: it settles what it says.
    Settles(Verified<E>),
    /// It settles nothing: all it is good for is to say what to query next.
    Hint(Hint),
}

/// A notice that settles nothing, because nothing proves it or because it names no state. It can only name the next
/// query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hint {
    /// The route it came in on.
    pub route: &'static str,
    /// What to ask for.
    pub lookup: Lookup,
    /// Whether a signature held over it. Even then it says nothing about money: fshows signs its call-backs, but with
    /// one key for every account, and names none of them.
    pub is_signed: bool,
    /// Another name of the same thing, to ask for where nobody knows it by the first.
    pub alias: Option<Lookup>,
}

impl Hint {
    /// A hint on that route to ask for that, proven by nothing.
    #[must_use]
    pub const fn new(route: &'static str, lookup: Lookup) -> Self {
        Self {
            route,
            lookup,
            is_signed: false,
            alias: None,
        }
    }

    /// The same with another name of what to ask for.
    #[must_use]
    pub fn or(mut self, alias: Lookup) -> Self {
        self.alias = Some(alias);
        self
    }

    /// The same where a signature held.
    #[must_use]
    pub const fn signed(mut self) -> Self {
        self.is_signed = true;
        self
    }
}

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// The order with our number.
    Order(OrderNo),
    /// The order with the platform's number.
    RemoteOrder(RemoteId),
    /// The refund with our number.
    Refund(RefundNo),
}

/// Which business event this is: one key per transition of one order or refund, whatever the delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct EventKey {
    /// The route's name.
    pub route: Cow<'static, str>,
    /// The merchant.
    pub account: String,
    /// The order's or refund's number.
    pub subject: String,
    /// What happened to it.
    pub transition: Transition,
}

impl EventKey {
    /// A key.
    pub fn new(
        route: impl Into<Cow<'static, str>>,
        account: impl Into<String>,
        subject: impl Into<String>,
        transition: Transition,
    ) -> Self {
        Self {
            route: route.into(),
            account: account.into(),
            subject: subject.into(),
            transition,
        }
    }
}

/// `route/account/transition/subject`: one text for one event, on every machine and at every attempt, so that it can be
/// the idempotency key of an effect elsewhere. The subject comes last because it may hold any character.
impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transition = self.transition.as_str();
        write!(f, "{}/{}/{transition}/{}", self.route, self.account, self.subject)
    }
}

/// What happened to an order or refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transition {
    /// An order was paid.
    OrderPaid,
    /// The money of a paid order became available (mpgateway `0000` after `1002`).
    OrderSettled,
    /// A payment failed for good.
    OrderFailed,
    /// An order was closed or revoked: no money of it is with the merchant, and none will come. Where a reversal found it
    /// paid, the money went back.
    OrderClosed,
    /// A refund reached the payer.
    RefundSucceeded,
    /// A refund did not reach the payer and needs handling.
    RefundAbnormal,
    /// A refund was closed.
    RefundClosed,
    /// Something that this version has no name for.
    Other,
}

impl Transition {
    /// All that this version names.
    pub const ALL: &'static [Self] = &[
        Self::OrderPaid,
        Self::OrderSettled,
        Self::OrderFailed,
        Self::OrderClosed,
        Self::RefundSucceeded,
        Self::RefundAbnormal,
        Self::RefundClosed,
        Self::Other,
    ];

    /// The name in keys and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderPaid => "order-paid",
            Self::OrderSettled => "order-settled",
            Self::OrderFailed => "order-failed",
            Self::OrderClosed => "order-closed",
            Self::RefundSucceeded => "refund-succeeded",
            Self::RefundAbnormal => "refund-abnormal",
            Self::RefundClosed => "refund-closed",
            Self::Other => "other",
        }
    }

    /// Whether it says that the payer's money came in. A platform that tells of both does not always tell of the first, and
    /// a query finds the last alone: so whatever ships goods at the one ships them at the other.
    #[must_use]
    pub const fn is_payment(self) -> bool {
        matches!(self, Self::OrderPaid | Self::OrderSettled)
    }

    /// Whether an order or refund comes to an end with it: paid, closed, refunded. A refund that did not reach the payer
    /// still has its end before it, and what has no name proves none.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::OrderPaid
            | Self::OrderSettled
            | Self::OrderFailed
            | Self::OrderClosed
            | Self::RefundSucceeded
            | Self::RefundClosed => true,
            Self::RefundAbnormal | Self::Other => false,
        }
    }

    /// The transition of that name, exactly as [`as_str`](Self::as_str) spells it. `None` is a name of another version.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|transition| transition.as_str() == name)
    }
}

/// What an event settles. A difference here between two deliveries of one key is a conflict; a difference in bytes is
/// not, because every delivery is signed anew. A notice and the answer to a query do not always name the same facts:
/// [`contradiction`](Self::contradiction) looks at those that both name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The amount: of the order, or of the refund.
    pub amount: Option<Fen>,
    /// The currency, where the platform names one.
    pub currency: Option<String>,
    /// Our order number.
    pub order_no: Option<String>,
    /// Our refund number, of an event about a refund.
    pub refund_no: Option<String>,
    /// The platform's number.
    pub remote_id: Option<String>,
    /// The merchant.
    pub merchant: Option<String>,
    /// The app.
    pub app: Option<String>,
    /// The state that was reached, in the platform's word.
    pub end_state: String,
}

impl Facts {
    /// Nothing but the state that was reached.
    pub fn new(end_state: impl Into<String>) -> Self {
        Self {
            amount: None,
            currency: None,
            order_no: None,
            refund_no: None,
            remote_id: None,
            merchant: None,
            app: None,
            end_state: end_state.into(),
        }
    }

    /// The first fact that both name and in which they differ, by the name of its field here. A fact that only one of
    /// them names contradicts nothing.
    #[must_use]
    pub fn contradiction(&self, other: &Self) -> Option<&'static str> {
        fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_some_and(|(one, other)| one != other)
        }
        [
            ("amount", differ(self.amount.as_ref(), other.amount.as_ref())),
            ("currency", differ(self.currency.as_ref(), other.currency.as_ref())),
            ("order_no", differ(self.order_no.as_ref(), other.order_no.as_ref())),
            ("refund_no", differ(self.refund_no.as_ref(), other.refund_no.as_ref())),
            ("remote_id", differ(self.remote_id.as_ref(), other.remote_id.as_ref())),
            ("merchant", differ(self.merchant.as_ref(), other.merchant.as_ref())),
            ("app", differ(self.app.as_ref(), other.app.as_ref())),
            ("end_state", self.end_state != other.end_state),
        ]
        .into_iter()
        .find_map(|(name, differs)| differs.then_some(name))
    }
}

/// How a notice was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Checked and stored: do not deliver it again.
    Accepted,
    /// Not checked or not stored: deliver it again.
    Rejected,
}
