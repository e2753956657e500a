//! `POST /v3/combine-transactions/h5`: places orders of several merchants that are paid together, from a browser outside WeChat, on a phone.
//!
//! Repeatable: the identical order under the same numbers is answered again. Other parameters under the same numbers are
//! refused. Published as "合单H5下单"; v3 sheet, section 20.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use super::PlacedH5Order;
use crate::combined::CombinedPlacement;
use crate::{Account, CombinedScene, CombinedTerms, H5Info, Message, Reply};

/// Orders of several merchants that are paid together, from a browser outside WeChat, on a phone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceCombinedH5Order {
    /// What every combined order says.
    pub terms: CombinedTerms,
    /// `scene_info`: where it is placed. Its address is the payer's own as the platform will see it; this machine's is
    /// refused here.
    pub scene: CombinedScene,
    /// `scene_info.h5_info`: from what the payer pays.
    pub h5: H5Info,
}

impl PlaceCombinedH5Order {
    /// An order on these terms, of a payer in that place, who pays from that.
    #[must_use]
    pub const fn new(terms: CombinedTerms, scene: CombinedScene, h5: H5Info) -> Self {
        Self { terms, scene, h5 }
    }
}

impl Operation for PlaceCombinedH5Order {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedH5Order;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_combined_h5_order",
        Method::POST,
        "/v3/combine-transactions/h5",
        Effect::Repeatable,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let placement = CombinedPlacement::H5 { info: &self.h5 };
        self.terms.message(placement, Some(&self.scene), account, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedH5Order, OpenError> {
        PlacedH5Order::read(inbound.get(), &Self::ROUTE)
    }
}
