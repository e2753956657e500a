//! The cashier page: fshows sheet, section 10. Arriving at the call-back address proves nothing.

use yuanfen_core::{Address, BuildError, Fields, PrepayId, UnixTime};

use crate::Account;

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
