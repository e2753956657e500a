//! What the catalog and the deadlines say is what a walk over all orders says, whatever happened before.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;

const PREPAY_ID: &str = "prepay_id";

#[derive(Clone, Copy, Debug)]
enum Step {
    Place { number: u8, life: Option<i64> },
    PlaceWhole { number: u8, life: Option<i64> },
    Charge { number: u8, reaction: Reaction, life: i64 },
    Renew(u8),
    LookUp(u8),
    Pay(u8),
    SetBack(u8),
    Close(u8),
    Reverse(u8),
    Refund { number: u8, refund: u8 },
    Settle { refund: u8, end: RefundState },
    SendOn(u8),
    Comment(u8),
    Wait(i64),
    Expire,
}

/// Few numbers, so that steps meet; each one both the direct merchant's and the provider's.
fn step() -> impl Strategy<Value = Step> {
    let number = 0..6_u8;
    let life = prop::option::of(1..200_i64);
    let reaction = prop::sample::select(vec![Reaction::Pays, Reaction::Types, Reaction::LacksMoney]);
    let end = prop::sample::select(vec![RefundState::Succeeded, RefundState::Closed, RefundState::Abnormal]);
    prop_oneof![
        4 => (number.clone(), life.clone()).prop_map(|(number, life)| Step::Place { number, life }),
        1 => (number.clone(), life).prop_map(|(number, life)| Step::PlaceWhole { number, life }),
        2 => (number.clone(), reaction, 1..200_i64)
            .prop_map(|(number, reaction, life)| Step::Charge { number, reaction, life }),
        2 => number.clone().prop_map(Step::Renew),
        1 => number.clone().prop_map(Step::LookUp),
        4 => number.clone().prop_map(Step::Pay),
        1 => number.clone().prop_map(Step::SetBack),
        2 => number.clone().prop_map(Step::Close),
        1 => number.clone().prop_map(Step::Reverse),
        4 => (number.clone(), 0..9_u8).prop_map(|(number, refund)| Step::Refund { number, refund }),
        2 => (0..9_u8, end).prop_map(|(refund, end)| Step::Settle { refund, end }),
        1 => (0..9_u8).prop_map(Step::SendOn),
        1 => number.prop_map(Step::Comment),
        3 => (0..90_i64).prop_map(Step::Wait),
        1 => Just(Step::Expire),
    ]
}

/// A book, its clock, and the last of the numbers that the platform gives out: each is given out once.
struct World {
    book: Book,
    account: Account,
    now: UnixTime,
    given: u64,
}

impl World {
    fn new(account: Account) -> Self {
        Self {
            book: Book::default(),
            account,
            now: UnixTime::from_seconds(1_760_000_000),
            given: 0,
        }
    }

    fn give(&mut self) -> String {
        self.given += 1;
        // Room for the two digits that number the parts of a payment.
        format!("{:010}00", self.given)
    }

    fn terms(&mut self) -> Terms {
        Terms {
            transaction_id: self.give(),
            bank: "OTHERS",
        }
    }

    fn placement(&mut self, number: u8, life: Option<i64>) -> Placement {
        let prepay_id = self.give();
        Placement {
            account: self.account,
            order_no: format!("order-{number}"),
            amount: Fen::new(100),
            expires_at: life.map(|life| UnixTime::from_seconds(self.now.seconds() + life)),
            notify_url: None,
            payer: None,
            details: Details::from([(PREPAY_ID, prepay_id)]),
            fingerprint: String::new(),
        }
    }

