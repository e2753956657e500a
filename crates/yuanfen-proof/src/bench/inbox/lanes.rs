//! Ours and the bare inserts take turns, each with a batch that takes about as long.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Error;
use crate::bench::harness::quartiles;

/// A failure that may cross from task to task.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a batch should take: hundreds of commits, and a checkpoint now and then.
const BATCH: Duration = Duration::from_millis(400);

/// Does that many events and says how long they took, without what had to be prepared.
pub(super) type Step = Box<dyn FnMut(usize) -> Pin<Box<dyn Future<Output = Result<Duration, Error>>>>>;

/// One of those that take turns.
pub(super) struct Lane {
    step: Step,
    size: usize,
    /// Picoseconds for one event, one for each batch.
    samples: Vec<u64>,
}

impl Lane {
    pub(super) fn new<F>(mut step: impl FnMut(usize) -> F + 'static) -> Self
    where
        F: Future<Output = Result<Duration, Error>> + 'static,
    {
        Self {
            step: Box::new(move |count| Box::pin(step(count))),
            size: 64,
            samples: Vec::new(),
        }
    }

    /// Doubles the batch until it is long enough, which also warms up.
    async fn calibrate(&mut self) -> Result<(), Error> {
        while (self.step)(self.size).await? < BATCH && self.size < 1 << 16 {
            self.size *= 2;
        }
        Ok(())
    }

    async fn batch(&mut self) -> Result<(), Error> {
        let nanoseconds = u64::try_from((self.step)(self.size).await?.as_nanos())?;
        self.samples.push(nanoseconds * 1000 / u64::try_from(self.size)?);
        Ok(())
    }

    /// Events for each second, median.
    fn rate(&self) -> u64 {
        let [_, median, _] = quartiles(self.samples.iter().copied());
        1_000_000_000_000 / median.max(1)
    }
}

/// Ours beside one of the bare lanes.
pub(super) struct Rates {
    pub(super) beside: &'static str,
    /// Events for each second, median.
    pub(super) ours: u64,
    /// Events for each second, median.
    pub(super) bare: u64,
    /// Thousandths: first quartile, median and third quartile of ours by bare, within one round.
    pub(super) ratio: [u64; 3],
}

/// Measures one lane of ours beside those of the baseline.
///
/// # Errors
/// When one of them fails.
pub(super) async fn measure(
    mut ours: Lane,
    mut besides: Vec<(&'static str, Lane)>,
    rounds: u32,
) -> Result<Vec<Rates>, Error> {
    ours.calibrate().await?;
    for (_, lane) in &mut besides {
        lane.calibrate().await?;
    }
    for round in 0..rounds {
        // Who goes first changes, so that nobody always pays for the other's pages.
        let ours_first = round % 2 == 0;
        if ours_first {
            ours.batch().await?;
        }
        for (_, lane) in &mut besides {
            lane.batch().await?;
        }
        if !ours_first {
            ours.batch().await?;
        }
    }
    Ok(besides
        .iter()
        .map(|(beside, lane)| {
            let pairs = ours.samples.iter().zip(&lane.samples);
            Rates {
                beside,
                ours: ours.rate(),
                bare: lane.rate(),
                // Rounded down: a promise is not kept by rounding.
                ratio: quartiles(pairs.map(|(ours, bare)| bare * 1000 / (*ours).max(1))),
            }
        })
        .collect())
}

/// Does something with each item, as many at a time as told, and says how long each took. The time of all is that from
/// the first to the last.
///
/// # Errors
/// When one of them fails.
pub(super) async fn at_a_time<T, F, Fut>(
    lanes: usize,
    items: Vec<T>,
    step: F,
) -> Result<(Duration, Vec<Duration>), Error>
where
    T: Send + 'static,
    F: Fn(T) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send,
{
    let items = Arc::new(Mutex::new(items.into_iter()));
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for _ in 0..lanes {
        let (items, step) = (Arc::clone(&items), step.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            loop {
                let item = items.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(item) = item else { return Ok(times) };
                let began = Instant::now();
                step(item).await?;
                times.push(began.elapsed());
            }
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done?.map_err(|failure: Failure| -> Error { failure })?);
    }
    Ok((began.elapsed(), times))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(times: u32) -> Lane {
        Lane::new(move |count| async move { Ok(Duration::from_millis(u64::try_from(count)? * u64::from(times))) })
    }

    #[tokio::test]
    async fn twice_the_time_is_half_the_rate() {
        let rates = measure(after(2), vec![("half the time", after(1))], 5).await.unwrap();
        let [Rates { ours, bare, ratio, .. }] = rates.as_slice() else {
            panic!("one comparison");
        };
        assert_eq!((*ours, *bare, *ratio), (500, 1000, [500; 3]));
    }

    #[tokio::test]
    async fn every_item_is_taken_once_and_a_failure_is_told() {
        let (_, times) = at_a_time(4, vec![(); 100], |()| async { Ok(()) }).await.unwrap();
        assert_eq!(times.len(), 100);
        let refused = at_a_time(4, vec![1, 2], |item| async move {
            if item == 2 { Err("refused".into()) } else { Ok(()) }
        });
        assert_eq!(refused.await.unwrap_err().to_string(), "refused");
    }
}
