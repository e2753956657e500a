//! `POST /v3/combine-transactions/jsapi`: places orders of several merchants that are paid together, in an official account's page or in a mini program.
//!
//! Repeatable: the identical order under the same numbers is answered again. Other parameters under the same numbers are
//! refused. Published as "合单JSAPI下单"; v3 sheet, section 20.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use super::PlacedJsapiOrder;
use crate::combined::CombinedPlacement;
use crate::{Account, CombinedScene, CombinedTerms, Message, Payer, Reply};

/// Orders of several merchants that are paid together, in an official account's page or in a mini program.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceCombinedJsapiOrder {
    /// What every combined order says.
    pub terms: CombinedTerms,
    /// `combine_payer_info`: an open id of at most 128 characters, and under which app it was obtained.
    pub payer: Payer,
    /// `scene_info`: where it is placed.
    pub scene: Option<CombinedScene>,
}

impl PlaceCombinedJsapiOrder {
    /// An order that is paid by that payer.
    pub fn new(terms: CombinedTerms, payer: impl Into<Payer>) -> Self {
        Self {
            terms,
            payer: payer.into(),
            scene: None,
        }
    }
}

impl Operation for PlaceCombinedJsapiOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedJsapiOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_combined_jsapi_order",
        Method::POST,
        "/v3/combine-transactions/jsapi",
        Effect::Repeatable,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let placement = CombinedPlacement::Jsapi { payer: &self.payer };
        self.terms.message(placement, self.scene.as_ref(), account, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedJsapiOrder, OpenError> {
        PlacedJsapiOrder::read(inbound.get(), &Self::ROUTE)
    }
}
