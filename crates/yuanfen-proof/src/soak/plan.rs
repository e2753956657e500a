//! What is sent, drawn from the seed: orders, the events that come of them, every delivery in its order, and where each
//! event must be in the end.

use yuanfen_core::{EventKey, Transition};
use yuanfen_inbox::ParkReason;

use super::accounts::Route;
use super::dice::Dice;

/// Places of the plan between one order and the next.
const STEP: u64 = 100;
/// So many orders on, what comes soon has come.
const SOON: u64 = 60 * STEP;
/// Below so many events, what is rare in a shop is made four times as frequent, so that a short run has all of it.
const FEW: usize = 2000;

pub(super) struct Plan {
    pub(super) orders: Vec<Order>,
    pub(super) events: Vec<Event>,
    /// In the order in which they are sent first.
    pub(super) deliveries: Vec<Delivery>,
}

/// An order, or a refund, that the shop places.
pub(super) struct Order {
    /// Its last two letters tell the handler what to do.
    pub(super) number: String,
    pub(super) route: Route,
    pub(super) is_refund: bool,
    /// What the shop expects; `None` where it expects no such order.
    pub(super) expected: Option<i64>,
}

/// What the handler does with the events of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// It lets them take effect.
    Plain,
    /// The first attempts write their row and go on beyond the deadline.
    Slow(u32),
    /// The first attempts write their row, then fail or panic.
    Failing(u32),
    /// It writes its row, then says that no attempt can help.
    Refusing,
    /// Every attempt writes its row and fails.
    Hopeless,
}

impl Manner {
    /// The last letters of an order's number.
    fn letters(self) -> String {
        let (letter, attempts) = match self {
            Self::Plain => ('P', 0),
            Self::Slow(attempts) => ('S', attempts),
            Self::Failing(attempts) => ('F', attempts),
            Self::Refusing => ('R', 0),
            Self::Hopeless => ('H', 0),
        };
        format!("{letter}{attempts}")
    }

    /// What to do with the order of that number.
    pub(super) fn of(number: &str) -> Option<Self> {
        let mut letters = number.chars().rev();
        let attempts = letters.next()?.to_digit(10)?;
        Some(match letters.next()? {
            'P' => Self::Plain,
            'S' => Self::Slow(attempts),
            'F' => Self::Failing(attempts),
            'R' => Self::Refusing,
            'H' => Self::Hopeless,
            _ => return None,
        })
    }
}

/// A business event, as it is stored under its key.
pub(super) struct Event {
    pub(super) order: usize,
    pub(super) key: EventKey,
    pub(super) told: Telling,
    /// What some deliveries say otherwise, under a signature as good.
    pub(super) otherwise: Option<Telling>,
    pub(super) outcome: Outcome,
}

/// The facts in which two deliveries may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Telling {
    pub(super) amount: i64,
    /// `None` on the route where every notice names the same.
    pub(super) remote_id: Option<String>,
}

/// Where an event must be in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done, with one row of the handler.
    Done,
    /// Parked, without a row.
    Parked(ParkReason),
    /// Told in two ways: the one that came first is stored and the other kept beside it. It is done if the handler was
    /// faster than the contradiction, else parked.
    Either,
}

/// A request that is sent until it is acknowledged, or, if it must be refused, until it is answered.
pub(super) struct Delivery {
    /// The shop has placed all orders up to this one.
    pub(super) after: usize,
    pub(super) parcel: Parcel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parcel {
    /// A genuine notice.
    Notice { event: usize, otherwise: bool },
    /// The notice of an order that nobody placed, under somebody else's key.
    WrongKey(Route),
    /// A genuine notice with one letter changed after it was signed.
    Altered { event: usize },
    /// No notice at all.
    Garbage(Route),
}

impl Parcel {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Notice { otherwise: false, .. } => "notice",
            Self::Notice { otherwise: true, .. } => "otherwise",
            Self::WrongKey(_) => "wrong-key",
            Self::Altered { .. } => "altered",
            Self::Garbage(_) => "garbage",
        }
    }

    /// The event that the platform tells of.
    pub(super) const fn event(self) -> Option<usize> {
        match self {
            Self::Notice { event, .. } => Some(event),
            _ => None,
        }
    }
}

