//! Which path is whose, and what a platform's module gives.
//!
//! To add a platform: a variant of [`Platform`] (and its rows in `ALL` and `name`), a module with a type that
//! implements [`PlatformSide`], and a row in [`all`]. Its credentials go to `keys.rs`, its getter to `far_side.rs`.

mod flat_json;
mod fshows;
mod mpgateway;
mod operations;
mod pages;
mod rates;
mod starpos;
mod wechat_v2;
mod wechat_v3;
mod wechat_web;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use yuanfen_core::{Ambient, UnixTime};

pub use self::starpos::StarposPush;
use self::wechat_web::WechatWeb;
use crate::Settings;
use crate::ambient::SeededAmbient;
use crate::arrival::ClientCertificate;
use crate::bills::Holder;
use crate::book::{Account, Book, Order, Refund};
use crate::deliver::{About, Event};
use crate::diagnosis::{Divergence, Inquiry};
use crate::exchange::{ReplyTrust, SignatureVerdict};
use crate::faults::{FaultKind, RefusalWords, Strikes, Subject};
use crate::keys::{CertifiedKey, KeyError, KeySet};

/// A platform that the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Platform {
    /// WeChat Pay v2 (XML), at the root.
    WechatV2,
    /// WeChat Pay APIv3 (JSON), at the root, and WeChat's web for the apps of its merchants.
    WechatV3,
    /// StarPos, under `/starpos`, and WeChat's web for its own app at the root.
    Starpos,
    /// fshows, under `/fshows`.
    Fshows,
    /// mpgateway, under `/mpgateway`.
    Mpgateway,
}

impl Platform {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::WechatV2,
        Self::WechatV3,
        Self::Starpos,
        Self::Fshows,
        Self::Mpgateway,
    ];

    /// The name, as in `wechat-v2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WechatV2 => "wechat-v2",
            Self::WechatV3 => "wechat-v3",
            Self::Starpos => "starpos",
            Self::Fshows => "fshows",
            Self::Mpgateway => "mpgateway",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such platform")]
#[non_exhaustive]
pub struct UnknownPlatform;

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        Self::ALL
            .iter()
            .copied()
            .find(|platform| platform.name() == text)
            .ok_or(UnknownPlatform)
    }
}

/// Whether a path is one of WeChat's web, which belongs to every platform with an app.
pub(crate) fn is_web_page(path: &str) -> bool {
    wechat_web::operation(path).is_some()
}

/// What WeChat's web says where it fails.
pub(crate) fn busy_web() -> Response<Bytes> {
    WechatWeb::busy()
}

/// Every platform's side, with its keys of a set.
pub(crate) fn all(keys: &KeySet) -> Result<Vec<Box<dyn PlatformSide>>, KeyError> {
    Ok(vec![
        Box::new(wechat_v2::WechatV2::new(keys)?),
        // In front of APIv3, which answers for every app of WeChat's web that is not known here.
        Box::new(starpos::Starpos::new(keys)?),
        Box::new(wechat_v3::WechatV3::new(keys)?),
        Box::new(fshows::Fshows::new(keys)?),
        Box::new(mpgateway::Mpgateway::new(keys)?),
    ])
}

/// What APIv3's gateway says of a call that it does not let through; `None` where the path is not APIv3's.
pub(crate) fn gateway_refusal(path: &str, status: StatusCode) -> Option<Response<Bytes>> {
    path.starts_with("/v3/").then(|| wechat_v3::gateway_refusal(status))
}

/// What is said where no platform lives: in JSON, which an SDK of APIv3 with a wrong path reads.
pub(crate) fn nobody() -> Response<Bytes> {
    wechat_v3::gateway_refusal(StatusCode::NOT_FOUND)
}

/// A call as it arrived.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    /// Path and query exactly as sent.
    pub(crate) target: &'a str,
    /// The path alone, exactly as sent; an acquirer's with the sandbox's prefix, also where its own host has none.
    pub(crate) path: &'a str,
    /// What stands behind the `?`.
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// Where the caller reached the sandbox, without a slash at its end.
    pub(crate) base_url: &'a str,
    pub(crate) certificate: &'a ClientCertificate,
}

