//! `POST /v3/pay/transactions/app`: places an order that is paid from a mobile app.
//!
//! Repeatable: the identical order under the same number is answered again, and its prepay id is valid again. Other
//! parameters under the same number are refused. The account's app must be the mobile app of the open platform; where the
//! merchant has others as well, [`Account::for_app`] chooses it. Published as "APP下单"; v3 sheet, section 13.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Extra, OpenError, Operation, Route, Verified};

use crate::handed_out::HandedOut as _;
use crate::order_terms::Placement;
use crate::private::Raw;
use crate::{Account, Message, OrderTerms, PrepayId, Reply, Scene};

/// An order that is paid from a mobile app. Who pays is whoever is logged in to WeChat on that phone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceAppOrder {
    /// What every order says.
    pub terms: OrderTerms,
    /// `scene_info`: where it is placed.
    pub scene: Option<Scene>,
}

/// The platform took the order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedAppOrder {
    /// `prepay_id`: what [`Account::app_params`] needs, for two hours.
    pub prepay_id: PrepayId,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl PlacedAppOrder {
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

impl PlaceAppOrder {
    /// An order on these terms.
    #[must_use]
    pub const fn new(terms: OrderTerms) -> Self {
        Self { terms, scene: None }
    }
}

impl Operation for PlaceAppOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedAppOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_app_order",
        Method::POST,
        "/v3/pay/transactions/app",
        Effect::Repeatable,
    )
    .with_partner_path("/v3/pay/partner/transactions/app");

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.terms
            .message(Placement::App, self.scene.as_ref(), account, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedAppOrder, OpenError> {
        PlacedAppOrder::read(inbound.get(), &Self::ROUTE)
    }
}
