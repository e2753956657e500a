//! What an order hands out for its payer: a prepay id, the text of a QR code, or an address. v3 sheet, section 13.4.

use std::fmt;

use yuanfen_core::{
    Address, Alphabet, BuildError, Extra, FieldError, JsonTaker, OpenError, PrepayId, Route, Rule, UnixTime, ValueError,
};

use crate::private::Raw;
use crate::{Reply, segment};

/// A thing that an order hands out under a name, good for a time.
pub(crate) trait HandedOut: Sized {
    const MEMBER: &'static str;

    /// Takes the text as it was issued at that moment, where it is of its form.
    fn issued_at(text: String, at: UnixTime) -> Result<Self, ValueError>;

    /// Reads it out of the answer of a placing call, with what else came and the body.
    fn read(reply: &Reply, route: &Route) -> Result<(Self, Extra, Raw), OpenError> {
        let object = reply.object(route)?;
        let mut taker = JsonTaker::new(&object);
        let text = taker.need(Self::MEMBER)?;
        let handed_out =
            Self::issued_at(text, reply.answered_at()).map_err(|problem| FieldError::new(Self::MEMBER, problem))?;
        Ok((handed_out, taker.rest(), Raw(reply.raw().clone())))
    }
}

const VISIBLE: Alphabet = Alphabet::new("printable ASCII without blanks", |character| {
    character.is_ascii_graphic()
});

/// The documents say 64 characters; what the platform sends is not refused for its length before twice that.
pub(crate) const PREPAY_ID: Rule = Rule::new("prepay_id", 128)
    .alphabet(VISIBLE)
    .source("v3 sheet, section 13.4");

/// Twice the documented length, as above.
const CODE_URL: Rule = Rule::new("code_url", 1024)
    .alphabet(VISIBLE)
    .source("v3 sheet, section 13.4");

impl HandedOut for PrepayId {
    const MEMBER: &'static str = "prepay_id";

    fn issued_at(text: String, at: UnixTime) -> Result<Self, ValueError> {
        PREPAY_ID.check(&text).map_err(|_: BuildError| ValueError::Form {
            expected: "a prepay id: printable ASCII without blanks, at most 128 characters",
        })?;
        Ok(Self::issued(text, at))
    }
}

/// `code_url`: what the QR code says that the payer scans (`weixin://…`), for two hours. Users' clients take it from the
/// camera only, not from a picture in an album or a long press.
///
/// Whoever has it can pay the order, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeUrl {
    text: Box<str>,
    issued_at: UnixTime,
}

impl CodeUrl {
    /// How long it is good for, in seconds. A later one is had by repeating the identical order.
    pub const LIFE: i64 = 2 * 60 * 60;

    /// The text of the QR code, exactly as it is drawn.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// Whether its two hours are over.
    #[must_use]
    pub const fn is_expired(&self, now: UnixTime) -> bool {
        now.since(self.issued_at) >= Self::LIFE
    }
}

impl HandedOut for CodeUrl {
    const MEMBER: &'static str = "code_url";

    fn issued_at(text: String, at: UnixTime) -> Result<Self, ValueError> {
        CODE_URL.check(&text).map_err(|_: BuildError| ValueError::Form {
            expected: "the text of a QR code: printable ASCII without blanks, at most 1024 characters",
        })?;
        Ok(Self {
            text: text.into(),
            issued_at: at,
        })
    }
}

impl fmt::Debug for CodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeUrl")
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

/// `h5_url`: the address that the payer's browser is sent to, for five minutes. The browser must come from a page on the
/// domain that is registered for H5 payment: the platform looks at its `Referer`, so a page that suppresses it cannot pay.
///
/// Whoever has it can pay the order, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct H5Url {
    address: Address,
    issued_at: UnixTime,
}

impl H5Url {
    /// How long it is good for, in seconds. A later one is had by repeating the identical order.
    pub const LIFE: i64 = 5 * 60;

    /// The address as it came: the browser comes back to the page that it was sent from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.address.as_str()
    }

    /// The address with `redirect_url` behind it, percent-encoded: the browser comes back to that page, which must be on
    /// the registered domain. That it came back says nothing about the payment: ask the payer, and query.
    ///
    /// ```
    /// # use yuanfen_core::{Address, AddressError};
    /// # fn example(url: &yuanfen_wechat_v3::H5Url) -> Result<(), AddressError> {
    /// let back = Address::parse("redirect_url", "https://shop.example/paid?order=A1&lang=zh")?;
    /// let link = url.returning_to(&back);
    /// assert!(link.ends_with("redirect_url=https%3A%2F%2Fshop.example%2Fpaid%3Forder%3DA1%26lang%3Dzh"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn returning_to(&self, page: &Address) -> String {
        let address = self.as_str();
        let joint = if address.contains('?') { '&' } else { '?' };
        format!("{address}{joint}redirect_url={}", segment(page.as_str()))
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// Whether its five minutes are over.
    #[must_use]
    pub const fn is_expired(&self, now: UnixTime) -> bool {
        now.since(self.issued_at) >= Self::LIFE
    }
}

impl HandedOut for H5Url {
    const MEMBER: &'static str = "h5_url";

    fn issued_at(text: String, at: UnixTime) -> Result<Self, ValueError> {
        let expected = "an address that a browser can be sent to, without a fragment";
        match Address::parse(Self::MEMBER, &text) {
            // Behind a fragment nothing could be appended.
            Ok(address) if !text.contains('#') => Ok(Self { address, issued_at: at }),
            Ok(_) | Err(_) => Err(ValueError::Form { expected }),
        }
    }
}

impl fmt::Debug for H5Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H5Url")
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}