    /// Whether the book agrees does not matter here: what it refuses changes nothing that a walk could see.
    fn take(&mut self, step: Step) {
        let (account, now) = (self.account, self.now);
        match step {
            Step::Place { number, life } => {
                let placement = self.placement(number, life);
                _ = self.book.place(placement, now);
            }
            Step::PlaceWhole { number, life } => {
                let whole = self.placement(number, life);
                let parts: Vec<u8> = [10, 20].map(|part| part + number).to_vec();
                let parts = parts.into_iter().map(|part| self.placement(part, None)).collect();
                _ = self.book.place_whole(whole, parts, now);
            }
            Step::Charge { number, reaction, life } => {
                let (placement, terms, code) = (self.placement(number, Some(life)), self.terms(), self.give());
                let payer = Payer {
                    reaction,
                    ..Payer::default()
                };
                self.book.show_code(account.platform, code.clone(), payer, now);
                let shown = Shown {
                    code: &code,
                    merchant: "m",
                };
                _ = self.book.charge(placement, &shown, terms, now);
            }
            Step::Renew(number) => {
                let fresh = [(PREPAY_ID, self.give())];
                _ = self.book.remember(account, &format!("order-{number}"), fresh);
            }
            Step::LookUp(number) => _ = self.book.by_detail(account, PREPAY_ID, &number.to_string(), now),
            Step::Pay(number) => {
                let terms = self.terms();
                drop(self.book.pay(account, &format!("order-{number}"), None, terms, now));
            }
            Step::SetBack(number) => {
                let order_no = format!("order-{number}");
                _ = self.book.set_back(account, &order_no, Setback::Cancelled, now);
            }
            Step::Close(number) => _ = self.book.close(account, &format!("order-{number}"), now),
            Step::Reverse(number) => {
                let refund_id = self.give();
                _ = self.book.reverse(account, &format!("order-{number}"), refund_id, now);
            }
            Step::Refund { number, refund } => {
                let request = RefundRequest {
                    refund_no: format!("refund-{refund}"),
                    refund_id: self.give(),
                    amount: Fen::new(30),
                    total: None,
                    spaced: false,
                    notify_url: None,
                    details: Details::new(),
                    fingerprint: String::new(),
                };
                _ = self.book.refund(account, &format!("order-{number}"), request, now);
            }
            Step::Settle { refund, end } => {
                drop(self.book.settle_refund(account, &format!("refund-{refund}"), end, now));
            }
            Step::SendOn(refund) => _ = self.book.send_refund_on(account, &format!("refund-{refund}")),
            Step::Comment(number) => {
                let comment = Comment {
                    at: now,
                    stars: 5,
                    text: "fresh".to_owned(),
                };
                _ = self.book.comment(account, &format!("order-{number}"), comment, now);
            }
            Step::Wait(seconds) => self.now = UnixTime::from_seconds(now.seconds() + seconds),
            Step::Expire => self.book.expire(now),
        }
    }

    /// What a walk over all orders finds.
    fn walk(&self, is_it: impl Fn(&Order) -> bool) -> Option<String> {
        let mut found = self.book.orders.iter().filter(|order| is_it(order));
        let first = found.next().map(|order| order.order_no.clone());
        assert!(found.next().is_none(), "two orders have the same number");
        first
    }

    fn check(&mut self) {
        let account = self.account;
        let mut last = None;
        for order in self.book.of(account) {
            assert!(last < Some(order.order_no.as_str()), "not by number");
            last = Some(&order.order_no);
        }
        assert_eq!(self.book.of(account).count(), self.book.orders.len());
        let stranger = Account::provider(Platform::Mpgateway);
        assert_eq!(self.book.of(stranger).count(), 0);

        // Numbers that were given out and numbers that never were.
        for given in 0..=self.given + 1 {
            for part in 0..3 {
                let number = format!("{given:010}{part:02}");
                let pays = |order: &Order| {
                    let payment = order.payment.as_ref().filter(|_| order.parts.is_empty());
                    payment.is_some_and(|payment| payment.transaction_id == number)
                };
                let found = self.book.by_transaction(account, &number);
                assert_eq!(found.map(|order| order.order_no.clone()), self.walk(pays));
                assert!(self.book.by_transaction(stranger, &number).is_none());

                let found = self.book.by_refund_id(account, &number);
                let goes_back = |order: &Order| order.refunds.iter().any(|refund| refund.refund_id == number);
                assert_eq!(found.map(|(order, _)| order.order_no.clone()), self.walk(goes_back));
            }
        }
        for refund in 0..10 {
            let number = format!("refund-{refund}");
            let found = self.book.by_refund(account, &number);
            assert!(found.is_none_or(|(_, refund)| refund.refund_no == number));
            let goes_back = |order: &Order| order.refund(&number).is_some();
            assert_eq!(found.map(|(order, _)| order.order_no.clone()), self.walk(goes_back));
        }
    }