impl Plan {
    /// Of exactly so many events.
    pub(super) fn draw(events: usize, seed: u64, account_of: impl Fn(Route) -> (&'static str, String)) -> Self {
        let mut dice = Dice::new(seed);
        let rare = if events < FEW { 4 } else { 1 };
        let mut plan = Self {
            orders: Vec::new(),
            events: Vec::with_capacity(events),
            deliveries: Vec::new(),
        };
        while plan.events.len() < events {
            // What takes six attempts must not begin at the end.
            let is_early = plan.events.len() < events / 2;
            let room = events - plan.events.len();
            plan.draw_order(&mut dice, rare, is_early, room, &account_of);
        }
        plan.draw_deliveries(&mut dice);
        plan
    }

    fn draw_order(
        &mut self,
        dice: &mut Dice,
        rare: u64,
        is_early: bool,
        room: usize,
        account_of: &impl Fn(Route) -> (&'static str, String),
    ) {
        let index = self.orders.len();
        let route = match dice.below(100) {
            0..50 => Route::V2,
            50..90 => Route::Gateway,
            _ => Route::V3,
        };
        let is_refund = route == Route::V3 && dice.one_in(4);
        let thousandth = dice.below(1000);
        let manner = if thousandth < 5 * rare {
            Manner::Slow(if dice.one_in(3) { 2 } else { 1 })
        } else if thousandth < 25 * rare {
            Manner::Failing([1, 2, 3].get(dice.place(3)).copied().unwrap_or(1))
        } else if thousandth < 30 * rare {
            Manner::Refusing
        } else if thousandth < 33 * rare && is_early {
            Manner::Hopeless
        } else {
            Manner::Plain
        };
        let letter = if is_refund { 'R' } else { route.letter() };
        let number = format!("{letter}{index:07}{}", manner.letters());
        let amount = i64::try_from(1 + dice.below(1_000_000)).unwrap_or(1);
        let hundredth = dice.below(100);
        let expected = if hundredth < rare {
            Some(amount + 1)
        } else if hundredth < 2 * rare && !is_refund {
            None
        } else {
            Some(amount)
        };
        let transitions: &[Transition] = match route {
            // 1002, then 0000: paid, then settled.
            Route::Gateway if room > 1 && !dice.one_in(5) => &[Transition::OrderPaid, Transition::OrderSettled],
            Route::Gateway if dice.one_in(2) => &[Transition::OrderSettled],
            _ if is_refund => &[Transition::RefundSucceeded],
            _ => &[Transition::OrderPaid],
        };
        let outcome = match (expected, manner) {
            (None, _) => Outcome::Parked(ParkReason::Unexpected),
            (Some(expected), _) if expected != amount => Outcome::Parked(ParkReason::Mismatch),
            (_, Manner::Refusing) => Outcome::Parked(ParkReason::Handler),
            (_, Manner::Hopeless) => Outcome::Parked(ParkReason::Attempts),
            (_, Manner::Plain | Manner::Slow(_) | Manner::Failing(_)) => Outcome::Done,
        };
        for transition in transitions {
            let (name, account) = account_of(route);
            let key = EventKey::new(name, account, number.clone(), *transition);
            let told = Telling {
                amount,
                remote_id: (route != Route::V3).then(|| format!("42{index:08}")),
            };
            let is_contradicted = outcome == Outcome::Done && dice.below(100) < 2 * rare;
            self.events.push(Event {
                order: index,
                key,
                otherwise: is_contradicted.then(|| told.changed(dice)),
                told,
                outcome: if is_contradicted { Outcome::Either } else { outcome },
            });
        }
        self.orders.push(Order {
            number,
            route,
            is_refund,
            expected,
        });
    }

    /// Each event once about when its order is placed; most of them again, soon or at any time until the end.
    fn draw_deliveries(&mut self, dice: &mut Dice) {
        let end = u64::try_from(self.orders.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(STEP);
        let mut drawn: Vec<(u64, u64, Delivery)> = Vec::new();
        let mut put = |dice: &mut Dice, place: u64, after: usize, parcel: Parcel| {
            drawn.push((place, dice.below(u64::MAX), Delivery { after, parcel }));
        };
        for (index, event) in self.events.iter().enumerate() {
            let base = u64::try_from(event.order).unwrap_or(u64::MAX).saturating_mul(STEP);
            let any_time = |dice: &mut Dice| {
                if dice.one_in(2) {
                    base + dice.below(SOON)
                } else {
                    base + dice.below(end.saturating_sub(base))
                }
            };
            let notice = |otherwise| Parcel::Notice {
                event: index,
                otherwise,
            };
            let first = base + dice.below(SOON);
            put(dice, first, event.order, notice(false));
            let copies = match dice.below(100) {
                0..35 => 0,
                35..70 => 1,
                70..90 => 2,
                _ => 4,
            };
            for _ in 0..copies {
                let place = any_time(dice);
                put(dice, place, event.order, notice(false));
            }
            if event.otherwise.is_some() {
                for _ in 0..=dice.below(2) {
                    let place = any_time(dice);
                    put(dice, place, event.order, notice(true));
                }
            }
            if dice.one_in(25) {
                let place = any_time(dice);
                let route = [Route::V2, Route::V3, Route::Gateway].get(dice.place(3)).copied();
                let route = route.unwrap_or(Route::V2);
                let parcel = match dice.below(3) {
                    0 => Parcel::WrongKey(route),
                    1 => Parcel::Garbage(route),
                    _ => Parcel::Altered { event: index },
                };
                put(dice, place, event.order, parcel);
            }
        }
        drawn.sort_by_key(|(place, chance, _)| (*place, *chance));
        self.deliveries = drawn.into_iter().map(|(_, _, delivery)| delivery).collect();
    }
}

impl Telling {
    /// The same event with another amount or, where it names one, another number of the platform's.
    fn changed(&self, dice: &mut Dice) -> Self {
        let mut changed = self.clone();
        match &mut changed.remote_id {
            Some(remote_id) if dice.one_in(2) => remote_id.push('9'),
            _ => changed.amount += 100,
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn plan(events: usize, seed: u64) -> Plan {
        Plan::draw(events, seed, |route| (route.name(), "M1".to_owned()))
    }

    #[test]
    fn a_seed_draws_the_same_plan_again() {
        let list = |plan: &Plan| -> Vec<Parcel> { plan.deliveries.iter().map(|delivery| delivery.parcel).collect() };
        assert_eq!(list(&plan(500, 7)), list(&plan(500, 7)));
        assert_ne!(list(&plan(500, 7)), list(&plan(500, 8)));
    }

    #[test]
    fn a_short_run_has_everything_that_a_long_one_has() {
        for seed in 1..20 {
            let plan = plan(400, seed);
            assert_eq!(plan.events.len(), 400);
            let keys: HashSet<_> = plan.events.iter().map(|event| &event.key).collect();
            assert_eq!(keys.len(), 400, "every event has a key of its own");
            for outcome in [
                Outcome::Done,
                Outcome::Either,
                Outcome::Parked(ParkReason::Mismatch),
                Outcome::Parked(ParkReason::Unexpected),
                Outcome::Parked(ParkReason::Handler),
            ] {
                assert!(
                    plan.events.iter().any(|event| event.outcome == outcome),
                    "{seed}: {outcome:?}"
                );
            }
            let has = |wanted: fn(Manner) -> bool| {
                let manners = plan.orders.iter().filter_map(|order| Manner::of(&order.number));
                manners.into_iter().any(wanted)
            };
            assert!(has(|manner| matches!(manner, Manner::Slow(_))), "{seed}");
            assert!(has(|manner| matches!(manner, Manner::Failing(_))), "{seed}");
            for name in ["notice", "otherwise", "wrong-key", "altered", "garbage"] {
                let named = plan.deliveries.iter().filter(|delivery| delivery.parcel.name() == name);
                assert!(named.count() > 0, "{seed}: {name}");
            }
        }
    }

    #[test]
    fn every_telling_is_delivered_and_none_before_its_order_is_placed() {
        let plan = plan(3000, 3);
        for (index, event) in plan.events.iter().enumerate() {
            for otherwise in [false, true] {
                let wanted = Parcel::Notice {
                    event: index,
                    otherwise,
                };
                let sent: Vec<_> = plan
                    .deliveries
                    .iter()
                    .filter(|delivery| delivery.parcel == wanted)
                    .collect();
                assert_eq!(!sent.is_empty(), !otherwise || event.otherwise.is_some());
                assert!(sent.iter().all(|delivery| delivery.after == event.order));
            }
            assert_ne!(Some(&event.told), event.otherwise.as_ref());
        }
    }

    #[test]
    fn a_number_tells_the_handler_what_to_do() {
        for manner in [
            Manner::Plain,
            Manner::Slow(2),
            Manner::Failing(3),
            Manner::Refusing,
            Manner::Hopeless,
        ] {
            assert_eq!(Manner::of(&format!("A0000001{}", manner.letters())), Some(manner));
        }
        assert_eq!(Manner::of("A1"), None);
        assert_eq!(Manner::of(""), None);
    }
}
