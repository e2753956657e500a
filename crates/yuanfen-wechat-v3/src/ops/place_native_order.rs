//! `POST /v3/pay/transactions/native`: places an order that is paid by scanning a QR code that the shop shows.
//!
//! Repeatable: the identical order under the same number is answered again with a valid code. Other parameters under the
//! same number are refused. Published as "Native下单"; v3 sheet, section 13.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Extra, OpenError, Operation, Route, Verified};

use crate::handed_out::HandedOut as _;
use crate::order_terms::Placement;
use crate::private::Raw;
use crate::{Account, CodeUrl, Message, OrderTerms, Reply, Scene};

/// An order that is paid by scanning a QR code that the shop shows. Who pays is whoever scans it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceNativeOrder {
    /// What every order says.
    pub terms: OrderTerms,
    /// `scene_info`: where it is placed.
    pub scene: Option<Scene>,
}

/// The platform took the order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedNativeOrder {
    /// `code_url`: what the QR code says, for two hours.
    pub code_url: CodeUrl,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl PlacedNativeOrder {
    pub(super) fn read(reply: &Reply, route: &Route) -> Result<Self, OpenError> {
        let (code_url, extra, raw) = CodeUrl::read(reply, route)?;
        Ok(Self { code_url, extra, raw })
    }

    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl PlaceNativeOrder {
    /// An order on these terms.
    #[must_use]
    pub const fn new(terms: OrderTerms) -> Self {
        Self { terms, scene: None }
    }
}

impl Operation for PlaceNativeOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedNativeOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_native_order",
        Method::POST,
        "/v3/pay/transactions/native",
        Effect::Repeatable,
    )
    .with_partner_path("/v3/pay/partner/transactions/native");

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.terms
            .message(Placement::Native, self.scene.as_ref(), account, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedNativeOrder, OpenError> {
        PlacedNativeOrder::read(inbound.get(), &Self::ROUTE)
    }
}
