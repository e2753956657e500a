//! `POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund`: sends the money of a refund that the payer's bank
//! did not take another way: to another card of the payer, or to the merchant's own card for the merchant to hand out.
//!
//! Query first: the refund is there under its number, and its query says whether this was taken. Published as "发起异常退款";
//! v3 sheet, section 17.4.

use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Effect, JsonTaker, OpenError, Operation, RefundNo, RemoteId, Route, Rule, Verified,
};

use super::refund::REFUND_NO;
use crate::transaction::foreign;
use crate::{Account, Ciphertext, Message, RefundRecord, Reply, Sensitive, segment};

/// Sends the money of a refund whose status is `ABNORMAL` another way. The refund keeps its number and its id.
///
/// Where it goes to a card of the payer, the account needs a key of the platform to encrypt with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApplyAbnormalRefund {
    /// `refund_id`: the platform's number of the refund, at most 32 characters.
    pub refund_id: RemoteId,
    /// `out_refund_no`: our number of the refund, at most 64 characters.
    pub refund_no: RefundNo,
    /// `type`, and what belongs to it.
    pub to: AbnormalRefundTo,
}

/// Where the money of an abnormal refund goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AbnormalRefundTo {
    /// `USER_BANK_CARD`: to a card of the payer.
    PayerCard(PayerCard),
    /// `MERCHANT_BANK_CARD`: to the card that the merchant's money is settled to. The merchant pays the payer.
    MerchantCard,
}

/// A card of the payer. Its number and the name leave this process encrypted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PayerCard {
    /// `bank_type`: the bank's identifier on the platform's list (`CMB_DEBIT`), at most 16 letters, digits and `_`.
    pub bank_type: String,
    /// `bank_account`: the card's number.
    pub account: Sensitive,
    /// `real_name`: the name of whom it belongs to.
    pub name: Sensitive,
}

impl PayerCard {
    /// The card of that bank, number and name.
    pub fn new(bank_type: impl Into<String>, account: Sensitive, name: Sensitive) -> Self {
        Self {
            bank_type: bank_type.into(),
            account,
            name,
        }
    }
}

impl ApplyAbnormalRefund {
    /// To a card of the payer.
    #[must_use]
    pub const fn to_payer(refund_id: RemoteId, refund_no: RefundNo, card: PayerCard) -> Self {
        Self {
            refund_id,
            refund_no,
            to: AbnormalRefundTo::PayerCard(card),
        }
    }

    /// To the merchant's own card.
    #[must_use]
    pub const fn to_merchant(refund_id: RemoteId, refund_no: RefundNo) -> Self {
        Self {
            refund_id,
            refund_no,
            to: AbnormalRefundTo::MerchantCard,
        }
    }
}

impl Operation for ApplyAbnormalRefund {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = RefundRecord;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "apply_abnormal_refund",
        Method::POST,
        "/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
        Effect::QueryFirst,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        REFUND_ID.check(self.refund_id.as_str())?;
        REFUND_NO.check(self.refund_no.as_str())?;
        let path = format!(
            "/v3/refund/domestic/refunds/{}/apply-abnormal-refund",
            segment(self.refund_id.as_str())
        );
        let sub_mchid = account.ids().sub_merchant_id()?;
        let out_refund_no = &self.refund_no;
        match &self.to {
            AbnormalRefundTo::MerchantCard => {
                let body = Body {
                    sub_mchid,
                    out_refund_no,
                    kind: "MERCHANT_BANK_CARD",
                    card: None,
                };
                Message::post(path, &body)
            }
            AbnormalRefundTo::PayerCard(card) => {
                BANK_TYPE.check(&card.bank_type)?;
                Message::post_encrypted(path, account, ambient, |cipher| {
                    cipher.body(&Body {
                        sub_mchid,
                        out_refund_no,
                        kind: "USER_BANK_CARD",
                        card: Some(Card {
                            bank_type: &card.bank_type,
                            bank_account: cipher.encrypt("bank_account", &card.account)?,
                            real_name: cipher.encrypt("real_name", &card.name)?,
                        }),
                    })
                })
            }
        }
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<RefundRecord, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let record = RefundRecord::take(&mut JsonTaker::new(&object), reply.raw().clone())?;
        if record.refund_id != self.refund_id {
            Err(foreign("refund_id").into())
        } else if record.refund_no != self.refund_no {
            Err(foreign("out_refund_no").into())
        } else {
            Ok(record)
        }
    }
}

const SHEET: &str = "v3 sheet, section 17.4";
const VISIBLE: Alphabet = Alphabet::new("printable ASCII without blanks", |character| {
    character.is_ascii_graphic()
});
const REFUND_ID: Rule = Rule::new("refund_id", 32).alphabet(VISIBLE).source(SHEET);
const BANK_TYPE: Rule = Rule::new("bank_type", 16).alphabet(Alphabet::WORD).source(SHEET);

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    out_refund_no: &'a RefundNo,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    card: Option<Card<'a>>,
}

#[derive(Serialize)]
struct Card<'a> {
    bank_type: &'a str,
    bank_account: Ciphertext<'a>,
    real_name: Ciphertext<'a>,
}
