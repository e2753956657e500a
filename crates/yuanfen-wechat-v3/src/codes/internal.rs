//! The internal number of an error, which stands behind the last `-` of `Request-ID`. v3 sheet, section 10.3.

use std::fmt;

/// The platform's internal number of an error. It says more exactly than the code what was wrong; the platform promises
/// nothing about it, so it is for people and logs, never a ground for what to do with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InternalNumber(u64);

impl InternalNumber {
    /// The number in a `Request-ID` (of a refusal: `remote_request_id`). `None` where there is none, or it is 0, which is
    /// success.
    ///
    /// ```
    /// use yuanfen_wechat_v3::codes::InternalNumber;
    /// let number = InternalNumber::of("08F78BB5AB0610D302188F8A4F20A0A0-268443704");
    /// assert_eq!(number.and_then(InternalNumber::sentence), Some("`sub_mchid` is missing"));
    /// assert_eq!(InternalNumber::of("08F78BB5AB0610D302188F8A4F20A0A0-0"), None);
    /// ```
    #[must_use]
    pub fn of(request_id: &str) -> Option<Self> {
        let (_, number) = request_id.rsplit_once('-')?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        number.parse().ok().filter(|number| *number != 0).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// What it says, where that is known.
    #[must_use]
    pub fn sentence(self) -> Option<&'static str> {
        KNOWN
            .iter()
            .find(|(number, _)| *number == self.0)
            .map(|(_, sentence)| *sentence)
    }
}

impl fmt::Display for InternalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const KNOWN: &[(u64, &str)] = &[
    (268_512_771, "the order does not exist"),
    (268_447_840, "too many calls"),
    (268_435_461, "a parameter is not allowed"),
    (268_435_464, "a value is out of its range"),
    (270_924_358, "there is a parameter that the call does not have"),
    (268_449_538, "the order is paid already"),
    (268_498_689, "the order is paid already"),
    (268_447_914, "the order has expired or is closed"),
    (268_443_699, "the signature is wrong"),
    (268_443_715, "the merchant is disabled"),
    (268_447_843, "the merchant number is not that of the order"),
    (268_447_845, "the sub-merchant is not that of the order"),
    (268_443_705, "the sub-merchant is the provider itself"),
    (268_443_704, "`sub_mchid` is missing"),
    (268_443_701, "the provider was not accepted by the sub-merchant"),
    (268_448_010, "the merchant's receiving is restricted"),
    (268_449_641, "the order must be reversed, not closed"),
    (268_501_013, "the open id is missing"),
    (268_498_688, "the number was used before with other parameters"),
    (268_445_527, "app id and merchant number are not bound to each other"),
];