    /// As [`Self::check`], of what puts a shelf up or brings orders up to date.
    fn check_and_bring_up_to_date(&mut self) {
        let (account, now) = (self.account, self.now);
        self.book.expire(now);
        for order in &self.book.orders {
            let mut walked = Order::clone(order);
            walked.expire(now);
            assert_eq!(
                (walked.state(), walked.closed_at, walked.setback),
                (order.state(), order.closed_at, order.setback)
            );
            assert!(order.next_deadline().is_none_or(|end| end > now));
        }
        for given in 0..=self.given + 1 {
            let number = format!("{given:010}00");
            let remembers = |order: &Order| order.detail(PREPAY_ID) == Some(&number);
            let walked = self.walk(remembers);
            let found = self.book.by_detail(account, PREPAY_ID, &number, now);
            assert_eq!(found.map(|order| order.order_no.clone()), walked);
        }
        for number in 0..40 {
            let order_no = format!("order-{number}");
            let walked = self.walk(|order| order.order_no == order_no);
            let found = self.book.order(account, &order_no, now);
            assert_eq!(found.map(|order| order.order_no.clone()), walked);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn looks_up_what_a_walk_over_all_orders_finds(
        steps in prop::collection::vec(step(), 1..60),
        is_provider in any::<bool>(),
    ) {
        let account = Account { platform: Platform::WechatV3, is_provider };
        let mut world = World::new(account);
        for step in steps {
            world.take(step);
            world.check();
        }
        world.check_and_bring_up_to_date();
    }
}

#[test]
fn an_order_that_renews_its_prepay_id_is_not_found_by_the_old_one() {
    let mut world = World::new(Platform::WechatV3.into());
    let now = world.now;
    let placement = world.placement(1, None);
    let old = placement.details[PREPAY_ID].clone();
    world.book.place(placement, now).unwrap();
    assert!(world.book.by_detail(world.account, PREPAY_ID, &old, now).is_some());
    world.take(Step::Renew(1));
    assert!(world.book.by_detail(world.account, PREPAY_ID, &old, now).is_none());
    let fresh = format!("{:010}00", world.given);
    assert!(world.book.by_detail(world.account, PREPAY_ID, &fresh, now).is_some());
}

#[test]
fn what_is_told_of_an_order_stays_as_it_was_when_it_happened() {
    let mut world = World::new(Platform::WechatV3.into());
    world.take(Step::Place { number: 1, life: None });
    let terms = world.terms();
    let told = world
        .book
        .pay(world.account, "order-1", None, terms, world.now)
        .unwrap();
    world.take(Step::Refund { number: 1, refund: 1 });
    assert_eq!(told.state(), OrderState::Paid);
    let order = world.book.order(world.account, "order-1", world.now).unwrap();
    assert_eq!(order.state(), OrderState::Refunding);
}

#[test]
fn expiry_costs_what_expires() {
    let mut world = World::new(Platform::WechatV3.into());
    let mut placement = world.placement(1, Some(60));
    placement.order_no = "soon".to_owned();
    world.book.place(placement, world.now).unwrap();
    for number in 0..100_u8 {
        let placement = world.placement(number, Some(7200));
        world.book.place(placement, world.now).unwrap();
    }
    assert_eq!(world.book.deadlines.len(), 101);
    world.take(Step::Wait(60));
    world.take(Step::Expire);
    // One was taken off the queue, and the first of the others stopped it.
    assert_eq!(world.book.deadlines.len(), 100);
    let soon = world.book.order(world.account, "soon", world.now).unwrap();
    assert_eq!(soon.state(), OrderState::Closed);
}
