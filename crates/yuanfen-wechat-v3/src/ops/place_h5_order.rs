//! `POST /v3/pay/transactions/h5`: places an order that is paid from a browser outside WeChat, on a phone.
//!
//! Repeatable: the identical order under the same number is answered again with a valid address. Other parameters under
//! the same number are refused. Not inside a mini program: there the order is a JSAPI one. Published as "H5下单"; v3 sheet,
//! section 13.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Extra, OpenError, Operation, Route, Verified};

use crate::handed_out::HandedOut as _;
use crate::order_terms::Placement;
use crate::private::Raw;
use crate::{Account, H5Info, H5Url, Message, OrderTerms, Reply, Scene};

/// An order that is paid from a browser outside WeChat, on a phone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceH5Order {
    /// What every order says.
    pub terms: OrderTerms,
    /// `scene_info`: where it is placed. Its address is the payer's own as the platform will see it, not the server's and
    /// not that of a proxy: the platform refuses to open the cashier where they differ. This machine's is refused here.
    pub scene: Scene,
    /// `scene_info.h5_info`: from what the payer pays.
    pub h5: H5Info,
}

/// The platform took the order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedH5Order {
    /// `h5_url`: where the payer's browser goes, for five minutes.
    pub h5_url: H5Url,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl PlacedH5Order {
    pub(super) fn read(reply: &Reply, route: &Route) -> Result<Self, OpenError> {
        let (h5_url, extra, raw) = H5Url::read(reply, route)?;
        Ok(Self { h5_url, extra, raw })
    }

    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl PlaceH5Order {
    /// An order on these terms, of a payer in that place, who pays from that.
    #[must_use]
    pub const fn new(terms: OrderTerms, scene: Scene, h5: H5Info) -> Self {
        Self { terms, scene, h5 }
    }
}

impl Operation for PlaceH5Order {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedH5Order;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_h5_order",
        Method::POST,
        "/v3/pay/transactions/h5",
        Effect::Repeatable,
    )
    .with_partner_path("/v3/pay/partner/transactions/h5");

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let placement = Placement::H5 { info: &self.h5 };
        self.terms.message(placement, Some(&self.scene), account, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedH5Order, OpenError> {
        PlacedH5Order::read(inbound.get(), &Self::ROUTE)
    }
}
