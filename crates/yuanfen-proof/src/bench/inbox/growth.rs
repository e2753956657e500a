//! What a stored notice costs when very many are stored before it: time, and memory.
//!
//! Two stores of ten thousand events take turns first, which says how far two equal ones are apart on this machine. Then
//! one of them is filled up, and they take turns again.

use std::time::Duration;

use yuanfen_inbox::{Inbox, Receiver};

use super::notice::{Free, Row, numbers, paid};
use super::place::Place;
use super::rates::{now, received};
use crate::Error;
use crate::load::Usage;

/// So many notices are received in one turn.
const TURN: usize = 100;

/// One of the two stores at one time.
pub(super) struct Sample {
    /// Events in it at the beginning.
    pub(super) events: u64,
    /// Half of the notices took no longer.
    pub(super) median: Duration,
    /// All but one of a hundred took no longer.
    pub(super) p99: Duration,
}

/// Both stores, and the memory when they had been measured.
pub(super) struct Stage {
    pub(super) few: Sample,
    pub(super) many: Sample,
    /// Resident memory of this process in bytes.
    pub(super) resident: u64,
    /// Memory that the database's processes have for themselves, for the connections of the second store, in bytes.
    pub(super) backends: u64,
}

/// How many events are stored at first, how many then in one of the two, and how many notices are timed in each.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) few: u64,
    pub(super) many: u64,
    pub(super) timed: usize,
}

/// Measures before and after.
///
/// # Errors
/// When a store fails, or the kernel does not say how much memory is held.
pub(super) async fn measure<S: Place>(few: S, many: S, sizes: Sizes) -> Result<[Stage; 2], Error> {
    let number = numbers(1).next().unwrap_or_default();
    let row = Row::of(&paid(&number)?, now()?)?;
    few.fill(sizes.few, &row).await?;
    many.fill(sizes.few, &row).await?;
    let before = stage(&few, &many, sizes.timed).await?;
    many.fill(sizes.many, &row).await?;
    let after = stage(&few, &many, sizes.timed).await?;
    Ok([before, after])
}

async fn stage<S: Place>(few: &S, many: &S, timed: usize) -> Result<Stage, Error> {
    let mut sides = [Side::new(few).await?, Side::new(many).await?];
    for turn in 0..timed.div_ceil(TURN) {
        for place in 0..2 {
            // Who goes first changes.
            if let Some(side) = sides.get_mut((turn + place) % 2) {
                side.turn().await?;
            }
        }
    }
    let mut backends = 0;
    for process in many.backends().await? {
        // One may have ended meanwhile.
        backends += Usage::of(process).map_or(0, |usage| usage.anonymous);
    }
    let [few, many] = sides.map(Side::sample);
    Ok(Stage {
        few,
        many,
        resident: Usage::of(std::process::id())?.resident,
        backends,
    })
}

struct Side<S> {
    receiver: Receiver<S, Free>,
    events: u64,
    times: Vec<Duration>,
}

impl<S: Place> Side<S> {
    async fn new(store: &S) -> Result<Self, Error> {
        let mut side = Self {
            receiver: Inbox::new(store.clone()).receiver(Free),
            events: store.stored().await?,
            times: Vec::new(),
        };
        side.turn().await?;
        // Statements were prepared and pages read.
        side.times.clear();
        Ok(side)
    }

    /// One notice after the other, so that none waits for another.
    async fn turn(&mut self) -> Result<(), Error> {
        let numbers: Vec<String> = numbers(TURN).collect();
        let (_, times) = received(&self.receiver, 1, &numbers).await?;
        self.times.extend(times);
        Ok(())
    }

    fn sample(mut self) -> Sample {
        self.times.sort_unstable();
        let at = |hundredths: usize| {
            let last = self.times.len().saturating_sub(1);
            self.times.get(last * hundredths / 100).copied().unwrap_or_default()
        };
        Sample {
            events: self.events,
            median: at(50),
            p99: at(99),
        }
    }
}
