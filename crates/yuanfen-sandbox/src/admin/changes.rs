//! What changed since when: a number that grows with every change, and for each topic the one of its latest.

use tokio::sync::watch;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Orders,
    Exchanges,
    Notices,
    Faults,
    Clock,
    Settings,
}

impl Topic {
    pub(crate) const ALL: [Self; 6] = [
        Self::Orders,
        Self::Exchanges,
        Self::Notices,
        Self::Faults,
        Self::Clock,
        Self::Settings,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Exchanges => "exchanges",
            Self::Notices => "notices",
            Self::Faults => "faults",
            Self::Clock => "clock",
            Self::Settings => "settings",
        }
    }
}

/// The count of changes. A listener that sleeps through a thousand of them wakes to one number: nothing is queued.
#[derive(Debug)]
pub(crate) struct Changes(watch::Sender<Revision>);

/// How many changes there were, and which was each topic's latest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Revision {
    pub(crate) number: u64,
    latest: [u64; Topic::ALL.len()],
}

impl Revision {
    /// What changed after that one.
    pub(crate) fn since(&self, number: u64) -> impl Iterator<Item = Topic> {
        Topic::ALL
            .into_iter()
            .zip(self.latest)
            .filter(move |(_, latest)| *latest > number)
            .map(|(topic, _)| topic)
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(Revision::default()))
    }
}

impl Changes {
    /// Notes that these changed. May be called under the far side's lock: nobody is waited for.
    pub(crate) fn touch(&self, topics: &[Topic]) {
        self.0.send_modify(|revision| {
            revision.number = revision.number.saturating_add(1);
            for (topic, latest) in Topic::ALL.into_iter().zip(&mut revision.latest) {
                if topics.contains(&topic) {
                    *latest = revision.number;
                }
            }
        });
    }

    pub(crate) fn revision(&self) -> u64 {
        self.0.borrow().number
    }

    pub(crate) fn follow(&self) -> watch::Receiver<Revision> {
        self.0.subscribe()
    }
}
