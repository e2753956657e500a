//! What the answer to a query settles, under the key and with the facts of the notice. mpgateway sheet, sections 7.2 and 9.

use yuanfen_core::{EventKey, Facts, Fen, Finding, NotificationSource as _, OrderNo, RemoteId, Transition};

use crate::Account;
use crate::codes::ResultCode;
use crate::ops::QueriedOrder;

impl Account {
    /// What the answer to [`QueryOrder`](crate::ops::QueryOrder) says, in the vocabulary of notices.
    ///
    /// `1002`, where the account counts it as paid, is [`Transition::OrderPaid`] and not the end, for `0000` is still to
    /// come; that is [`Transition::OrderSettled`], and `1003` [`Transition::OrderFailed`]. An order under investigation
    /// (`1004`) settles nothing, and neither does a code that this version does not know, although a notice of either has
    /// a key: nothing happened yet.
    ///
    /// An answer that does not name our number settles nothing, for that is the subject of its key: ask by that one.
    #[must_use]
    pub fn order_finding(&self, answer: &QueriedOrder) -> Finding {
        let finding = Finding::open(answer.standing());
        let Some(order_no) = &answer.order_no else {
            return finding;
        };
        if self.transition_of(&answer.result) == Transition::Other {
            return finding;
        }
        let facts = self.facts_of(&answer.result, answer.amount, order_no, &answer.query_id);
        let found = finding.with(self.key_of(order_no, &answer.result), facts);
        if self.is_last(&answer.result) {
            found.over()
        } else {
            found
        }
    }

    /// Whether no other code comes after that one.
    pub(crate) fn is_last(&self, result: &ResultCode) -> bool {
        let transition = self.transition_of(result);
        transition.is_end() && transition != Transition::OrderPaid
    }

    /// What a code reports. One that the account does not count as paid reports no payment.
    fn transition_of(&self, result: &ResultCode) -> Transition {
        match result.transition() {
            Transition::OrderPaid if !self.counts_as_paid(result) => Transition::Other,
            transition => transition,
        }
    }

    /// Codes without a transition of their own are told apart by the subject, because two of them do not contradict each
    /// other.
    pub(crate) fn key_of(&self, order_no: &OrderNo, result: &ResultCode) -> EventKey {
        let transition = self.transition_of(result);
        let subject = match transition {
            Transition::Other => format!("{order_no} {result}"),
            _ => order_no.to_string(),
        };
        EventKey::new(self.route(), self.account(), subject, transition)
    }

    pub(crate) fn facts_of(&self, result: &ResultCode, amount: Fen, order_no: &OrderNo, query_id: &RemoteId) -> Facts {
        let mut facts = Facts::new(result.as_str());
        facts.amount = Some(amount);
        facts.order_no = Some(order_no.to_string());
        facts.remote_id = Some(query_id.to_string());
        facts.merchant = Some(self.merchant.to_string());
        facts
    }
}
