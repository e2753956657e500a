//! Where a process stops when it is told to: at the next event that reaches a phase.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use yuanfen_core::EventKey;
use yuanfen_inbox::{Phase, PhaseFuture};

/// The phases in which something is killed, and their names between the processes.
pub(super) const PHASES: [(Phase, &str); 5] = [
    (Phase::Receiving, "receiving"),
    (Phase::Stored, "stored"),
    (Phase::Claimed, "claimed"),
    (Phase::Handling, "handling"),
    (Phase::Committing, "committing"),
];

/// How many of them are a receiver's; the rest are a worker's.
pub(super) const OF_RECEIVERS: usize = 2;

/// What happens at the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Halt {
    /// Nothing any more: the event waits for the kill.
    Hang,
    /// It goes on after so long.
    Pass(Duration),
    /// It goes on when it is told to.
    Wait,
}

/// What this process was told, and by whom it is asked.
#[derive(Clone, Default)]
pub(super) struct Stops {
    next: Arc<Mutex<Option<(Phase, Halt)>>>,
    go: Arc<Notify>,
}

impl Stops {
    /// Takes an order: `hang claimed`, `pass committing 250` (microseconds), `wait claimed`, `go`. Says whether it was one.
    pub(super) fn take(&self, order: &str) -> bool {
        if order == "go" {
            self.go.notify_one();
            return true;
        }
        match read(order) {
            Some(stop) => {
                *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
                true
            }
            None => false,
        }
    }

    /// For [`Inbox::with_phase_hook`](yuanfen_inbox::Inbox::with_phase_hook): says `at claimed <key>` on standard output
    /// and stops there, once for each order.
    pub(super) fn hook(&self) -> impl Fn(Phase, &EventKey) -> PhaseFuture + Send + Sync + 'static {
        let stops = self.clone();
        move |phase, key| stops.reach(phase, key)
    }

    fn reach(&self, phase: Phase, key: &EventKey) -> PhaseFuture {
        let taken = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            next.take_if(|(wanted, _)| *wanted == phase)
        };
        let (Some((_, halt)), Some(name)) = (taken, name(phase)) else {
            return Box::pin(std::future::ready(()));
        };
        say(&format!("at {name} {key}"));
        match halt {
            Halt::Hang => Box::pin(std::future::pending()),
            Halt::Pass(delay) => {
                // Shorter than a timer of the runtime can be.
                std::thread::sleep(delay);
                Box::pin(std::future::ready(()))
            }
            Halt::Wait => {
                let go = Arc::clone(&self.go);
                Box::pin(async move { go.notified().await })
            }
        }
    }
}

/// One line to the driver, as it is, now. When nobody reads any more, the process is about to end anyway.
pub(super) fn say(line: &str) {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).ok();
}

pub(super) fn name(phase: Phase) -> Option<&'static str> {
    PHASES.iter().find(|(known, _)| *known == phase).map(|(_, name)| *name)
}

fn read(order: &str) -> Option<(Phase, Halt)> {
    let mut words = order.split(' ');
    let halt = words.next()?;
    let wanted = words.next()?;
    let (phase, _) = PHASES.iter().find(|(_, name)| *name == wanted)?;
    let halt = match halt {
        "hang" => Halt::Hang,
        "wait" => Halt::Wait,
        "pass" => Halt::Pass(Duration::from_micros(words.next()?.parse().ok()?)),
        _ => return None,
    };
    Some((*phase, halt))
}

#[cfg(test)]
mod tests {
    use yuanfen_core::Transition;

    use super::*;

    #[test]
    fn orders_are_read_as_the_driver_writes_them() {
        assert_eq!(read("hang stored"), Some((Phase::Stored, Halt::Hang)));
        let delay = Duration::from_micros(250);
        assert_eq!(
            read("pass committing 250"),
            Some((Phase::Committing, Halt::Pass(delay)))
        );
        assert_eq!(read("wait claimed"), Some((Phase::Claimed, Halt::Wait)));
        for order in [
            "",
            "hang",
            "hang nowhere",
            "pass claimed",
            "pass claimed x",
            "stop claimed",
        ] {
            assert_eq!(read(order), None, "{order}");
        }
    }

    #[tokio::test]
    async fn stops_once_at_the_phase_that_was_named_and_at_no_other() {
        let stops = Stops::default();
        let key = EventKey::new("toy", "M1", "A1", Transition::OrderPaid);
        assert!(stops.take("wait claimed"));
        stops.reach(Phase::Handling, &key).await;
        let waits = tokio::spawn(stops.reach(Phase::Claimed, &key));
        stops.reach(Phase::Claimed, &key).await;
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        assert!(stops.take("go"));
        waits.await.unwrap();
    }
}
