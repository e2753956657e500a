//! When something open is queried: a ladder of growing pauses, counted from when it was placed.

use std::borrow::Cow;
use std::time::Duration;

use yuanfen_core::UnixTime;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// When orders or refunds of a route are queried: [`FIRST_QUERY`](Self::FIRST_QUERY) after they were placed, then after
/// each of some pauses, then again and again after the last pause, until they are given up.
///
/// The steps are moments in the life of an order: a query that a hint brings about moves none of them, and after an outage
/// an old order goes on at its age, not at the first pause. Every step is later by up to a tenth of its pause, by a part
/// that is always the same for the same number, so that what was placed in one second is not queried in one.
///
/// Where the order expires, all begins anew at its expiry, with the first pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pauses: Cow<'static, [Duration]>,
    last_pause: Duration,
    give_up_after: Duration,
    spread: u32,
}

impl Schedule {
    /// How long after it was placed anything is queried first, on every route.
    pub const FIRST_QUERY: Duration = seconds(30);

    /// Orders of WeChat Pay, either version. "支付回调和查单实现指引"
    /// (<https://pay.weixin.qq.com/doc/v3/merchant/4012075249>) asks after 5 and 30 seconds, 1, 3, 5, 10 and 30 minutes; the
    /// first of these is left out, since the payer is still typing then. Notices of a payment are repeated for 24 hours and
    /// 4 minutes (v3 sheet, section 11.2), and an unpaid order is closed after seven days at the latest (section 15): a day
    /// later it is given up.
    pub const WECHAT: Self = Self::of(
        &[
            seconds(MINUTE),
            seconds(3 * MINUTE),
            seconds(5 * MINUTE),
            seconds(10 * MINUTE),
            seconds(30 * MINUTE),
            seconds(HOUR),
            seconds(3 * HOUR),
        ],
        seconds(6 * HOUR),
        seconds(8 * DAY),
    );

    /// Orders of mpgateway. Its notices fall silent after 12.5 to 15.5 minutes, and its sheet says to query what is open
    /// after 15 to 20 (section 9): few queries before, many from the sixteenth minute on. A payment is told of twice,
    /// and nobody says how much later its money becomes available; after a week it is given up.
    pub const MPGATEWAY: Self = Self::of(
        &[
            seconds(90),
            seconds(4 * MINUTE),
            // The sixteenth minute.
            seconds(10 * MINUTE),
            seconds(2 * MINUTE),
            seconds(2 * MINUTE),
            seconds(5 * MINUTE),
            seconds(5 * MINUTE),
            seconds(10 * MINUTE),
            seconds(20 * MINUTE),
            seconds(HOUR),
        ],
        seconds(3 * HOUR),
        seconds(7 * DAY),
    );

    /// Orders of a platform that does not say how often it repeats its notices, as StarPos and fshows: the query is then as
    /// good a source as the notice, and is asked more often in the first minutes. After three days they are given up.
    pub const UNPUBLISHED: Self = Self::of(
        &[
            seconds(30),
            seconds(MINUTE),
            seconds(2 * MINUTE),
            seconds(3 * MINUTE),
            seconds(5 * MINUTE),
            seconds(10 * MINUTE),
            seconds(20 * MINUTE),
            seconds(40 * MINUTE),
            seconds(HOUR),
        ],
        seconds(3 * HOUR),
        seconds(3 * DAY),
    );

    /// Refunds of any route: minutes to a balance, one to three working days to a card (v3 sheet, section 17.2), and
    /// longer where one did not reach the payer and a person has to see to it. After thirty days they are given up.
    pub const REFUNDS: Self = Self::of(
        &[
            seconds(2 * MINUTE),
            seconds(10 * MINUTE),
            seconds(30 * MINUTE),
            seconds(HOUR),
            seconds(3 * HOUR),
        ],
        seconds(6 * HOUR),
        seconds(30 * DAY),
    );

    const fn of(pauses: &'static [Duration], last_pause: Duration, give_up_after: Duration) -> Self {
        Self {
            pauses: Cow::Borrowed(pauses),
            last_pause,
            give_up_after,
            spread: 10,
        }
    }

