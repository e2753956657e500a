//! Each bad day that ships with the sandbox, lived through by a correct shop over real sockets: the trap was there, and the
//! books are right in the evening.

mod acquirers;
mod bills;
mod books;
mod keys;
mod notices;
mod orders;
mod refunds;
mod tills;

use std::collections::BTreeSet;
use std::sync::Arc;

use yuanfen::core::{Provider, UnixTime};
use yuanfen::transport::{Client, ClientIdentity, HyperTransport};
use yuanfen_sandbox::{Clock, FaultKind, OrderState, Platform, Sandbox, Scenario};

use crate::shop::{START, Shop};

/// A sandbox that plays a scenario, on a virtual clock.
pub struct Day {
    pub sandbox: Sandbox,
    pub shop: Shop,
}

impl Day {
    pub async fn begin(name: &str) -> Self {
        let sandbox = Sandbox::builder()
            .clock(Clock::starting_at(UnixTime::from_seconds(START)))
            .scenario(Scenario::named(name).unwrap())
            .start()
            .await
            .unwrap();
        assert_eq!(sandbox.scenario().unwrap().name, name);
        let shop = Shop {
            far_side: sandbox.far_side().clone(),
        };
        Self { sandbox, shop }
    }

    /// A client over sockets, with a certificate for the calls that want one.
    pub fn client<P: Provider>(&self, account: impl Into<Arc<P>>) -> Client<P> {
        let made = rcgen::generate_simple_self_signed(["merchant".to_owned()]).unwrap();
        let identity = ClientIdentity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
        let wire = HyperTransport::builder().identity(identity).build().unwrap();
        Client::new(account, wire).with_ambient(self.shop.time())
    }

    /// How often a fault struck calls of that operation.
    pub fn struck(&self, platform: Platform, operation: &str, kind: FaultKind) -> usize {
        let exchanges = self.sandbox.exchanges();
        exchanges
            .iter()
            .filter(|exchange| exchange.platform == Some(platform) && exchange.operation == operation)
            .filter(|exchange| exchange.faults.contains(&kind))
            .count()
    }

    /// How often a fault struck attempts to deliver a notice.
    pub fn struck_notices(&self, kind: FaultKind) -> usize {
        let attempts = self.sandbox.notices();
        attempts.iter().filter(|attempt| attempt.faults.contains(&kind)).count()
    }

    /// What the platform's book says: for each order its state, and what went back, in fen.
    pub fn book(&self, platform: Platform) -> Vec<(OrderState, i64)> {
        let orders = self.sandbox.orders(platform);
        orders
            .iter()
            .map(|order| {
                (
                    order.state(),
                    order.refunds.iter().map(|refund| refund.amount.get()).sum(),
                )
            })
            .collect()
    }
}

/// Which test lives through which day.
macro_rules! days {
    ($($name:literal => $($test:path),+;)+) => {
        #[test]
        fn every_day_is_lived_through() {
            let shipped: BTreeSet<&str> = Scenario::names().collect();
            let mut lived = BTreeSet::new();
            $(
                assert!(lived.insert($name));
                let _tests: &[fn()] = &[$($test),+];
            )+
            assert_eq!(shipped, lived);
        }
    };
}

days! {
    "reply-lost-after-placing" =>
        orders::a_v2_order_whose_reply_was_lost_is_placed_once,
        orders::a_v3_order_whose_reply_was_lost_is_placed_once;
    "reply-lost-after-payment" =>
        tills::a_payer_whose_charge_lost_its_reply_is_charged_once_on_v2,
        tills::a_payer_whose_charge_lost_its_reply_is_charged_once_on_v3;
    "notice-before-reply" => orders::a_notice_before_the_reply_finds_its_order_in_the_books;
    "notices-lost" => notices::what_no_notice_told_of_is_found_by_asking;
    "notices-duplicated-and-reordered" => notices::copies_and_latecomers_change_nothing;
    "notice-with-another-amount" => notices::an_amount_that_nobody_asked_for_is_refused;
    "certificate-rotated" => keys::a_notice_under_a_new_certificate_is_proven_at_its_second_attempt;
    "public-key-mode-switched" => keys::a_shop_that_holds_the_public_key_reads_on;
    "signature-probes" => keys::probes_settle_nothing;
    "clock-skewed" => keys::clocks_that_disagree_settle_nothing;
    "day-of-5xx" => orders::a_day_of_5xx_ends_with_every_order_paid_and_refunded_once;
    "refund-answer-cut" => refunds::a_refund_whose_answer_was_cut_goes_back_once;
    "system-error-on-refund" => refunds::a_refund_with_a_system_error_goes_back_once;
    "refund-without-balance" => refunds::a_refund_that_lacked_balance_is_repeated_under_its_number;
    "till-reversal-lost" =>
        tills::a_payer_who_typed_before_a_lost_reversal_has_everything_back_on_v2,
        tills::a_payer_who_typed_before_a_lost_reversal_has_everything_back_on_v3;
    "close-races-with-payment" => orders::an_order_paid_before_its_close_is_delivered;
    "bill-not-ready" => bills::a_bill_in_the_making_is_asked_for_again;
    "bill-damaged" => bills::a_damaged_bill_never_gets_its_name;
    "starpos-unknown-state" => acquirers::an_unknown_state_is_not_a_failure;
    "fshows-number-taken" => acquirers::a_number_that_is_taken_is_asked_about;
    "mpgateway-1002-before-0000" => acquirers::a_payment_told_in_two_codes_is_delivered_once;
}
