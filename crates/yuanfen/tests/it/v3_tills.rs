//! A till of version 3 against the sandbox, of a merchant and of a provider's merchant: what the payer does, what gets
//! lost, and what is charged in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use yuanfen::core::{CodePaymentOutcome as Outcome, Fate, OperationExt as _, PayAmount};
use yuanfen::transport::{Client, Sleep, TakenCodePayment};
use yuanfen::wechat_v3::ops::{ChargedCode, PayByCode, QueriedOrder, ReverseOrder, ReversedOrder};
use yuanfen::wechat_v3::{Account, AuthCode, Till, TradeState};
use yuanfen_sandbox::{FaultKind, FaultPlan, FaultRule, OrderState, Payer, Platform, Reaction};

use crate::shop::{START, Shop, amount, order_no};

const V3: Platform = Platform::WechatV3;

type Taken = TakenCodePayment<ChargedCode, QueriedOrder, ReversedOrder>;

/// A till, and in whose book of the sandbox its orders are.
struct Checkout {
    shop: Shop,
    client: Client<Account>,
    book: yuanfen_sandbox::Account,
}

impl Checkout {
    /// A merchant's own, and one of a merchant for which a provider acts.
    fn both() -> [Self; 2] {
        [Self::open(false), Self::open(true)]
    }

    fn open(is_partner: bool) -> Self {
        let shop = Shop::open();
        let (account, book) = if is_partner {
            (
                Arc::new(shop.wechat_v3_partner()),
                yuanfen_sandbox::Account::provider(V3),
            )
        } else {
            (shop.wechat_v3(), V3.into())
        };
        let client = shop.client(account);
        Self { shop, client, book }
    }

    fn code(&self, reaction: Reaction) -> AuthCode {
        let mut payer = Payer::default();
        payer.reaction = reaction;
        AuthCode::new(self.shop.far_side.payment_code(V3, payer))
    }

    fn payment(&self, reaction: Reaction) -> PayByCode {
        let till = Till::at("198.51.100.9".parse().unwrap());
        PayByCode::new(order_no(), amount(), "noodles", self.code(reaction), till)
    }

    async fn take(&self, reaction: Reaction) -> Taken {
        let payment = self.payment(reaction);
        self.client.take_code_payment(&payment).call(&self.shop.sleep()).await
    }

    /// Sleeps on the sandbox's clock; at the nth time the payer pays.
    fn sleeping(&self, nth: u32) -> impl Sleep + '_ {
        let slept = Arc::new(AtomicU32::new(0));
        move |duration: Duration| {
            if slept.fetch_add(1, Ordering::Relaxed) + 1 == nth {
                self.shop.far_side.pay(self.book, order_no().as_str()).unwrap();
            }
            self.shop.pass(duration);
            async {}
        }
    }

    fn fault(&self, kind: FaultKind, operation: &'static str) {
        self.shop.fault(FaultRule::new(kind).on(V3).during(operation));
    }

    fn calls(&self, operation: &str) -> usize {
        self.shop.calls(V3, operation)
    }

    fn state(&self) -> OrderState {
        self.shop
            .far_side
            .order(self.book, order_no().as_str())
            .unwrap()
            .state()
    }

    fn seconds(&self) -> i64 {
        self.shop.now().seconds() - START
    }
}

#[tokio::test]
async fn a_payer_who_pays_has_paid_at_once() {
    for till in Checkout::both() {
        let taken = till.take(Reaction::Pays).await;
        assert_eq!(taken.outcome, Outcome::Paid);
        let charged = taken.reply.unwrap();
        let paid = charged.transaction().unwrap();
        assert_eq!((paid.total, &paid.order_no), (Some(amount().fen()), &order_no()));
        assert_eq!(
            (till.calls("pay-by-code"), till.calls("query-order"), till.seconds()),
            (1, 0, 0)
        );
        assert_eq!(till.state(), OrderState::Paid);
    }
}

