//! `POST /v3/pay/transactions/jsapi`: places an order that is paid inside WeChat, in an official account's page or in a mini
//! program.
//!
//! Repeatable: the identical order under the same number is answered again, and its prepay id is valid again. Other
//! parameters under the same number are refused. Published as "JSAPI下单" and "小程序下单"; v3 sheet, section 13.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Extra, OpenError, Operation, Route, Verified};

use crate::handed_out::HandedOut as _;
use crate::order_terms::Placement;
use crate::private::Raw;
use crate::{Account, Message, OrderTerms, Payer, PrepayId, Reply, Scene};

/// An order that is paid in an official account's page or in a mini program.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceJsapiOrder {
    /// What every order says.
    pub terms: OrderTerms,
    /// `payer`: an open id of at most 128 characters, and under which app it was obtained.
    pub payer: Payer,
    /// `scene_info`: where it is placed.
    pub scene: Option<Scene>,
}

/// The platform took the order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedJsapiOrder {
    /// `prepay_id`: what the payer's page needs, for two hours.
    pub prepay_id: PrepayId,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl PlacedJsapiOrder {
    pub(super) fn read(reply: &Reply, route: &Route) -> Result<Self, OpenError> {
        let (prepay_id, extra, raw) = PrepayId::read(reply, route)?;
        Ok(Self { prepay_id, extra, raw })
    }

    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl PlaceJsapiOrder {
    /// An order that is paid by that payer.
    pub fn new(terms: OrderTerms, payer: impl Into<Payer>) -> Self {
        Self {
            terms,
            payer: payer.into(),
            scene: None,
        }
    }
}

impl Operation for PlaceJsapiOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedJsapiOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_jsapi_order",
        Method::POST,
        "/v3/pay/transactions/jsapi",
        Effect::Repeatable,
    )
    .with_partner_path("/v3/pay/partner/transactions/jsapi");

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let placement = Placement::Jsapi { payer: &self.payer };
        self.terms.message(placement, self.scene.as_ref(), account, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedJsapiOrder, OpenError> {
        PlacedJsapiOrder::read(inbound.get(), &Self::ROUTE)
    }
}
