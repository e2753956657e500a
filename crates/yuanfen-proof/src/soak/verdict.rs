//! What was sent beside what there is: the handler's own table, and where the inbox has each event.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use yuanfen_core::{EventKey, UnixTime};
use yuanfen_inbox::{EventState, ParkReason};

use super::plan::{Event, Outcome, Plan, Telling};

/// A contradiction is stored at most so long after it was received, in seconds: that is how long a receiver tries, and the
/// clock of the inbox counts whole seconds.
const STORED_WITHIN: i64 = 6;

/// Most events of one kind of problem that are told one by one.
const MOST_TOLD: usize = 5;

/// An event as the inbox has it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) state: EventState,
    pub(super) parked_for: Option<ParkReason>,
    pub(super) told: Telling,
    pub(super) finished_at: Option<UnixTime>,
    /// What it was told otherwise, and when it was first.
    pub(super) conflicts: Vec<(Telling, UnixTime)>,
}

/// What can be wrong with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// It was acknowledged, and is not in the inbox, or not at its end, or done without a row.
    Lost,
    /// It has more than one row.
    Doubled,
    /// It is parked, or for another reason than it should be.
    WronglyParked,
    /// It is done or has a row, and should be parked.
    WronglyDone,
    /// Its contradictions are not those that were sent.
    Conflict,
    /// Nobody sent it.
    Stray,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::WronglyParked => "wrongly parked",
            Self::WronglyDone => "wrongly done",
            Self::Conflict => "contradictions that differ from what was sent",
            Self::Stray => "never sent",
        })
    }
}

pub(super) struct Verdict {
    /// Parked events in the inbox.
    pub(super) parked: usize,
    /// Contradictions in the inbox.
    pub(super) conflicts: usize,
    wrong: BTreeMap<Wrong, Vec<String>>,
}

impl Verdict {
    /// Compares. `rows` counts the rows of the handler's table by event.
    pub(super) fn of(
        plan: &Plan,
        acknowledged: &[u32],
        found: &HashMap<EventKey, Found>,
        rows: &HashMap<String, u64>,
    ) -> Self {
        let mut verdict = Self {
            parked: found.values().filter(|found| found.state == EventState::Parked).count(),
            conflicts: found.values().map(|found| found.conflicts.len()).sum(),
            wrong: BTreeMap::new(),
        };
        let mut sent = BTreeSet::new();
        for (event, acknowledged) in plan.events.iter().zip(acknowledged) {
            let name = event.key.to_string();
            let rows = rows.get(&name).copied().unwrap_or_default();
            verdict.look_at(plan, event, *acknowledged, found.get(&event.key), rows);
            sent.insert(name);
        }
        let stored = found.keys().map(ToString::to_string);
        for stray in stored.chain(rows.keys().cloned()).filter(|name| !sent.contains(name)) {
            verdict.add(Wrong::Stray, stray);
        }
        verdict
    }

    fn look_at(&mut self, plan: &Plan, event: &Event, acknowledged: u32, found: Option<&Found>, rows: u64) {
        let name = event.key.to_string();
        if rows > 1 {
            self.add(Wrong::Doubled, format!("{name}: {rows} rows"));
        }
        let Some(found) = found else {
            let what = if rows > 0 { Wrong::Stray } else { Wrong::Lost };
            self.add(
                what,
                format!("{name}: acknowledged {acknowledged} times, and not in the inbox"),
            );
            return;
        };
        self.look_at_tellings(event, found);
        match (found.state, event.outcome) {
            (EventState::Done, Outcome::Done | Outcome::Either) if rows == 0 => {
                self.add(Wrong::Lost, format!("{name}: done, without a row"));
            }
            (EventState::Done, Outcome::Done) => {}
            (EventState::Done, Outcome::Either) => self.look_at_race(plan, event, found),
            (EventState::Parked, Outcome::Parked(reason)) if found.parked_for == Some(reason) => {}
            (EventState::Parked, Outcome::Either) if is_parked_for_it(plan, event, found) => {}
            (EventState::Done, Outcome::Parked(reason)) => {
                self.add(Wrong::WronglyDone, format!("{name}: done, not parked for {reason:?}"));
            }
            (EventState::Parked, _) => {
                self.add(
                    Wrong::WronglyParked,
                    format!("{name}: parked for {:?}", found.parked_for),
                );
            }
            (state, _) => self.add(Wrong::Lost, format!("{name}: {state:?} in the end")),
        }
        if found.state != EventState::Done && rows > 0 {
            self.add(
                Wrong::WronglyDone,
                format!("{name}: {:?}, with {rows} rows", found.state),
            );
        }
    }