/// The answer to the charge is a 202; the bank's silence is a 500. Both are asked about every five seconds.
#[tokio::test]
async fn a_payer_who_types_is_waited_for() {
    for reaction in [Reaction::Types, Reaction::BankSilent] {
        for till in Checkout::both() {
            let payment = till.payment(reaction);
            let taken = till.client.take_code_payment(&payment).call(&till.sleeping(2)).await;
            assert_eq!(taken.outcome, Outcome::Paid, "{reaction:?}");
            let typing = matches!(&taken.reply, Some(ChargedCode::Pending(pending))
                if pending.trade_state == Some(TradeState::UserPaying));
            assert_eq!(typing, reaction == Reaction::Types);
            assert_eq!(taken.found.unwrap().transaction.total, Some(amount().fen()));
            assert_eq!(
                (till.seconds(), till.calls("query-order"), till.calls("reverse-order")),
                (10, 2, 0)
            );
        }
    }
}

#[tokio::test]
async fn a_payer_who_never_types_is_reversed_and_charged_nothing() {
    for reaction in [Reaction::Types, Reaction::BankSilent] {
        for till in Checkout::both() {
            let taken = till.take(reaction).await;
            assert_eq!(taken.outcome, Outcome::Reversed, "{reaction:?}");
            assert_eq!(taken.reversed.unwrap().order_no, order_no());
            assert_eq!((till.seconds(), till.calls("reverse-order")), (45, 1), "{reaction:?}");
            assert_eq!(till.state(), OrderState::Revoked);
            // The number is used up.
            let again = till.take(Reaction::Pays).await;
            assert_eq!(again.outcome, Outcome::Refused, "{again:?}");
        }
    }
}

#[tokio::test]
async fn a_payer_who_cannot_pay_is_told_so() {
    for (reaction, code) in [
        (Reaction::LacksMoney, "NOT_ENOUGH"),
        (Reaction::CardRefused, "TRADE_ERROR"),
        (Reaction::Refused, "RULE_LIMIT"),
    ] {
        for till in Checkout::both() {
            let taken = till.take(reaction).await;
            assert_eq!(taken.outcome, Outcome::Refused);
            assert_eq!(taken.last_error.unwrap().refusal().unwrap().code, code);
            assert_eq!(till.calls("query-order"), 0);
        }
    }
}

/// A code that is no code, one that was used, one that is a minute old: refused for good, and nothing is asked about.
#[tokio::test]
async fn a_code_that_cannot_be_charged_charges_nothing() {
    for till in Checkout::both() {
        let used = till.payment(Reaction::Pays);
        till.client.call(&used).await.unwrap();
        let mut second = used.clone();
        second.order_no = yuanfen::core::OrderNo::portable("SHOP20260101000009").unwrap();
        let mut unknown = second.clone();
        unknown.auth_code = AuthCode::new("134567890123456789");
        let mut old = second.clone();
        old.auth_code = till.code(Reaction::Pays);
        till.shop.pass(Duration::from_secs(3600));
        for (payment, word) in [(second, "used"), (unknown, "unknown"), (old, "old")] {
            let error = till.client.call(&payment).await.unwrap_err();
            assert_eq!(error.fate(), Fate::Refused, "{word}: {error}");
        }
    }
}

#[tokio::test]
async fn a_payment_whose_answer_is_no_answer_is_found_by_its_number() {
    for kind in [
        FaultKind::LoseReply,
        FaultKind::CutReply,
        FaultKind::Status(502),
        FaultKind::EmptyReply,
        FaultKind::CorruptSignature,
    ] {
        for till in Checkout::both() {
            till.fault(kind, "pay-by-code");
            let taken = till.take(Reaction::Pays).await;
            assert_eq!(taken.outcome, Outcome::Paid, "{kind:?}");
            assert_eq!(taken.found.unwrap().transaction.order_no, order_no());
            assert_eq!((till.calls("pay-by-code"), till.seconds()), (1, 5), "{kind:?}");
        }
    }
}

