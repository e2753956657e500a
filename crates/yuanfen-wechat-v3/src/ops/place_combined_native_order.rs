//! `POST /v3/combine-transactions/native`: places orders of several merchants that are paid together, by scanning a QR code that the shop shows.
//!
//! Repeatable: the identical order under the same numbers is answered again. Other parameters under the same numbers are
//! refused. Published as "合单Native下单"; v3 sheet, section 20.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use super::PlacedNativeOrder;
use crate::combined::CombinedPlacement;
use crate::{Account, CombinedScene, CombinedTerms, Message, Reply};

/// Orders of several merchants that are paid together, by scanning a QR code that the shop shows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceCombinedNativeOrder {
    /// What every combined order says.
    pub terms: CombinedTerms,
    /// `scene_info`: where it is placed.
    pub scene: Option<CombinedScene>,
}

impl PlaceCombinedNativeOrder {
    /// An order on these terms.
    #[must_use]
    pub const fn new(terms: CombinedTerms) -> Self {
        Self { terms, scene: None }
    }
}

impl Operation for PlaceCombinedNativeOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedNativeOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_combined_native_order",
        Method::POST,
        "/v3/combine-transactions/native",
        Effect::Repeatable,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let placement = CombinedPlacement::Native;
        self.terms.message(placement, self.scene.as_ref(), account, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedNativeOrder, OpenError> {
        PlacedNativeOrder::read(inbound.get(), &Self::ROUTE)
    }
}
