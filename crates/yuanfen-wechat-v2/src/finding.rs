//! What the answers to queries settle, under the keys and with the facts of the notices. v2 sheet, sections 7 and 8.

use yuanfen_core::{EventKey, Facts, Finding, NotificationSource as _, OrderNo, Transition};

use crate::notify::RefundStatus;
use crate::ops::{CloseOrder, QueriedOrder, QueriedRefunds, RefundRecord};
use crate::sub_merchant::Trade;
use crate::{Account, TradeState};

impl Account {
    /// What the answer to [`QueryOrder`](crate::ops::QueryOrder) says, in the vocabulary of notices. A paid order has the
    /// key and the facts of its [`PaymentNotice`](crate::notify::PaymentNotice), also where something was refunded since.
    ///
    /// `CLOSED` and `REVOKED` are [`Transition::OrderClosed`]. `PAYERROR` settles nothing: no document calls it an end
    /// for certain, and an order in that state can still be closed or reversed. Which orders may be closed is what
    /// [`CloseOrder::after_query`] says: none of a scanned code.
    #[must_use]
    pub fn order_finding(&self, answer: &QueriedOrder) -> Finding {
        let mut finding = Finding::open(answer.standing());
        finding.may_be_closed = CloseOrder::after_query(answer).is_ok();
        let (transition, end_state) = match &answer.trade_state {
            TradeState::Success | TradeState::Refund => (Transition::OrderPaid, &TradeState::Success),
            closed @ (TradeState::Closed | TradeState::Revoked) => (Transition::OrderClosed, closed),
            TradeState::NotPaid
            | TradeState::UserPaying
            | TradeState::Accepted
            | TradeState::PayError
            | TradeState::Unknown(_) => return finding,
        };
        let mut facts = self.facts_of(&answer.order_no, end_state.as_str(), answer.currency.as_deref());
        facts.amount = answer.total;
        facts.remote_id = answer.transaction_id.as_ref().map(ToString::to_string);
        finding
            .with(self.key_of(answer.order_no.as_str(), transition), facts)
            .over()
    }

    /// What the answer to [`QueryRefund`](crate::ops::QueryRefund) or [`QueryRefundV2`](crate::ops::QueryRefundV2) says of
    /// the refund that was asked for by its own number. The answer about an order names no refund in particular, so it
    /// settles nothing.
    ///
    /// No notice of this route settles a refund, so these keys are only ever a query's. `CHANGE` is
    /// [`Transition::RefundAbnormal`] and not the end: once it is handled, the refund succeeds or is closed.
    #[must_use]
    pub fn refund_finding(&self, answer: &QueriedRefunds) -> Finding {
        let finding = Finding::open(answer.standing());
        let Some(record) = answer.one_refund() else {
            return finding;
        };
        let transition = match record.status {
            RefundStatus::Success => Transition::RefundSucceeded,
            RefundStatus::Closed => Transition::RefundClosed,
            RefundStatus::Change => Transition::RefundAbnormal,
            RefundStatus::Processing | RefundStatus::Unknown(_) => return finding,
        };
        let found = finding.with(
            self.key_of(record.refund_no.as_str(), transition),
            self.refund_facts(answer, record),
        );
        if transition.is_end() { found.over() } else { found }
    }

    fn refund_facts(&self, answer: &QueriedRefunds, record: &RefundRecord) -> Facts {
        let mut facts = self.facts_of(&answer.order_no, record.status.as_str(), answer.currency.as_deref());
        facts.amount = Some(record.refund);
        facts.refund_no = Some(record.refund_no.to_string());
        facts.remote_id = Some(record.refund_id.to_string());
        facts
    }

    /// A number is unique under the number that signs, a service provider's across all its sub-merchants.
    pub(crate) fn key_of(&self, subject: &str, transition: Transition) -> EventKey {
        EventKey::new(self.route(), self.account(), subject, transition)
    }

    /// What every message of this account settles alike: numbers and currency.
    pub(crate) fn facts_of(&self, order_no: &OrderNo, end_state: &str, currency: Option<&str>) -> Facts {
        let mut facts = Facts::new(end_state);
        facts.currency = Some(currency.unwrap_or("CNY").to_owned());
        facts.order_no = Some(order_no.to_string());
        // Whose money it is: two sub-merchants under one number are a conflict.
        facts.merchant = Some(match &self.trade {
            Trade::SubMerchant(merchant) => merchant.merchant_id().to_owned(),
            Trade::Own | Trade::EverySubMerchant => self.merchant_id.to_string(),
        });
        facts.app = Some(self.app_id.to_string());
        facts
    }
}
