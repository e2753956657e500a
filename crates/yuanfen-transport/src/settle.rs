//! Drives core's [`Settle`] over the wire.

use std::fmt;

use yuanfen_core::{
    Error, ErrorKind, Fate, Observation, Operation, Provider, Settle, SettleRule, SettleStep, SettleVerdict, Standing,
};

use crate::{Client, Sleep, Transport};

/// A call together with the query that tells what became of it and the rule by which it is settled.
///
/// Made by [`Client::settle`].
pub struct Settling<'a, P, T, O, Q, F> {
    client: &'a Client<P, T>,
    operation: &'a O,
    query: &'a Q,
    rule: SettleRule,
    standing: F,
}

/// How a call was settled.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "the verdict may be that the outcome is still unknown"]
pub struct Settled<R, Q> {
    /// The outcome.
    pub verdict: SettleVerdict,
    /// The call's reply, where it or its repeat was answered.
    pub reply: Option<R>,
    /// The last answer of the query, where one came: what the verdict was read from.
    pub found: Option<Q>,
    /// The last thing that went wrong on the way, the first call's own error included.
    pub last_error: Option<Error>,
}

impl<'a, P, T, O, Q, F> Settling<'a, P, T, O, Q, F> {
    pub(crate) const fn new(
        client: &'a Client<P, T>,
        operation: &'a O,
        query: &'a Q,
        rule: &SettleRule,
        standing: F,
    ) -> Self {
        Self {
            client,
            operation,
            query,
            rule: *rule,
            standing,
        }
    }
}

impl<P, T, O, Q, F> Settling<'_, P, T, O, Q, F>
where
    P: Provider,
    T: Transport,
    O: Operation<Provider = P>,
    Q: Operation<Provider = P>,
    F: Fn(&Q::Reply) -> Standing,
{
    /// Settles a call that was made already and ended with that fate. The operation must be the value that was sent:
    /// same number, same parameters.
    ///
    /// It takes as long as the rule says; dropping the future gives up and leaves the outcome as unknown as it was.
    pub async fn after(&self, fate: Fate, sleep: &impl Sleep) -> Settled<O::Reply, Q::Reply> {
        self.run(fate, None, sleep).await
    }

    /// Makes the call, and settles it when its outcome is unknown or the platform says that it is there already.
    ///
    /// # Errors
    /// When the call certainly did nothing: it was not sent, or it was refused for good.
    pub async fn call(&self, sleep: &impl Sleep) -> Result<Settled<O::Reply, Q::Reply>, Error> {
        match self.client.call(self.operation).await {
            Ok(reply) => Ok(Settled {
                verdict: SettleVerdict::Replied,
                reply: Some(reply),
                found: None,
                last_error: None,
            }),
            Err(error) => match error.fate() {
                Fate::NotSent | Fate::Refused => Err(error),
                fate => Ok(self.run(fate, Some(error), sleep).await),
            },
        }
    }

    async fn run(&self, fate: Fate, error: Option<Error>, sleep: &impl Sleep) -> Settled<O::Reply, Q::Reply> {
        let client = self.client;
        let mut settle = Settle::new(&self.rule, fate, client.ambient().now());
        let mut settled = Settled {
            verdict: SettleVerdict::StillUnknown,
            reply: None,
            found: None,
            last_error: error,
        };
        let mut attempt: u32 = 1;
        loop {
            let observation = match settle.step(client.ambient().now()) {
                SettleStep::Done(verdict) => {
                    settled.verdict = verdict;
                    return settled;
                }
                SettleStep::Wait(duration) => {
                    sleep.sleep(duration).await;
                    Observation::Waited
                }
                SettleStep::Query => match client.call(self.query).await {
                    Ok(reply) => {
                        let standing = (self.standing)(&reply);
                        settled.found = Some(reply);
                        Observation::Stands(standing)
                    }
                    Err(error) => {
                        let observation = error.standing().map_or(Observation::QueryFailed, Observation::Stands);
                        // A query that cannot even be built will not be built later either.
                        let hopeless = matches!(error.kind(), ErrorKind::Build(_));
                        settled.last_error = Some(error);
                        if hopeless {
                            return settled;
                        }
                        observation
                    }
                },
                SettleStep::Repeat => {
                    attempt = attempt.saturating_add(1);
                    match client.attempt(self.operation, attempt).await {
                        Ok(reply) => {
                            settled.reply = Some(reply);
                            Observation::Replied
                        }
                        Err(error) => {
                            let fate = error.fate();
                            settled.last_error = Some(error);
                            Observation::RepeatFailed(fate)
                        }
                    }
                }
                // A step that this version does not know: nothing more can be done honestly.
                _ => return settled,
            };
            tracing::debug!(observation = ?observation, "settling");
            settle.observe(observation);
        }
    }
}

impl<P, T, O, Q, F> fmt::Debug for Settling<'_, P, T, O, Q, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settling")
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}