    /// A schedule of your own: the pauses after the first query, the pause that goes on after these, and the age at which an
    /// order is given up. Times are whole seconds; a pause is never shorter than one.
    pub fn new(pauses: impl Into<Cow<'static, [Duration]>>, last_pause: Duration, give_up_after: Duration) -> Self {
        Self {
            pauses: pauses.into(),
            last_pause,
            give_up_after,
            spread: 10,
        }
    }

    /// With steps that are later by up to so many hundredths of their pauses, 100 at most. 0 is for tests: a shop's orders
    /// would come in waves.
    #[must_use]
    pub fn with_spread(mut self, percent: u32) -> Self {
        self.spread = percent.min(100);
        self
    }

    /// The first step after `now` of an order of that number, whose life began at `begin`. A step that is nearer than half
    /// its pause is left out: it was queried just now. The age at which it is given up is a step as well.
    #[must_use]
    pub fn next(&self, begin: UnixTime, number: &str, now: UnixTime) -> UnixTime {
        let age = u64::try_from(now.since(begin)).unwrap_or_default();
        let mut pauses = self.pauses.iter().map(Duration::as_secs);
        let mut pause = Self::FIRST_QUERY.as_secs();
        let mut step = pause;
        let due = loop {
            let due = step.saturating_add(self.delay(pause, number));
            if due > age && due.saturating_sub(age) >= pause.div_ceil(2) {
                break due;
            }
            pause = match pauses.next() {
                Some(pause) => pause.max(1),
                None => {
                    let last = self.last_pause.as_secs().max(1);
                    // All of these that are over, in one go.
                    let over = age.saturating_sub(step).checked_div(last).unwrap_or_default();
                    step = step.saturating_add(over.saturating_sub(1).saturating_mul(last));
                    last
                }
            };
            step = step.saturating_add(pause);
        };
        let give_up = self.give_up_after.as_secs();
        begin.after(seconds(if age < give_up { due.min(give_up) } else { due }))
    }

    /// A moment within the minute after `ended`, always the same for the same number; at once where the steps have no spread.
    pub(crate) fn just_after(&self, ended: UnixTime, number: &str) -> UnixTime {
        ended.after(seconds(self.delay(10 * MINUTE, number).min(MINUTE)))
    }

    /// No next step is further away.
    pub(crate) fn longest_wait(&self) -> Duration {
        let pauses = self.pauses.iter().copied();
        let longest = pauses.fold(self.last_pause.max(Self::FIRST_QUERY), Duration::max);
        // A step is later by the spread, its pause at most; and one that is near is left out.
        longest.saturating_mul(3)
    }

    /// When an order whose life began at `begin` is given up.
    #[must_use]
    pub fn gives_up_at(&self, begin: UnixTime) -> UnixTime {
        begin.after(self.give_up_after)
    }

    /// When it is given up where every query failed: after twice as long. A platform that cannot be reached has not said
    /// that it knows nothing.
    pub(crate) fn despairs_at(&self, begin: UnixTime) -> UnixTime {
        self.gives_up_at(begin).after(self.give_up_after)
    }

    /// By how much a step is later, in seconds.
    fn delay(&self, pause: u64, number: &str) -> u64 {
        let widest = pause.saturating_mul(u64::from(self.spread)) / 100;
        // The upper half of the product is evenly spread over what is below the widest.
        let product = u128::from(hash(number)) * u128::from(widest.saturating_add(1));
        u64::try_from(product >> 64).unwrap_or_default()
    }
}

