//! The cashier page: fshows sheet, section 10. Arriving at the call-back address proves nothing.

use std::fmt;

use yuanfen_core::{Address, BuildError, Fields, UnixTime};

use crate::Account;

/// `prepay_id` with the moment it was issued. It is good for two hours.
#[derive(Clone, PartialEq, Eq)]
pub struct PrepayId {
    id: Box<str>,
    issued_at: UnixTime,
}

impl PrepayId {
    /// How long it is good for, in seconds (the owner's document, row `prepay_id`).
    pub const LIFE: i64 = 2 * 60 * 60;

    /// One that the platform answered at that moment. Where it comes out of your own storage, store the moment too.
    pub fn issued(id: impl Into<Box<str>>, at: UnixTime) -> Self {
        Self {
            id: id.into(),
            issued_at: at,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.id
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

impl fmt::Debug for PrepayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrepayId")
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// The address to send the payer's WeChat browser to. The page invokes the wallet and then goes to
    /// `callback_url`. Mini programs cannot use it.
    ///
    /// # Errors
    /// When the prepay id's two hours are over.
    pub fn cashier_page(
        &self,
        prepay_id: &PrepayId,
        callback_url: &Address,
        now: UnixTime,
    ) -> Result<String, BuildError> {
        if prepay_id.is_expired(now) {
            return Err(BuildError::Time {
                field: "prepay_id",
                problem: "is older than two hours; query the order, then place a new one",
            });
        }
        let fields = Fields::try_from(
            &[
                ("prepay_id", prepay_id.as_str()),
                ("callback_url", callback_url.as_str()),
            ][..],
        )
        .map_err(BuildError::encode)?;
        Ok(format!(
            "{}?{}",
            self.base.join("/payPage/"),
            yuanfen_form::write_query(&fields)
        ))
    }
}
