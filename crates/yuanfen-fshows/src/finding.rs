//! What the answers to queries settle, in the words of the call-backs. fshows sheet, sections 9.4, 9.5 and 11.
//!
//! Call-backs are hints, so on this route an answer alone settles anything; no signature proves it, it rests on TLS to the
//! configured host.

use yuanfen_core::{EventKey, Facts, Finding, NotificationSource as _, OrderNo, Standing, Transition};

use crate::Account;
use crate::notify::{BestPayReturn, JdCallbackStatus};
use crate::ops::{
    AlipayStatus, BestPayStatus, JdStatus, OrderState, QueriedOrder, RefundRecord, RefundStatus, WechatState,
};

impl Account {
    /// What the answer to [`QueryOrder`](crate::ops::QueryOrder) says, in the vocabulary of notices: where its wallet's
    /// call-back has a word for the end, in that word. A paid order was paid, whatever was refunded since.
    ///
    /// An answer that does not name our number settles nothing, for that is the subject of its key: ask by that one.
    #[must_use]
    pub fn order_finding(&self, answer: &QueriedOrder) -> Finding {
        let finding = Finding::open(answer.standing());
        let (Some(order_no), Some((transition, end_state))) = (&answer.order_no, end_of(&answer.state)) else {
            return finding;
        };
        let mut facts = Facts::new(end_state);
        facts.amount = answer.amount;
        facts.order_no = Some(order_no.to_string());
        facts.remote_id = answer.trade_no.as_ref().map(ToString::to_string);
        finding.with(self.key_of(order_no.as_str(), transition), facts).over()
    }

    /// What the answer to [`QueryRefund`](crate::ops::QueryRefund) says, in the vocabulary of notices. Only a refund that
    /// succeeded, told under the very number that was asked for, settles anything ([`RefundRecord::standing`]); its subject
    /// is our number of the refund.
    #[must_use]
    pub fn refund_finding(&self, answer: &RefundRecord) -> Finding {
        let standing = answer.standing();
        let finding = Finding::open(standing);
        let (Standing::Succeeded, Some(refund_no)) = (standing, &answer.refund_no) else {
            return finding;
        };
        let mut facts = Facts::new(RefundStatus::Refunded.as_str());
        facts.order_no = answer.order_no.as_ref().map(OrderNo::to_string);
        facts.refund_no = Some(refund_no.to_string());
        facts.remote_id = answer.platform_refund_no.as_ref().map(ToString::to_string);
        let key = self.key_of(refund_no.as_str(), Transition::RefundSucceeded);
        finding.with(key, facts).over()
    }

    pub(crate) fn key_of(&self, subject: &str, transition: Transition) -> EventKey {
        EventKey::new(self.route(), self.account(), subject, transition)
    }
}

/// What happened to an order that came to an end, and the word for it.
fn end_of(state: &OrderState) -> Option<(Transition, String)> {
    let (transition, word) = match state {
        OrderState::Wechat(WechatState::Success | WechatState::Refund) => {
            (Transition::OrderPaid, WechatState::Success.to_string())
        }
        OrderState::Alipay(AlipayStatus::Success | AlipayStatus::Finished) => {
            (Transition::OrderPaid, AlipayStatus::Success.to_string())
        }
        OrderState::Jd(
            JdStatus::Paid
            | JdStatus::Refunding
            | JdStatus::Refunded
            | JdStatus::RefundFailed
            | JdStatus::PartlyRefunded,
        ) => (Transition::OrderPaid, JdCallbackStatus::Paid.to_string()),
        OrderState::BestPay(BestPayStatus::Paid) => (Transition::OrderPaid, BestPayReturn::Paid.to_string()),
        OrderState::Jd(JdStatus::Failed) => (Transition::OrderFailed, JdCallbackStatus::NotPaid.to_string()),
        OrderState::BestPay(status @ BestPayStatus::Failed) => (Transition::OrderFailed, status.to_string()),
        OrderState::Wechat(state @ (WechatState::Closed | WechatState::Revoked)) => {
            (Transition::OrderClosed, state.to_string())
        }
        OrderState::Alipay(status @ AlipayStatus::Closed) => (Transition::OrderClosed, status.to_string()),
        OrderState::Jd(status @ JdStatus::Reversed) => (Transition::OrderClosed, status.to_string()),
        OrderState::BestPay(status @ BestPayStatus::Void) => (Transition::OrderClosed, status.to_string()),
        OrderState::Wechat(
            WechatState::NotPaid | WechatState::UserPaying | WechatState::PayError | WechatState::Unknown(_),
        )
        | OrderState::Alipay(AlipayStatus::Waiting | AlipayStatus::Unknown(_))
        | OrderState::Jd(JdStatus::Created | JdStatus::Opened | JdStatus::Unknown(_))
        | OrderState::BestPay(BestPayStatus::Created | BestPayStatus::Unknown(_)) => return None,
    };
    Some((transition, word))
}
