//! The refund notice: encrypted, not signed. v2 sheet, section 8.2.
//!
//! Its cipher has no integrity: blocks can be replayed and spliced by anyone who has seen messages, and the fields
//! around it are bare. It can only say which refund to query.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_core::{
    ClockDashed, Extra, Fen, FieldError, Fields, Hint, Lookup, NotificationSource as _, OpenError, OrderNo,
    ProtocolError, ProtocolErrorKind, RefundNo, RemoteId, Standing, Taker, UnixTime, Unsigned, open_enum,
};
use yuanfen_sign::legacy::aes_256_ecb_open;
use yuanfen_xml::MESSAGE_LIMITS;

use crate::Account;

open_enum! {
    /// `refund_status`: notices carry the three final ones.
    pub enum RefundStatus {
        /// In the works.
        Processing = "PROCESSING",
        /// Refunded.
        Success = "SUCCESS",
        /// Did not reach the payer; needs handling in the console (退款异常).
        Change = "CHANGE",
        /// Closed.
        Closed = "REFUNDCLOSE",
    }
}

impl RefundStatus {
    /// What it means for settling a refund. One that did not reach the payer (`CHANGE`) is there and must be handled,
    /// never sent again under another number; a state that this version does not know is still being decided.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self {
            Self::Success => Standing::Succeeded,
            Self::Processing | Self::Change => Standing::Accepted,
            Self::Closed => Standing::Failed,
            Self::Unknown(_) => Standing::Pending,
        }
    }
}

/// What a refund notice says. Nothing proves it; query the refund before booking anything.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefundNotice {
    /// `out_refund_no`.
    pub refund_no: RefundNo,
    /// `refund_id`.
    pub refund_id: RemoteId,
    /// `out_trade_no`.
    pub order_no: OrderNo,
    /// `transaction_id`.
    pub transaction_id: RemoteId,
    /// `total_fee`, fen.
    pub total: Fen,
    /// `refund_fee`, fen.
    pub refund: Fen,
    /// `settlement_refund_fee`, fen.
    pub settlement_refund: Option<Fen>,
    /// `refund_status`.
    pub status: RefundStatus,
    /// `success_time`.
    pub succeeded_at: Option<UnixTime>,
    /// What else came, `refund_recv_accout` (spelled that way) among it.
    pub extra: Extra,
}

impl Account {
    /// Decrypts `req_info` of a refund notice.
    ///
    /// # Errors
    /// Every failure to decrypt looks alike, so that nobody learns from the difference.
    pub fn decrypt_refund_notice(&self, req_info: &str) -> Result<Unsigned<RefundNotice>, OpenError> {
        let fields = self.decrypt_refund_fields(req_info)?;
        RefundNotice::read(&fields).map(Unsigned::new).map_err(OpenError::from)
    }

    /// The plaintext's fields, untyped.
    pub(crate) fn decrypt_refund_fields(&self, req_info: &str) -> Result<Fields, OpenError> {
        let refused = || OpenError::from(ProtocolError::new(ProtocolErrorKind::Decrypt));
        let sealed = STANDARD.decode(req_info.trim()).map_err(|_| refused())?;
        let plaintext = aes_256_ecb_open(self.refund_key.expose(), &sealed).map_err(|_| refused())?;
        let document = yuanfen_xml::read(&plaintext, &MESSAGE_LIMITS).map_err(|_| refused())?;
        if document.root() == "root" {
            Ok(document.into_fields())
        } else {
            Err(refused())
        }
    }

    pub(super) fn refund_hint(&self, fields: &Fields) -> Result<Hint, OpenError> {
        let notice = self
            .decrypt_refund_notice(fields.filled("req_info").unwrap_or_default())?
            .into_inner();
        Ok(Hint::new(self.route(), Lookup::Refund(notice.refund_no)))
    }
}

impl RefundNotice {
    fn read(fields: &Fields) -> Result<Self, FieldError> {
        let mut taker = Taker::new(fields);
        Ok(Self {
            refund_no: taker.need("out_refund_no")?,
            refund_id: taker.need("refund_id")?,
            order_no: taker.need("out_trade_no")?,
            transaction_id: taker.need("transaction_id")?,
            total: taker.need("total_fee")?,
            refund: taker.need("refund_fee")?,
            settlement_refund: taker.maybe("settlement_refund_fee")?,
            status: taker.need("refund_status")?,
            succeeded_at: taker.maybe::<ClockDashed>("success_time")?.map(|clock| clock.0),
            extra: taker.rest(),
        })
    }
}
