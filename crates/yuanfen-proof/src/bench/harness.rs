//! The measurement: ours and the primitives take turns, so that whatever else the machine does slows all of them.

use std::time::{Duration, Instant};

use crate::Error;

/// How long a batch should take: far beyond the clock's resolution, well below a scheduler's slice.
const BATCH: Duration = Duration::from_micros(500);

/// Done once. A flow that fails is not fast, so its result is looked at each time.
pub(super) type Step = Box<dyn FnMut() -> Result<(), Error>>;

/// What is measured.
pub(super) struct Flow {
    pub(super) name: &'static str,
    pub(super) ours: Step,
    pub(super) primitives: Vec<Primitive>,
}

/// What it is measured beside.
pub(super) struct Primitive {
    pub(super) what: &'static str,
    pub(super) step: Step,
    /// The largest ratio that is promised, in thousandths.
    pub(super) reach: Option<u64>,
}

/// A flow beside one primitive.
pub(super) struct Comparison {
    pub(super) flow: &'static str,
    pub(super) primitive: &'static str,
    /// Picoseconds, median.
    pub(super) ours: u64,
    /// Picoseconds, median.
    pub(super) raw: u64,
    /// Thousandths: first quartile, median and third quartile of the ratio within one round.
    pub(super) ratio: [u64; 3],
    pub(super) reach: Option<u64>,
}

impl Comparison {
    /// Whether the promise holds, where there is one.
    pub(super) fn holds(&self) -> Option<bool> {
        let [_, median, _] = self.ratio;
        self.reach.map(|reach| median <= reach)
    }
}

/// Measures a flow beside each of its primitives.
///
/// # Errors
/// When the flow or a primitive fails.
pub(super) fn measure(flow: Flow, rounds: u32) -> Result<Vec<Comparison>, Error> {
    let (whats, mut raw): (Vec<_>, Vec<_>) = flow
        .primitives
        .into_iter()
        .map(|primitive| ((primitive.what, primitive.reach), Lane::new(primitive.step)))
        .unzip();
    let mut ours = Lane::new(flow.ours);
    ours.calibrate()?;
    raw.iter_mut().try_for_each(Lane::calibrate)?;
    for round in 0..rounds {
        // Who goes first changes, so that nobody always pays for the other's cold caches.
        let ours_first = round % 2 == 0;
        if ours_first {
            ours.batch()?;
        }
        raw.iter_mut().try_for_each(Lane::batch)?;
        if !ours_first {
            ours.batch()?;
        }
    }
    Ok(whats
        .into_iter()
        .zip(raw)
        .map(|((primitive, reach), lane)| {
            let ratios = ours
                .samples
                .iter()
                .zip(&lane.samples)
                .map(|(ours, raw)| per_thousand(*ours, *raw));
            Comparison {
                flow: flow.name,
                primitive,
                ours: quartiles(ours.samples.iter().copied())[1],
                raw: quartiles(lane.samples.iter().copied())[1],
                ratio: quartiles(ratios),
                reach,
            }
        })
        .collect())
}

/// One of those that take turns.
struct Lane {
    step: Step,
    size: u32,
    /// Picoseconds for one step, one for each batch.
    samples: Vec<u64>,
}

impl Lane {
    fn new(step: Step) -> Self {
        Self {
            step,
            size: 1,
            samples: Vec::new(),
        }
    }

    /// Doubles the batch until it is long enough, which also warms up.
    fn calibrate(&mut self) -> Result<(), Error> {
        while self.time()? < BATCH && self.size < 1 << 20 {
            self.size *= 2;
        }
        Ok(())
    }

    fn batch(&mut self) -> Result<(), Error> {
        let nanoseconds = u64::try_from(self.time()?.as_nanos())?;
        self.samples.push(nanoseconds * 1000 / u64::from(self.size));
        Ok(())
    }

    fn time(&mut self) -> Result<Duration, Error> {
        let start = Instant::now();
        for _ in 0..self.size {
            (self.step)()?;
        }
        Ok(start.elapsed())
    }
}

fn per_thousand(ours: u64, raw: u64) -> u64 {
    // Rounded up: a promise is not kept by rounding.
    (ours * 1000).div_ceil(raw.max(1))
}

/// First quartile, median, third quartile; nothing has zeros.
pub(super) fn quartiles(samples: impl Iterator<Item = u64>) -> [u64; 3] {
    let mut samples: Vec<u64> = samples.collect();
    samples.sort_unstable();
    [1, 2, 3].map(|quarter| {
        samples
            .get((samples.len().saturating_sub(1)) * quarter / 4)
            .copied()
            .unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_samples() {
        assert_eq!(quartiles([5, 1, 4, 2, 3].into_iter()), [2, 3, 4]);
        assert_eq!(quartiles(std::iter::empty()), [0, 0, 0]);
    }

    #[test]
    fn a_ratio_is_rounded_up() {
        assert_eq!(per_thousand(1_050_001, 1_000_000), 1051);
        assert_eq!(per_thousand(1_050_000, 1_000_000), 1050);
    }

    #[test]
    fn a_flow_beside_itself_and_beside_nothing() {
        let work = || -> Step {
            Box::new(|| {
                std::hint::black_box((0..2000_u64).fold(0_u64, |sum, next| std::hint::black_box(sum ^ next)));
                Ok(())
            })
        };
        let primitive = |what, step, reach| Primitive { what, step, reach };
        let flow = Flow {
            name: "flow",
            ours: work(),
            primitives: vec![
                primitive("itself", work(), Some(2000)),
                primitive("nothing", Box::new(|| Ok(())), Some(1000)),
            ],
        };
        let comparisons = measure(flow, 41).unwrap();
        let verdicts: Vec<_> = comparisons.iter().map(|one| (one.primitive, one.holds())).collect();
        assert_eq!(verdicts, [("itself", Some(true)), ("nothing", Some(false))]);
    }

    #[test]
    fn a_flow_that_fails_is_not_measured() {
        let flow = Flow {
            name: "flow",
            ours: Box::new(|| Err("refused".into())),
            primitives: vec![],
        };
        assert_eq!(
            measure(flow, 41).err().map(|error| error.to_string()).as_deref(),
            Some("refused")
        );
    }
}