/// FNV-1a and a last mixing step: the same on every machine and in every version, which the standard library's is not.
fn hash(text: &str) -> u64 {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // Numbers that differ in their last digit alone differ in the lower bits only.
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: UnixTime = UnixTime::from_seconds(1_790_000_000);

    /// Ages in seconds at which an order is queried, until it would be given up.
    fn steps(schedule: &Schedule, number: &str) -> Vec<i64> {
        let mut now = BEGIN.after(Schedule::FIRST_QUERY);
        let mut steps = vec![now.since(BEGIN)];
        while now < schedule.gives_up_at(BEGIN) {
            now = schedule.next(BEGIN, number, now);
            steps.push(now.since(BEGIN));
        }
        steps
    }

    #[test]
    fn the_steps_are_those_of_the_published_ladder() {
        let steps = steps(&Schedule::WECHAT.with_spread(0), "A1");
        assert_eq!(steps[..8], [30, 90, 270, 570, 1170, 2970, 6570, 17_370]);
        assert_eq!(steps[8], 17_370 + 6 * 3600);
        assert_eq!(steps.last(), Some(&(8 * 86_400)));
        assert_eq!(steps.len(), 8 + 31 + 1);
    }

    #[test]
    fn mpgateway_is_asked_when_its_notices_fall_silent() {
        let steps = steps(&Schedule::MPGATEWAY.with_spread(0), "A1");
        assert_eq!(steps[..7], [30, 120, 360, 960, 1080, 1200, 1500]);
    }

    #[test]
    fn a_step_is_later_by_a_tenth_of_its_pause_at_most_and_always_by_the_same() {
        let plain = steps(&Schedule::WECHAT.with_spread(0), "A1");
        for number in ["A1", "A2", "SHOP20251009000001", "SHOP20251009000002"] {
            let spread = steps(&Schedule::WECHAT, number);
            assert_eq!(spread, steps(&Schedule::WECHAT, number));
            for pair in plain[..plain.len() - 1].windows(2).zip(&spread[1..]) {
                let ([before, plain], spread) = pair else { panic!() };
                assert!(
                    (*plain..=plain + (plain - before) / 10).contains(spread),
                    "{number}: {spread}"
                );
            }
        }
    }

    #[test]
    fn consecutive_numbers_are_spread_evenly() {
        let now = BEGIN.after(Duration::from_secs(17_370));
        let mut quarters = [0; 4];
        for number in 0..4000 {
            let due = Schedule::WECHAT.next(BEGIN, &format!("SHOP2025100900{number:04}"), now);
            let late = due.since(BEGIN) - (17_370 + 6 * 3600);
            quarters[usize::try_from(late * 4 / 2161).unwrap()] += 1;
        }
        for quarter in quarters {
            assert!((850..1150).contains(&quarter), "{quarters:?}");
        }
    }

    #[test]
    fn a_query_in_between_moves_no_step_and_one_just_before_stands_for_it() {
        let schedule = Schedule::WECHAT.with_spread(0);
        let next = |age| {
            schedule
                .next(BEGIN, "A1", BEGIN.after(Duration::from_secs(age)))
                .since(BEGIN)
        };
        assert_eq!((next(31), next(59), next(60), next(61)), (90, 90, 90, 270));
        assert_eq!(next(100), 270);
        // After an outage of a day it goes on at its age.
        assert_eq!(next(90_000), 17_370 + 4 * 6 * 3600);
    }

    #[test]
    fn no_step_is_further_away_than_the_longest_wait() {
        let odd = Schedule::new(vec![seconds(7), seconds(900), seconds(1)], seconds(60), seconds(5000));
        for schedule in [Schedule::WECHAT, Schedule::MPGATEWAY, Schedule::REFUNDS, odd] {
            let schedule = schedule.with_spread(100);
            let longest = i64::try_from(schedule.longest_wait().as_secs()).unwrap();
            for age in (0..2_000_000).step_by(97) {
                let now = BEGIN.after(seconds(age));
                let wait = schedule.next(BEGIN, &format!("A{age}"), now).since(now);
                assert!(
                    (1..=longest).contains(&wait),
                    "{age}: {wait} of {longest}, {schedule:?}"
                );
            }
        }
    }

    #[test]
    fn a_schedule_without_pauses_or_with_empty_ones_still_moves_on() {
        let schedule = Schedule::new(Vec::new(), Duration::ZERO, Duration::from_secs(86_400 * 365)).with_spread(0);
        let year = BEGIN.after(Duration::from_secs(86_400 * 300));
        assert_eq!(schedule.next(BEGIN, "A1", year).since(year), 1);
        let schedule = Schedule::new(vec![Duration::ZERO; 3], Duration::from_secs(60), Duration::ZERO).with_spread(0);
        assert_eq!(schedule.next(BEGIN, "A1", BEGIN).since(BEGIN), 30);
        assert_eq!(
            schedule
                .next(BEGIN, "A1", BEGIN.after(Duration::from_secs(40)))
                .since(BEGIN),
            93
        );
    }
}