/// It never arrived: asked about, the reversal tried, and then believed to be absent.
#[tokio::test]
async fn a_payment_that_never_arrived_charges_nothing() {
    for kind in [FaultKind::LoseRequest, FaultKind::UnsignedError] {
        for till in Checkout::both() {
            till.fault(kind, "pay-by-code");
            let taken = till.take(Reaction::Pays).await;
            assert_eq!(taken.outcome, Outcome::Absent, "{kind:?}");
            assert!(till.shop.far_side.order(till.book, order_no().as_str()).is_none());
            assert_eq!(till.calls("reverse-order"), 1, "{kind:?}");
        }
    }
}

/// Nothing that is asked is answered, and the reversal refunds what had been paid.
#[tokio::test]
async fn what_stays_unclear_is_reversed_and_a_payer_who_had_paid_gets_it_back() {
    for till in Checkout::both() {
        let plan = FaultPlan::from(FaultRule::new(FaultKind::LoseReply).on(V3).during("pay-by-code"))
            .with(FaultRule::new(FaultKind::Status(502)).on(V3).during("query-order"));
        till.shop.far_side.set_faults(plan);
        let taken = till.take(Reaction::Pays).await;
        assert_eq!((taken.outcome, till.seconds()), (Outcome::Reversed, 45));
        let order = till.shop.far_side.order(till.book, order_no().as_str()).unwrap();
        let back: Vec<_> = order.refunds.iter().map(|refund| refund.amount).collect();
        assert_eq!(back, [amount().fen()]);
    }
}

#[tokio::test]
async fn a_reversal_is_called_again_until_it_is_answered() {
    for kind in [
        FaultKind::LoseReply,
        FaultKind::LoseRequest,
        FaultKind::Status(504),
        FaultKind::CorruptSignature,
    ] {
        for till in Checkout::both() {
            till.shop
                .fault(FaultRule::new(kind).on(V3).during("reverse-order").first(2));
            let taken = till.take(Reaction::Types).await;
            assert_eq!(taken.outcome, Outcome::Reversed, "{kind:?}");
            assert_eq!((till.calls("reverse-order"), till.seconds()), (3, 55), "{kind:?}");
            assert_eq!(till.state(), OrderState::Revoked);
        }
    }
    // None is ever answered: the query finds it reversed.
    for till in Checkout::both() {
        till.fault(FaultKind::LoseReply, "reverse-order");
        let taken = till.take(Reaction::Types).await;
        assert_eq!(taken.outcome, Outcome::Reversed);
        assert!(taken.reversed.is_none());
        assert_eq!(till.state(), OrderState::Revoked);
    }
}

#[tokio::test]
async fn a_payment_is_taken_up_again_by_its_number_and_never_charged_twice() {
    for till in Checkout::both() {
        // The first process died right behind the payment call.
        let request = till
            .payment(Reaction::Types)
            .request(till.client.provider(), &till.shop.time())
            .unwrap();
        drop(till.shop.far_side.answer(&request).unwrap());
        let taken = till
            .client
            .resume_code_payment::<PayByCode>(order_no())
            .give_up_when(std::future::ready(()))
            .call(&till.shop.sleep())
            .await;
        assert_eq!(taken.outcome, Outcome::Reversed);
        assert_eq!(till.calls("pay-by-code"), 1);
        assert_eq!(till.state(), OrderState::Revoked);
    }
}

/// Above a thousand yuan the payer types a password, whatever the code.
#[tokio::test]
async fn a_large_payment_is_typed_for_and_a_paid_one_is_given_back_by_a_reversal() {
    for till in Checkout::both() {
        let mut payment = till.payment(Reaction::Pays);
        payment.amount = PayAmount::from_fen(100_001).unwrap();
        let charged = till.client.call(&payment).await.unwrap();
        assert!(matches!(charged, ChargedCode::Pending(_)), "{charged:?}");
        till.shop.far_side.pay(till.book, order_no().as_str()).unwrap();
        till.client.call(&ReverseOrder::new(order_no())).await.unwrap();
        let order = till.shop.far_side.order(till.book, order_no().as_str()).unwrap();
        assert_eq!(order.refunds.len(), 1, "what was paid goes back");
    }
}