    /// One of the tellings is stored; the other, if there is one, is kept beside it.
    fn look_at_tellings(&mut self, event: &Event, found: &Found) {
        let tellings: Vec<&Telling> = std::iter::once(&event.told).chain(&event.otherwise).collect();
        let others: Vec<&Telling> = tellings
            .iter()
            .copied()
            .filter(|telling| **telling != found.told)
            .collect();
        let kept: Vec<&Telling> = found.conflicts.iter().map(|(telling, _)| telling).collect();
        if others.len() + 1 != tellings.len() || others != kept {
            let text = format!(
                "{}: stored {:?}, beside it {kept:?}, sent {tellings:?}",
                event.key, found.told
            );
            self.add(Wrong::Conflict, text);
        }
    }

    /// Done although it is contradicted: then the handler was faster, and the amount is what the shop expects.
    fn look_at_race(&mut self, plan: &Plan, event: &Event, found: &Found) {
        if Some(found.told.amount) != expected(plan, event) {
            self.add(Wrong::WronglyDone, format!("{}: done with another amount", event.key));
        }
        for (_, received_at) in &found.conflicts {
            let late = found
                .finished_at
                .map_or(i64::MAX, |finished_at| finished_at.since(*received_at));
            if late > STORED_WITHIN {
                let text = format!("{}: done {late} s after its contradiction came", event.key);
                self.add(Wrong::WronglyDone, text);
            }
        }
    }

    fn add(&mut self, wrong: Wrong, text: String) {
        self.wrong.entry(wrong).or_default().push(text);
    }

    pub(super) fn count(&self, wrong: Wrong) -> usize {
        self.wrong.get(&wrong).map_or(0, Vec::len)
    }

    pub(super) fn is_clean(&self) -> bool {
        self.wrong.is_empty()
    }
}

fn expected(plan: &Plan, event: &Event) -> Option<i64> {
    plan.orders.get(event.order)?.expected
}