impl Call<'_> {
    /// The header's text, if it is there once and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }
}

/// What is agreed with a platform outside its protocol: over the telephone, in its back office.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    /// Where StarPos pushes what happens, if anywhere.
    StarposPushUrl(Option<String>),
    /// How StarPos writes its push.
    StarposPush(StarposPush),
    /// StarPos calls what is not paid `Z` (unknown) rather than `A` (waiting).
    StarposIsUnsure(bool),
    /// StarPos signs its replies to `pubSigPay`.
    StarposSignsPayments(bool),
    /// The merchant of WeChat Pay APIv3 has the public key alone.
    WechatV3PublicKeyOnly(bool),
    /// WeChat Pay v2 answers the next so many reversals with "ask again", without effect.
    WechatV2RecallsReversals(u32),
    /// WeChat Pay v2 closes no order within five minutes.
    WechatV2KeepsFiveMinutes(bool),
    /// WeChat Pay APIv3 closes no order within five minutes.
    WechatV3KeepsFiveMinutes(bool),
    /// WeChat Pay of either version minds how often a merchant calls.
    WechatKeepsRates(bool),
    /// mpgateway pays orders placed from now on as 1002 first, and as 0000 later.
    MpgatewayHoldsPayments(bool),
}

/// What a platform's module gives. One lock guards the whole far side, so nothing here may wait.
pub(crate) trait PlatformSide: Send {
    /// Which one.
    fn platform(&self) -> Platform;

