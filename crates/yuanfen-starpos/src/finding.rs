//! What the answers to queries settle, under the keys and with the facts of the pushes. StarPos sheet, sections 7.2 and 9.

use yuanfen_core::{EventKey, Facts, Finding, NotificationSource as _, OrderNo, RefundNo, RemoteId, Transition};

use crate::Account;
use crate::codes::TradeResult;
use crate::notify::SUCCEEDED;
use crate::ops::{QueriedOrder, QueriedRefund};

impl Account {
    /// What the answer to [`QueryOrder`](crate::ops::QueryOrder) says, in the vocabulary of notices: a payment has the key
    /// and the facts of its encrypted [`Push`](crate::notify::Push), so its subject is the platform's serial number
    /// (`logNo`). One that was refunded in full is paid all the same.
    ///
    /// `F` is [`Transition::OrderFailed`] and `D`, revoked, [`Transition::OrderClosed`]; no push tells of either.
    ///
    /// No answer repeats the number that the payment was sent with (`tradeNo`): it is a fact where it was asked for by that.
    #[must_use]
    pub fn order_finding(&self, answer: &QueriedOrder) -> Finding {
        let finding = Finding::open(answer.standing());
        let (transition, end_state) = match &answer.result {
            Some(TradeResult::Success) => (Transition::OrderPaid, SUCCEEDED),
            Some(result @ TradeResult::Failed) => (Transition::OrderFailed, result.as_str()),
            Some(result @ TradeResult::Revoked) => (Transition::OrderClosed, result.as_str()),
            Some(TradeResult::Waiting | TradeResult::Undecided | TradeResult::Unknown(_)) | None => return finding,
        };
        let mut facts = self.facts_of(&answer.log_no, end_state);
        facts.amount = answer.amount;
        facts.order_no = answer.asked_trade_no.as_ref().map(OrderNo::to_string);
        finding.with(self.key_of(&answer.log_no, transition), facts).over()
    }

    /// What the answer to [`QueryRefund`](crate::ops::QueryRefund) says, in the vocabulary of notices: a refund has the key
    /// and the facts of its encrypted [`Push`](crate::notify::Push), so its subject is the refund's own serial number
    /// (`logNo`). Its amount is `refAmt`.
    ///
    /// `F` is [`Transition::RefundClosed`]: nothing was refunded, and nothing will be under this number. Our number of it
    /// is a fact where it was asked for by that, as of a payment.
    #[must_use]
    pub fn refund_finding(&self, answer: &QueriedRefund) -> Finding {
        let finding = Finding::open(answer.standing());
        let (transition, end_state) = match &answer.result {
            Some(TradeResult::Success) => (Transition::RefundSucceeded, SUCCEEDED),
            Some(result @ TradeResult::Failed) => (Transition::RefundClosed, result.as_str()),
            Some(TradeResult::Waiting | TradeResult::Undecided | TradeResult::Revoked | TradeResult::Unknown(_))
            | None => return finding,
        };
        let mut facts = self.facts_of(&answer.log_no, end_state);
        facts.amount = answer.refunded;
        facts.order_no.clone_from(&answer.order_no);
        facts.refund_no = answer.asked_refund_no.as_ref().map(RefundNo::to_string);
        finding.with(self.key_of(&answer.log_no, transition), facts).over()
    }

    pub(crate) fn key_of(&self, log_no: &RemoteId, transition: Transition) -> EventKey {
        EventKey::new(self.route(), self.account(), log_no.as_str(), transition)
    }

    /// What every push and answer settles alike.
    pub(crate) fn facts_of(&self, log_no: &RemoteId, end_state: impl Into<String>) -> Facts {
        let mut facts = Facts::new(end_state);
        facts.remote_id = Some(log_no.to_string());
        facts.merchant = Some(self.merchant.to_string());
        facts
    }
}
