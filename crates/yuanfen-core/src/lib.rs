#![doc = include_str!("../README.md")]
#![warn(clippy::arithmetic_side_effects, clippy::integer_division)]

mod address;
mod ambient;
mod attest;
mod bill_text;
mod code_payment;
mod decimal;
mod error;
mod extra;
mod fields;
mod finding;
mod limits;
mod money;
mod notification;
mod number;
#[cfg(feature = "json")]
mod object;
mod open_enum;
mod operation;
mod prepay;
mod provider;
mod redact;
mod refund_ledger;
mod route;
mod rule;
mod secret;
mod settle;
mod taker;
mod time;

pub use address::{Address, AddressError, BaseUrl};
#[cfg(any(test, feature = "test-util"))]
pub use ambient::FixedAmbient;
pub use ambient::{Ambient, nonce_text};
pub use attest::{Decrypt, DecryptError, Draft, Sign, SignError, SignatureError, Unsigned, Verified, Verify};
pub use bill_text::{BillError, BillLine, BillText};
pub use code_payment::{
    CodePayment, CodePaymentCall, CodePaymentEvent, CodePaymentOutcome, CodePaymentRule, CodePaymentStep,
};
pub use decimal::{Decimal, DecimalError};
pub use error::code::{CodeMeaning, RefusalKind};
pub use error::fate::{Advice, Again, Fate};
pub use error::keys::KeysUnavailable;
pub use error::{
    BuildError, Error, ErrorKind, OpenError, ProtocolError, ProtocolErrorKind, Refusal, Sent, TransportError,
    TransportErrorKind,
};
pub use extra::Extra;
pub use fields::{FieldError, Fields, ValueError};
pub use finding::Finding;
pub use limits::{LimitExceeded, Limits};
pub use money::{Fen, MoneyError, PayAmount, Yuan};
pub use notification::{EventKey, Facts, Hint, Lookup, Notice, NotificationSource, Transition, Verdict};
pub use number::{NumberError, OrderNo, RefundNo, RemoteId};
#[cfg(feature = "json")]
pub use object::{Object, ObjectError};
pub use open_enum::Unrecognized;
pub use operation::{Operation, OperationExt, RawOperation};
pub use prepay::PrepayId;
pub use provider::{Opens, Provider, Readiness};
pub use redact::{Redacted, masked_text};
pub use refund_ledger::{LedgerError, RefundEntry, RefundGrant, RefundLedger};
pub use route::{ClientAuth, Effect, FixedHost, ReplyTrust, Route, RouteInfo};
pub use rule::{Alphabet, Rule, RuleBroken, Unit};
pub use secret::{Secret, constant_time_eq};
pub use settle::{Observation, Repeat, Settle, SettleRule, SettleStep, SettleVerdict, Standing};
#[cfg(feature = "json")]
pub use taker::JsonTaker;
pub use taker::{JsonForm, Loose, Quoted, Taker, WireText};
pub use time::{CalendarDate, Clock14, ClockDashed, Rfc3339, TimeError, UnixTime};

#[doc(hidden)]
pub mod __private {
    //! What `open_enum!` expands to; not part of the public face.
    #[cfg(feature = "json")]
    pub use serde;
}