    /// Whether a call is this platform's.
    fn owns(&self, call: &Call<'_>) -> bool;

    /// The operation that a call is, in the sandbox's words; `unknown` where it is none. The fault plan matches it.
    fn operation(&self, call: &Call<'_>) -> &'static str;

    /// Answers a call. What the check of the signature came to is told to the desk.
    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes>;

    /// Who makes a call and about which order, as far as its words say. The fault plan matches it; nothing is checked.
    fn subject(&self, call: &Call<'_>, book: &mut Book, now: UnixTime) -> Subject;

    /// The unsigned error that leaves the outcome open, in this platform's form.
    fn unsigned_error(&self, desk: &mut Desk<'_>) -> Response<Bytes>;

    /// "System error" after a call took effect, signed where this platform signs errors.
    fn system_error(&self, _call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        self.unsigned_error(desk)
    }

    /// A number for a new payment.
    fn transaction_id(&self, ambient: &SeededAmbient) -> String;

    /// The kind of account that payers have here unless told otherwise.
    fn default_bank(&self) -> &'static str;

    /// Whether an order is over once its payer failed; else another attempt may succeed.
    fn failure_is_final(&self) -> bool {
        false
    }

    /// Takes what was agreed, if it is about this platform.
    fn set(&mut self, _setting: &Setting) {}

    /// Says what is agreed at present, where it is about this platform.
    fn tell(&self, _settings: &mut Settings) {}

    /// What is told to whom after a payment: one notice to the order's address, unless the platform does more.
    fn after_payment(&self, order: &Order) -> Vec<Posting> {
        Posting::to(order.notify_url.as_deref(), About::Payment)
            .into_iter()
            .collect()
    }

    /// What is told to whom after a refund came to its end: one notice to the refund's address, unless the platform
    /// does more or none.
    fn after_refund(&self, _order: &Order, refund: &Refund) -> Vec<Posting> {
        Posting::to(refund.notify_url.as_deref(), About::Refund(refund.refund_no.clone()))
            .into_iter()
            .collect()
    }

    /// Writes a notice, signed for this very attempt. The address is the event's; method, headers and body are the
    /// platform's. `None` where the order or refund is gone.
    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>>;

    /// Whether a shop's answer ends the ladder.
    fn acknowledges(&self, status: StatusCode, body: &[u8]) -> bool;

    /// How long to wait after so many attempts (at least 1) that were not acknowledged; `None` gives up.
    fn wait_after(&self, attempts: usize) -> Option<Duration>;

    /// Checks the parameters that a page hands to the payer's app, and names the order they are for.
    ///
    /// # Errors
    /// When they are not what this platform's cashier takes.
    fn open_cashier(&self, _parameters: &[(&str, &str)], _desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        Err(PageRefused::NoCashier)
    }

    /// Whose name stands on the bills of an account, where the platform makes bills.
    fn holder(&self, _account: Account) -> Option<Holder<'_>> {
        None
    }

    /// A code as `wx.login` gives it in that app, where the app is known here.
    fn login_code(&mut self, _app_id: &str, _ambient: &SeededAmbient) -> Option<String> {
        None
    }

    /// Checks what a page at that address hands to `wx.config`.
    ///
    /// # Errors
    /// When WeChat's app would refuse it.
    fn open_page(&self, _url: &str, _parameters: &[(&str, &str)], _desk: &Desk<'_>) -> Result<(), PageRefused> {
        Err(PageRefused::Parameter("appId"))
    }

    /// The serial, certificate and key that sign at present, where the platform has such.
    fn signing_certificate(&self) -> Option<(String, CertifiedKey)> {
        None
    }

    /// The serial of the merchant's certificate, where the platform wants one.
    fn merchant_serial(&self) -> Option<String> {
        None
    }

    /// The serial of the service provider's certificate, where the platform wants one.
    fn provider_serial(&self) -> Option<String> {
        None
    }

    /// Changes the key that signs from now on and gives its serial, where the platform has such keys.
    fn rotate_key(&mut self) -> Option<String> {
        None
    }
}

/// A notice to be sent.
#[derive(Debug)]
pub(crate) struct Posting {
    pub(crate) about: About,
    pub(crate) url: String,
    /// How long after the event it is sent first.
    pub(crate) after: Duration,
    /// Which of several notices about the same thing, counted from 0.
    pub(crate) stage: u8,
}

impl Posting {
    /// At once, if there is an address.
    pub(crate) fn to(url: Option<&str>, about: About) -> Option<Self> {
        url.map(|url| Self {
            about,
            url: url.to_owned(),
            after: Duration::ZERO,
            stage: 0,
        })
    }
}

/// Why the payer's app does not open the cashier on what a page hands it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageRefused {
    /// Payers of this platform get to the cashier in another way.
    #[error("this platform's cashier takes no parameters from a page")]
    NoCashier,
    /// A parameter is absent or not of its form.
    #[error("`{0}` is absent or not of its form")]
    Parameter(&'static str),
    /// The signature does not hold.
    #[error("the signature over the parameters does not hold")]
    Signature,
    /// No order has this prepay id, or it is too old: two hours, five minutes for the address of an H5 cashier. Of
    /// `wx.config`: the app has no ticket, or it is older than two hours.
    #[error("no order has this prepay id, or it expired")]
    Expired,
}

/// What a platform's module works with while it answers one call or writes one notice.
pub(crate) struct Desk<'a> {
    pub(crate) book: &'a mut Book,
    pub(crate) ambient: &'a SeededAmbient,
    /// Where the caller reaches the sandbox, without a slash at its end.
    pub(crate) base_url: &'a str,
    strikes: &'a Strikes,
    verdict: SignatureVerdict,
    text: Option<String>,
    inquiry: Option<Inquiry>,
    trust: Cell<ReplyTrust>,
}

impl<'a> Desk<'a> {
    pub(crate) const fn new(
        book: &'a mut Book,
        ambient: &'a SeededAmbient,
        base_url: &'a str,
        strikes: &'a Strikes,
    ) -> Self {
        Self {
            book,
            ambient,
            base_url,
            strikes,
            verdict: SignatureVerdict::NotChecked,
            text: None,
            inquiry: None,
            trust: Cell::new(ReplyTrust::Unsigned),
        }
    }

    /// Now, for everything but signing.
    pub(crate) fn now(&self) -> UnixTime {
        self.ambient.now()
    }

    /// Now, as the platform's signing clock shows it: what the age of a caller's signature is counted from. It stays
    /// with the caller's clock when the business is advanced.
    pub(crate) fn judging_now(&self) -> UnixTime {
        let now = self.ambient.clock().real_now().seconds();
        UnixTime::from_seconds(now.saturating_add(self.strikes.skew_seconds()))
    }

    /// What is signed as the time of signing: by the same clock, and earlier where the plan makes answers stale.
    pub(crate) fn signing_now(&self) -> UnixTime {
        let now = self.judging_now().seconds();
        UnixTime::from_seconds(now.saturating_sub(self.strikes.stale_seconds()))
    }

    /// The order as it is told of: other than the book has it, where the plan says so.
    pub(crate) fn told<'o>(&self, order: &'o Order) -> Cow<'o, Order> {
        self.strikes.told(order)
    }