/// A contradicted event is parked for that, or because the telling that came first has another amount.
fn is_parked_for_it(plan: &Plan, event: &Event, found: &Found) -> bool {
    match found.parked_for {
        Some(ParkReason::Conflict) => true,
        Some(ParkReason::Mismatch) => Some(found.told.amount) != expected(plan, event),
        _ => false,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (wrong, events) in &self.wrong {
            writeln!(f, "WRONG: {} {wrong}", events.len())?;
            for event in events.iter().take(MOST_TOLD) {
                writeln!(f, "  {event}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::Route;
    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_790_000_000);

    /// A run in which everything went as it should.
    struct Run {
        plan: Plan,
        found: HashMap<EventKey, Found>,
        rows: HashMap<String, u64>,
    }

    impl Run {
        fn clean() -> Self {
            let plan = Plan::draw(400, 9, |route: Route| (route.name(), "M1".to_owned()));
            let (mut found, mut rows) = (HashMap::new(), HashMap::new());
            for event in &plan.events {
                let (state, parked_for) = match event.outcome {
                    Outcome::Done | Outcome::Either => (EventState::Done, None),
                    Outcome::Parked(reason) => (EventState::Parked, Some(reason)),
                };
                if state == EventState::Done {
                    rows.insert(event.key.to_string(), 1);
                }
                let conflicts = event.otherwise.iter().map(|telling| (telling.clone(), NOW)).collect();
                let event_found = Found {
                    state,
                    parked_for,
                    told: event.told.clone(),
                    finished_at: Some(NOW),
                    conflicts,
                };
                found.insert(event.key.clone(), event_found);
            }
            Self { plan, found, rows }
        }

        fn first(&self, outcome: Outcome) -> EventKey {
            let event = self.plan.events.iter().find(|event| event.outcome == outcome);
            event.unwrap().key.clone()
        }

        fn at(&mut self, key: &EventKey) -> &mut Found {
            self.found.get_mut(key).unwrap()
        }

        fn wrong(&self) -> Vec<(Wrong, usize)> {
            let acknowledged = vec![1; self.plan.events.len()];
            let verdict = Verdict::of(&self.plan, &acknowledged, &self.found, &self.rows);
            assert_eq!(verdict.is_clean(), verdict.wrong.is_empty());
            verdict
                .wrong
                .iter()
                .map(|(wrong, events)| (*wrong, events.len()))
                .collect()
        }
    }

    #[test]
    fn a_run_as_it_should_be_has_nothing_wrong() {
        assert_eq!(Run::clean().wrong(), []);
    }

    #[test]
    fn an_event_without_an_effect_is_lost() {
        let mut run = Run::clean();
        let key = run.first(Outcome::Done);
        run.rows.remove(&key.to_string());
        assert_eq!(run.wrong(), [(Wrong::Lost, 1)]);
        run.at(&key).state = EventState::Ready;
        assert_eq!(run.wrong(), [(Wrong::Lost, 1)]);
        run.found.remove(&key);
        assert_eq!(run.wrong(), [(Wrong::Lost, 1)]);
        let key = run.first(Outcome::Parked(ParkReason::Mismatch));
        run.found.remove(&key);
        assert_eq!(run.wrong(), [(Wrong::Lost, 2)]);
    }

    #[test]
    fn an_event_with_two_rows_is_doubled() {
        let mut run = Run::clean();
        for outcome in [Outcome::Done, Outcome::Either] {
            run.rows.insert(run.first(outcome).to_string(), 2);
        }
        assert_eq!(run.wrong(), [(Wrong::Doubled, 2)]);
    }

    #[test]
    fn what_should_be_parked_must_have_no_row() {
        let mut run = Run::clean();
        let key = run.first(Outcome::Parked(ParkReason::Handler));
        run.rows.insert(key.to_string(), 1);
        assert_eq!(run.wrong(), [(Wrong::WronglyDone, 1)]);
        run.at(&key).state = EventState::Done;
        assert_eq!(run.wrong(), [(Wrong::WronglyDone, 1)]);
    }

    #[test]
    fn what_is_parked_must_be_so_for_its_reason() {
        let mut run = Run::clean();
        let key = run.first(Outcome::Parked(ParkReason::Unexpected));
        run.at(&key).parked_for = Some(ParkReason::Attempts);
        assert_eq!(run.wrong(), [(Wrong::WronglyParked, 1)]);
        let mut run = Run::clean();
        let key = run.first(Outcome::Done);
        run.at(&key).state = EventState::Parked;
        run.rows.remove(&key.to_string());
        assert_eq!(run.wrong(), [(Wrong::WronglyParked, 1)]);
    }

    #[test]
    fn a_contradiction_may_come_before_or_after_the_handler_but_is_kept() {
        let mut run = Run::clean();
        let key = run.first(Outcome::Either);
        run.at(&key).state = EventState::Parked;
        run.at(&key).parked_for = Some(ParkReason::Conflict);
        run.rows.remove(&key.to_string());
        assert_eq!(run.wrong(), []);
        run.at(&key).conflicts.clear();
        assert_eq!(run.wrong(), [(Wrong::Conflict, 1)]);
    }

    #[test]
    fn a_handler_that_runs_long_after_the_contradiction_is_wrong() {
        let mut run = Run::clean();
        let key = run.first(Outcome::Either);
        run.at(&key).finished_at = Some(UnixTime::from_seconds(NOW.seconds() + STORED_WITHIN + 1));
        assert_eq!(run.wrong(), [(Wrong::WronglyDone, 1)]);
    }

    #[test]
    fn the_telling_that_came_first_counts_and_its_amount_is_compared() {
        let mut run = Run::clean();
        let by_amount = |event: &&Event| {
            let other = event.otherwise.as_ref();
            other.is_some_and(|other| other.amount != event.told.amount)
        };
        let event = run.plan.events.iter().find(by_amount).unwrap();
        let (key, told, other) = (event.key.clone(), event.told.clone(), event.otherwise.clone().unwrap());
        let found = run.at(&key);
        found.told = other;
        found.conflicts = vec![(told, NOW)];
        assert_eq!(run.wrong(), [(Wrong::WronglyDone, 1)]);
        let found = run.at(&key);
        found.state = EventState::Parked;
        found.parked_for = Some(ParkReason::Mismatch);
        run.rows.remove(&key.to_string());
        assert_eq!(run.wrong(), []);
    }

    #[test]
    fn what_nobody_sent_is_told() {
        let mut run = Run::clean();
        run.rows.insert("toy/M1/order-paid/X1".to_owned(), 1);
        assert_eq!(run.wrong(), [(Wrong::Stray, 1)]);
    }
}
