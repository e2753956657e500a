//! Sending the identical request again, where that is safe and only if asked to.

use std::fmt;
use std::time::Duration;

use yuanfen_core::{Advice, Error, Fate, Operation, Provider};

use crate::{Client, Sleep, Transport};

/// Repeats a call as often as the advice on its failure is to repeat it, and not once more.
///
/// What is repeated is the operation's value: same number, same parameters, signed again where the protocol wants a
/// fresh timestamp. A refund, a scanned code or an acquirer's order is repeated only when nothing at all was sent. The
/// fates of the attempts are joined: a refusal after a timeout does not prove that the first attempt did nothing.
///
/// ```
/// use std::time::Duration;
/// use yuanfen_transport::{Attempt, Retry};
///
/// # fn example(sleep: impl yuanfen_transport::Sleep) {
/// let mut retry = Retry::new(sleep);
/// retry.attempts = 4;
/// retry.deadline = Duration::from_secs(20);
/// let retry = retry.on_attempt(|attempt: &Attempt<'_>| eprintln!("attempt {}: {}", attempt.number, attempt.error));
/// # }
/// ```
#[non_exhaustive]
pub struct Retry<S> {
    /// How many attempts are made at most, the first included. Three unless set.
    pub attempts: u32,
    /// The pause before the second attempt; each one after it is twice as long. Half a second unless set.
    pub pause: Duration,
    /// The same where the platform said "later". Five seconds unless set.
    pub later: Duration,
    /// No attempt is begun when so much time has passed since the first, by the client's clock in whole seconds. An
    /// attempt that has begun ends by the transport's own limits. 30 seconds unless set.
    pub deadline: Duration,
    sleep: S,
    report: Option<Box<Report>>,
}

type Report = dyn Fn(&Attempt<'_>) + Send + Sync;

/// One failed attempt, as it is reported.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// Which attempt, from one.
    pub number: u32,
    /// How it failed, with the fates of the attempts before it joined in.
    pub error: &'a Error,
    /// How long until the next attempt; `None` where there is none.
    pub next: Option<Duration>,
}

impl<S: Sleep> Retry<S> {
    /// Three attempts within 30 seconds, waiting with that.
    pub const fn new(sleep: S) -> Self {
        Self {
            attempts: 3,
            pause: Duration::from_millis(500),
            later: Duration::from_secs(5),
            deadline: Duration::from_secs(30),
            sleep,
            report: None,
        }
    }

    /// Has every failed attempt reported as it ends, the last one too.
    #[must_use]
    pub fn on_attempt(mut self, report: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        self.report = Some(Box::new(report));
        self
    }

    /// Makes the call, again and again while the advice is to repeat it.
    ///
    /// # Errors
    /// That of the last attempt, with the fates of all attempts joined.
    pub async fn call<P, T, O>(&self, client: &Client<P, T>, operation: &O) -> Result<O::Reply, Error>
    where
        P: Provider,
        T: Transport,
        O: Operation<Provider = P>,
    {
        let start = client.ambient().now();
        let mut fate = Fate::NotSent;
        let mut number: u32 = 1;
        loop {
            let error = match client.attempt(operation, number).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            // What this attempt alone advises: a final refusal is not argued with, even when an earlier attempt's
            // outcome is unknown and so is the outcome of them all.
            let own = error.advice();
            let error = error.after(fate);
            fate = error.fate();
            let spent = u64::try_from(client.ambient().now().since(start)).unwrap_or(0);
            let next = self.next(number, own, error.advice(), Duration::from_secs(spent));
            if let Some(report) = &self.report {
                report(&Attempt {
                    number,
                    error: &error,
                    next,
                });
            }
            tracing::debug!(attempt = number, fate = %fate, again = next.is_some(), "an attempt failed");
            let Some(pause) = next else {
                return Err(error);
            };
            self.sleep.sleep(pause).await;
            number = number.saturating_add(1);
        }
    }

    /// The pause before the next attempt, where there is to be one.
    fn next(&self, number: u32, own: Advice, joined: Advice, spent: Duration) -> Option<Duration> {
        let first = match (own, joined) {
            (Advice::RepeatLater, Advice::Repeat | Advice::RepeatLater) => self.later,
            (Advice::Repeat, Advice::Repeat | Advice::RepeatLater) => self.pause,
            _ => return None,
        };
        if number >= self.attempts {
            return None;
        }
        let doubled = 2_u32.saturating_pow(number.saturating_sub(1));
        let pause = first.saturating_mul(doubled);
        (spent.saturating_add(pause) < self.deadline).then_some(pause)
    }
}

impl<S> fmt::Debug for Retry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("attempts", &self.attempts)
            .field("pause", &self.pause)
            .field("later", &self.later)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
