//! What may happen to an inbox.

use proptest::prelude::*;
use yuanfen_inbox::Phase;

/// One of three orders.
pub type Order = u8;

/// What is told of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    Paid,
    Settled,
    Failed,
}

impl Told {
    pub const ALL: [Self; 3] = [Self::Paid, Self::Settled, Self::Failed];

    pub const fn transition(self) -> &'static str {
        match self {
            Self::Paid => "order-paid",
            Self::Settled => "order-settled",
            Self::Failed => "order-failed",
        }
    }

    pub const fn is_payment(self) -> bool {
        matches!(self, Self::Paid | Self::Settled)
    }
}

/// What the handler does; it ships before it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Succeeds,
    Fails,
    Refuses,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// The platform delivers; the process dies there, if anywhere.
    Receive(Order, Told, i64, Option<Phase>),
    Expect(Order, i64),
    Hint(Order),
    /// A worker takes what is due; its process dies there, if anywhere.
    Work(How, Option<Phase>),
    /// A worker claims what is due, and falls asleep over it.
    Claim,
    /// It wakes, marks, ships and commits, if it still may. Which one, of those that sleep.
    Finish(usize),
    /// It wakes, and gives up.
    GiveUp(usize),
    Advance(i64),
    Retry(Order, Told),
    Park(Order, Told),
    /// A person has seen to it by other means.
    Dismiss(Order, Told),
    /// A person has looked at what contradicts it.
    Resolve(Order, Told),
}

fn order() -> impl Strategy<Value = Order> {
    0..3_u8
}

/// Seldom of another amount than the one that is usual, or there would be nothing but conflicts.
fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![8 => Just(100_i64), 1 => Just(200), 1 => Just(300)]
}

fn told() -> impl Strategy<Value = Told> {
    prop::sample::select(Told::ALL.to_vec())
}

fn step() -> impl Strategy<Value = Step> {
    let receiving = prop::option::weighted(0.2, prop::sample::select(vec![Phase::Receiving, Phase::Stored]));
    let working = prop::option::weighted(
        0.35,
        prop::sample::select(vec![
            Phase::Claimed,
            Phase::Handling,
            Phase::Committing,
            Phase::Committed,
        ]),
    );
    let how = prop_oneof![4 => Just(How::Succeeds), 3 => Just(How::Fails), 1 => Just(How::Refuses)];
    prop_oneof![
        6 => (order(), told(), amount(), receiving).prop_map(|(order, told, fen, dies)| Step::Receive(order, told, fen, dies)),
        4 => (order(), amount()).prop_map(|(order, fen)| Step::Expect(order, fen)),
        1 => order().prop_map(Step::Hint),
        8 => (how, working).prop_map(|(how, dies)| Step::Work(how, dies)),
        2 => Just(Step::Claim),
        2 => (0..4_usize).prop_map(Step::Finish),
        1 => (0..4_usize).prop_map(Step::GiveUp),
        5 => prop_oneof![Just(1_i64), Just(2), Just(59), Just(60), Just(61)].prop_map(Step::Advance),
        2 => (order(), told()).prop_map(|(order, told)| Step::Retry(order, told)),
        1 => (order(), told()).prop_map(|(order, told)| Step::Park(order, told)),
        1 => (order(), told()).prop_map(|(order, told)| Step::Dismiss(order, told)),
        1 => (order(), told()).prop_map(|(order, told)| Step::Resolve(order, told)),
    ]
}

/// A history begins with orders that are placed, or most of it would be about payments that nobody asked for.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..40).prop_map(|steps| {
        let mut history = vec![Step::Expect(0, 100), Step::Expect(1, 100)];
        history.extend(steps);
        history
    })
}
