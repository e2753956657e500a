//! The post office beside a list that is walked for everything.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::VecDeque;

use proptest::prelude::*;
use yuanfen_core::Fen;

use super::*;
use crate::book::{Book, Details, Placement};

fn event(id: usize) -> Event {
    let placement = Placement {
        account: Platform::WechatV3.into(),
        order_no: "order-1".to_owned(),
        amount: Fen::new(100),
        expires_at: None,
        notify_url: None,
        payer: None,
        details: Details::new(),
        fingerprint: String::new(),
    };
    let now = UnixTime::from_seconds(0);
    let mut book = Book::default();
    let order = book.place(placement, now).unwrap().0.clone();
    Event {
        platform: Platform::WechatV3,
        order_no: order.order_no.clone(),
        order: Arc::new(order),
        about: About::Payment,
        url: String::new(),
        id: id.to_string(),
        stage: 0,
        created_at: now,
        faults: Vec::new(),
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Post(u64),
    HandOver,
    /// The oldest or the newest of those in the courier's hands, again so much later or for good.
    TakeBack {
        newest: bool,
        again: Option<u64>,
    },
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u64).prop_map(Step::Post),
        4 => Just(Step::HandOver),
        3 => (any::<bool>(), prop::option::of(0..4_u64))
            .prop_map(|(newest, again)| Step::TakeBack { newest, again }),
        2 => (0..3_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Beside a list of all parcels that is walked for everything: when each is due, if the courier does not have it.
    #[test]
    fn hands_over_what_is_due_by_its_time_and_then_by_its_posting(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut office = PostOffice::default();
        let mut list: Vec<(Option<u64>, usize)> = Vec::new();
        let mut gone: Vec<bool> = Vec::new();
        let mut hands: VecDeque<Handed> = VecDeque::new();
        let mut now = 10;
        for step in steps {
            match step {
                Step::Post(after) => {
                    office.post(event(list.len()), Duration::from_secs(now + after));
                    list.push((Some(now + after), 0));
                    gone.push(false);
                }
                Step::HandOver => {
                    let walked = list.iter().enumerate().filter_map(|(id, (due, _))| Some((due.filter(|due| *due <= now)?, id)));
                    let expected = walked.min().map(|(_, id)| id);
                    let handed = office.hand_over(Duration::from_secs(now));
                    prop_assert_eq!(handed.as_ref().map(|handed| handed.event.id.clone()), expected.map(|id| id.to_string()));
                    if let (Some(handed), Some(id)) = (handed, expected) {
                        let (due, made) = &mut list[id];
                        (*due, *made) = (None, *made + 1);
                        prop_assert_eq!(handed.attempt, *made);
                        hands.push_back(handed);
                    }
                }
                Step::TakeBack { newest, again } => {
                    if let Some(handed) = if newest { hands.pop_back() } else { hands.pop_front() } {
                        let id: usize = handed.event.id.parse().unwrap();
                        list[id].0 = again.map(|after| now + after);
                        gone[id] = again.is_none();
                        office.take_back(handed, again.map(|after| Duration::from_secs(now + after)));
                    }
                }
                Step::Wait(seconds) => now += seconds,
            }
            let dues = list.iter().filter_map(|(due, _)| *due);
            prop_assert_eq!(office.next_due(), dues.min().map(Duration::from_secs));
            let busy = list.iter().zip(&gone).any(|((due, _), gone)| !gone && due.is_none_or(|due| due <= now));
            prop_assert_eq!(office.is_busy(Duration::from_secs(now)), busy);
        }
    }
}
