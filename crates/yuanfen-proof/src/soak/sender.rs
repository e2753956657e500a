//! The platforms' side of the run: every delivery is sent until it is acknowledged, over any receiver that answers.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::Uri;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use yuanfen::transport::{HyperTransport, Transport as _};

use super::Trouble;
use super::accounts::Platforms;
use super::dice::Dice;
use super::list::{List, Sent};
use super::plan::{Parcel, Plan};

/// As long as platforms wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many deliveries are under way at once.
const AT_ONCE: usize = 12;

/// What is not acknowledged for so long is given up, and the run has failed.
const GIVE_UP: Duration = Duration::from_secs(120);

/// Most problems that are told one by one.
const MOST_TOLD: usize = 10;

pub(super) struct Sender {
    plan: Arc<Plan>,
    platforms: Platforms,
    transport: HyperTransport,
    /// Where the receivers are.
    ports: RwLock<Vec<u16>>,
    slots: Arc<Semaphore>,
    list: List,
    tally: Tally,
}

/// What was sent, and what came of it.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) requests: AtomicU64,
    /// Deliveries that came to their end.
    pub(super) ended: AtomicU64,
    /// Bad ones that were refused, as they should be.
    pub(super) refused: AtomicU64,
    /// Requests whose answer the platform did not wait for.
    pub(super) cut: AtomicU64,
    /// Requests without an answer: no connection, or one that broke.
    pub(super) unanswered: AtomicU64,
    /// Requests that were answered as not taken, although they were genuine.
    pub(super) not_taken: AtomicU64,
    /// The longest that an acknowledgement took, in microseconds.
    pub(super) slowest: AtomicU64,
    problems: Mutex<Vec<String>>,
    /// By event: how many of its deliveries were acknowledged.
    acknowledged: Vec<AtomicU32>,
}

impl Sender {
    pub(super) fn new(plan: Arc<Plan>, list: List) -> Result<Self, Trouble> {
        let acknowledged = plan.events.iter().map(|_| AtomicU32::new(0)).collect();
        Ok(Self {
            plan,
            platforms: Platforms::new()?,
            transport: HyperTransport::builder().total_timeout(PATIENCE).build()?,
            ports: RwLock::default(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            list,
            tally: Tally {
                acknowledged,
                ..Tally::default()
            },
        })
    }

    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Nothing is sent any more.
    pub(super) fn finish_list(&self) -> Result<(), Trouble> {
        self.list.finish()
    }

    pub(super) fn set_ports(&self, ports: Vec<u16>) {
        *self.ports.write().unwrap_or_else(PoisonError::into_inner) = ports;
    }

    /// Waits for a place among the deliveries that are under way.
    pub(super) async fn slot(&self) -> Result<OwnedSemaphorePermit, Trouble> {
        Ok(Arc::clone(&self.slots).acquire_owned().await?)
    }

    /// Sends a delivery until it has come to its end.
    pub(super) async fn deliver(
        self: Arc<Self>,
        parcel: Parcel,
        mut dice: Dice,
        slot: OwnedSemaphorePermit,
    ) -> Result<(), Trouble> {
        let is_genuine = parcel.event().is_some();
        let (began, mut requests, mut slot) = (Instant::now(), 0, Some(slot));
        loop {
            requests += 1;
            let is_taken = self.once(parcel, &mut dice).await?;
            drop(slot.take());
            match is_taken {
                Some(is_taken) if is_taken == is_genuine => break,
                Some(true) => {
                    self.tally
                        .note(format!("{} was acknowledged: {parcel:?}", parcel.name()));
                    break;
                }
                Some(false) => drop(self.tally.not_taken.fetch_add(1, Ordering::Relaxed)),
                None => {}
            }
            if began.elapsed() > GIVE_UP {
                self.tally
                    .note(format!("not acknowledged in {} s: {parcel:?}", GIVE_UP.as_secs()));
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200 + dice.below(1000))).await;
            slot = Some(self.slot().await?);
        }
        self.tally.ended.fetch_add(1, Ordering::Relaxed);
        match parcel.event().and_then(|event| self.tally.acknowledged.get(event)) {
            Some(count) => drop(count.fetch_add(1, Ordering::Relaxed)),
            None => drop(self.tally.refused.fetch_add(1, Ordering::Relaxed)),
        }
        self.list.push(&Sent::of(&self.plan, parcel, requests))
    }

    /// One request; whether the answer is an acknowledgement, if there is one.
    async fn once(&self, parcel: Parcel, dice: &mut Dice) -> Result<Option<bool>, Trouble> {
        let (route, mut request) = self.platforms.request(&self.plan, parcel, dice)?;
        let port = {
            let ports = self.ports.read().unwrap_or_else(PoisonError::into_inner);
            ports.get(dice.place(ports.len())).copied()
        };
        let port = port.ok_or("there is no receiver")?;
        *request.uri_mut() = Uri::try_from(format!("http://127.0.0.1:{port}{}", route.path()))?;
        self.tally.requests.fetch_add(1, Ordering::Relaxed);
        // Now and then a platform does not wait, and the connection is gone in the middle of anything.
        let is_cut = dice.one_in(100);
        let patience = if is_cut {
            Duration::from_millis(dice.below(6))
        } else {
            PATIENCE
        };
        let began = Instant::now();
        match tokio::time::timeout(patience, self.transport.send(request)).await {
            Ok(Ok(response)) => {
                let is_taken = route.is_acknowledged(&response);
                if is_taken {
                    let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.tally.slowest.fetch_max(took, Ordering::Relaxed);
                }
                Ok(Some(is_taken))
            }
            Err(_elapsed) if is_cut => {
                self.tally.cut.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            Ok(Err(_)) | Err(_) => {
                self.tally.unanswered.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
        }
    }
}

impl Tally {
    fn note(&self, problem: String) {
        self.problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(problem);
    }

    /// How often each event was acknowledged.
    pub(super) fn acknowledged(&self) -> Vec<u32> {
        self.acknowledged
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect()
    }

    /// What went wrong in sending, the first few in words.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if problems.len() > MOST_TOLD {
            let more = problems.len() - MOST_TOLD;
            problems.truncate(MOST_TOLD);
            problems.push(format!("and {more} more"));
        }
        problems
    }
}