    /// What a platform is to refuse this call with, whatever it asks for.
    pub(crate) fn refusal(&self, platform: Platform) -> Option<&'static RefusalWords> {
        self.strikes.refusal()?.words(platform)
    }

    /// Notes what the check of the caller's signature came to, and over which text (keys masked).
    pub(crate) fn checked(&mut self, verdict: SignatureVerdict, text: Option<String>) {
        self.verdict = verdict;
        self.text = text;
    }

    /// Notes how to find out what the caller signed instead, should anybody ask.
    pub(crate) fn inquire(&mut self, inquiry: impl Fn() -> Option<Divergence> + Send + Sync + 'static) {
        self.inquiry = Some(Arc::new(inquiry));
    }

    pub(crate) fn into_checked(self) -> Checked {
        Checked {
            verdict: self.verdict,
            text: self.text,
            inquiry: self.inquiry,
            trust: self.trust.get(),
        }
    }

    /// Every signature that leaves the sandbox goes through here, so that a plan can spoil it.
    pub(crate) fn outgoing_signature(&self, signature: String) -> String {
        self.trust.set(if self.spoils() {
            ReplyTrust::Spoiled
        } else {
            ReplyTrust::Signed
        });
        self.outgoing_digest(signature)
    }

    /// What stands in a signature's place to try the caller.
    pub(crate) fn outgoing_probe(&self, probe: String) -> String {
        self.trust.set(ReplyTrust::Spoiled);
        probe
    }

    /// What was answered so far is not what leaves.
    pub(crate) fn begin_another_answer(&self) {
        self.trust.set(ReplyTrust::Unsigned);
    }

    /// What was answered is changed on its way, so that no signature of it holds.
    pub(crate) fn damage_answer(&self) {
        if self.trust.get() == ReplyTrust::Signed {
            self.trust.set(ReplyTrust::Spoiled);
        }
    }

    /// The same of a digest, which anybody can make and which proves nothing of who did.
    pub(crate) fn outgoing_digest(&self, digest: String) -> String {
        if self.spoils() { spoil(&digest) } else { digest }
    }

    /// Whether signatures are to be spoiled.
    fn spoils(&self) -> bool {
        self.strikes.has(FaultKind::CorruptSignature) || self.strikes.has(FaultKind::ProbeSignature)
    }

    /// Whether this signature is to be a probe, where the platform has the custom.
    pub(crate) fn probes(&self) -> bool {
        self.strikes.has(FaultKind::ProbeSignature)
    }

    /// Whether replies and notices are to carry a field nobody has documented.
    pub(crate) fn adds_fields(&self) -> bool {
        self.strikes.has(FaultKind::AddFields)
    }

    /// The value of an enumeration that may grow.
    pub(crate) fn open_value<'v>(&self, value: &'v str) -> &'v str {
        if self.strikes.has(FaultKind::UnknownValues) {
            "SANDBOX_NEW_VALUE"
        } else {
            value
        }
    }
}

/// What the check of a caller's signature came to, and what the platform's own answer proves.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) verdict: SignatureVerdict,
    pub(crate) text: Option<String>,
    pub(crate) inquiry: Option<Inquiry>,
    pub(crate) trust: ReplyTrust,
}

/// A signature of the same form that does not hold: its first letter or digit is another one.
fn spoil(signature: &str) -> String {
    let mut characters = signature.chars();
    match characters.next() {
        Some('0') => format!("1{}", characters.as_str()),
        // A digit is a digit of base64 and of hex in either case.
        Some(_) => format!("0{}", characters.as_str()),
        None => String::new(),
    }
}
