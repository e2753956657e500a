//! What the answers to queries settle, under the keys and with the facts of the notices. v3 sheet, sections 11 and 14.1.

use yuanfen_core::{Error, Facts, Finding, OrderNo, Standing, Transition};

use crate::codes::Code;
use crate::notify::{combined_facts, order_facts, settled_to};
use crate::ops::{CloseOrder, QueriedCombinedOrder, QueriedOrder};
use crate::{Account, CombinedOrderNo, RefundRecord, TradeState};

impl Account {
    /// What the answer to [`QueryOrder`](crate::ops::QueryOrder) says, in the vocabulary of notices. A paid order has the
    /// key and the facts of its [`Event::Payment`](crate::Event::Payment), also where something was refunded since.
    ///
    /// `CLOSED` and `REVOKED` are [`Transition::OrderClosed`]. `PAYERROR` settles nothing: no document calls it an end
    /// for certain, and an order in that state can still be reversed. Which orders may be closed is what
    /// [`CloseOrder::after_query`] says: none of a payment by code, and only those know `PAYERROR`.
    #[must_use]
    pub fn order_finding(&self, answer: &QueriedOrder) -> Finding {
        let order = &answer.transaction;
        let mut finding = Finding::open(answer.standing());
        finding.may_be_closed = CloseOrder::after_query(answer).is_ok();
        let (transition, end_state) = match &order.trade_state {
            TradeState::Success | TradeState::Refund => (Transition::OrderPaid, &TradeState::Success),
            closed @ (TradeState::Closed | TradeState::Revoked) => (Transition::OrderClosed, closed),
            TradeState::NotPay
            | TradeState::UserPaying
            | TradeState::Accept
            | TradeState::PayError
            | TradeState::Unknown(_) => return finding,
        };
        let key = self.key_of(order.order_no.as_str(), transition);
        finding.with(key, order_facts(order, end_state.as_str())).over()
    }

    /// What [`QueryOrder`](crate::ops::QueryOrder) of that number found out although it was refused: an order of which the
    /// platform says `ORDER_CLOSED` has the key of an answer with `CLOSED`, and its facts as far as they are known without
    /// one. Only where a signature proves it (v3 sheet, sections 5.6 and 14). Of any other refusal it is what
    /// [`Finding::of_error`] says; `None` where nothing was learned.
    #[must_use]
    pub fn refused_order_finding(&self, order_no: &OrderNo, refused: &Error) -> Option<Finding> {
        let ids = self.ids();
        let merchant = settled_to(ids.merchant_id(), ids.sub_merchant());
        self.refused_finding(order_no.as_str(), merchant, refused)
    }

    /// The same of the answer to [`QueryCombinedOrder`](crate::ops::QueryCombinedOrder): the whole, by its own number, has
    /// the key and the facts of its [`Event::CombinedPayment`](crate::Event::CombinedPayment). While its parts disagree,
    /// nothing is settled.
    #[must_use]
    pub fn combined_order_finding(&self, answer: &QueriedCombinedOrder) -> Finding {
        let order = &answer.transaction;
        let standing = answer.standing();
        let finding = Finding::open(standing);
        let (transition, end_state) = match standing {
            Standing::Succeeded => (Transition::OrderPaid, TradeState::Success.as_str().to_owned()),
            Standing::Failed => (Transition::OrderClosed, order.state_words()),
            _ => return finding,
        };
        let key = self.key_of(order.order_no.as_str(), transition);
        finding.with(key, combined_facts(order, end_state)).over()
    }

    /// The same as [`refused_order_finding`](Self::refused_order_finding) of a refused
    /// [`QueryCombinedOrder`](crate::ops::QueryCombinedOrder).
    #[must_use]
    pub fn refused_combined_order_finding(&self, order_no: &CombinedOrderNo, refused: &Error) -> Option<Finding> {
        let merchant = self.ids().merchant_id().to_owned();
        self.refused_finding(order_no.as_str(), merchant, refused)
    }

    fn refused_finding(&self, number: &str, merchant: String, refused: &Error) -> Option<Finding> {
        let is_closed = refused
            .refusal()
            .is_some_and(|refusal| refusal.verified && Code::of(&refusal.code) == Code::OrderClosed);
        if !is_closed {
            return Finding::of_error(refused);
        }
        let mut facts = Facts::new(TradeState::Closed.as_str());
        facts.order_no = Some(number.to_owned());
        // As of a refund: it is about the merchant for whom it was asked. Under which of the apps it was placed, nothing says.
        facts.merchant = Some(merchant);
        let key = self.key_of(number, Transition::OrderClosed);
        Some(Finding::open(Standing::Failed).with(key, facts).over())
    }

    /// What the answer to [`QueryRefund`](crate::ops::QueryRefund) says, in the vocabulary of notices: a refund that
    /// succeeded, was closed or became abnormal has the key and the facts of its
    /// [`Event::Refund`](crate::Event::Refund). Abnormal is not the end: once it is handled, the refund succeeds or is
    /// closed.
    #[must_use]
    pub fn refund_finding(&self, answer: &RefundRecord) -> Finding {
        let finding = Finding::open(answer.status.standing());
        let transition = answer.status.transition();
        if transition == Transition::Other {
            return finding;
        }
        let mut facts = Facts::new(answer.status.as_str());
        facts.amount = Some(answer.amount.refund);
        facts.currency.clone_from(&answer.amount.currency);
        facts.order_no = Some(answer.order_no.as_str().to_owned());
        facts.refund_no = Some(answer.refund_no.as_str().to_owned());
        facts.remote_id = Some(answer.refund_id.as_str().to_owned());
        // The answer names no merchant; it is about the one for whom it was asked.
        facts.merchant = Some(settled_to(self.ids().merchant_id(), self.ids().sub_merchant()));
        let found = finding.with(self.key_of(answer.refund_no.as_str(), transition), facts);
        if transition.is_end() { found.over() } else { found }
    }
}
