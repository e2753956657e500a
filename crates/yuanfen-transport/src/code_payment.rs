//! Drives core's [`CodePayment`] over the wire.

use std::fmt;
use std::future::{Future, Pending, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::Poll;

use yuanfen_core::{
    CodePayment, CodePaymentCall, CodePaymentEvent, CodePaymentOutcome, CodePaymentRule, CodePaymentStep, Error,
    ErrorKind, Operation, OperationExt as _, OrderNo, Provider, RouteInfo,
};

use crate::{Client, Sleep, Transport};

/// A payment by scanned code on its way: from the payment call, or from a query where it is taken up again, to its end.
///
/// Made by [`Client::take_code_payment`] and [`Client::resume_code_payment`].
#[must_use = "nothing is sent before `call`"]
pub struct TakingCodePayment<'a, P, T, O: CodePaymentCall, G = Pending<()>> {
    client: &'a Client<P, T>,
    /// None where it is taken up again.
    payment: Option<&'a O>,
    query: O::Query,
    reverse: O::Reverse,
    rule: CodePaymentRule,
    given_up: G,
}

/// How a payment by scanned code ended, with the last answer of each of its calls.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "the outcome may be that nobody can say"]
pub struct TakenCodePayment<R, Q, V> {
    /// The outcome.
    pub outcome: CodePaymentOutcome,
    /// The payment call's reply, where it was answered: the payment itself when it says "paid".
    pub reply: Option<R>,
    /// The last answer of the query, where one came: the payment itself when it says "paid".
    pub found: Option<Q>,
    /// The last answer of the reversal, where one came.
    pub reversed: Option<V>,
    /// The last thing that went wrong on the way: of a payment that was refused or not sent, the reason.
    pub last_error: Option<Error>,
}

type Taken<O> = TakenCodePayment<
    <O as Operation>::Reply,
    <<O as CodePaymentCall>::Query as Operation>::Reply,
    <<O as CodePaymentCall>::Reverse as Operation>::Reply,
>;

impl<'a, P, T, O: CodePaymentCall> TakingCodePayment<'a, P, T, O> {
    pub(crate) fn begin(client: &'a Client<P, T>, payment: &'a O) -> Self {
        Self {
            payment: Some(payment),
            ..Self::resume(client, payment.order_no().clone())
        }
    }

    pub(crate) fn resume(client: &'a Client<P, T>, order_no: OrderNo) -> Self {
        Self {
            client,
            payment: None,
            query: O::query(order_no.clone()),
            reverse: O::reverse(order_no),
            rule: O::RULE,
            given_up: pending(),
        }
    }
}

impl<'a, P, T, O: CodePaymentCall, G> TakingCodePayment<'a, P, T, O, G> {
    /// The same with other times and limits.
    pub fn with_rule(mut self, rule: &CodePaymentRule) -> Self {
        self.rule = *rule;
        self
    }

    /// The same, given up when that future ends: the cashier or the payer no longer wants it. It is then not waited for
    /// but reversed as soon as that is allowed, after a query. Where that query says "paid" it is paid: refund it.
    pub fn give_up_when<H: Future>(self, given_up: H) -> TakingCodePayment<'a, P, T, O, H> {
        TakingCodePayment {
            client: self.client,
            payment: self.payment,
            query: self.query,
            reverse: self.reverse,
            rule: self.rule,
            given_up,
        }
    }
}

impl<P, T, O, G> TakingCodePayment<'_, P, T, O, G>
where
    P: Provider,
    T: Transport,
    O: CodePaymentCall<Provider = P>,
    G: Future,
{
    /// Takes the payment to its end. It takes as long as the rule says.
    ///
    /// Nothing is charged that could not be undone: where the query or the reversal could not be built, or the transport
    /// would not send it for want of a client certificate, the payment is not sent, and `last_error` says why.
    ///
    /// Dropping the future stops it wherever it is. What was sent stands, and nobody asks or reverses any more: the
    /// payer may be charged. Note the order number before the call, and take an unfinished one up again with
    /// [`Client::resume_code_payment`].
    pub async fn call(self, sleep: &impl Sleep) -> Taken<O> {
        let client = self.client;
        let mut taken = Taken::<O> {
            outcome: CodePaymentOutcome::StillUnknown,
            reply: None,
            found: None,
            reversed: None,
            last_error: None,
        };
        let now = client.ambient().now();
        let mut machine = match self.payment {
            Some(_) => CodePayment::new(&self.rule, now),
            None => CodePayment::resume(&self.rule, now),
        };
        if self.payment.is_some()
            && let Err(error) = self.check()
        {
            taken.last_error = Some(error);
            machine.give_up();
        }
        let mut given_up = Some(pin!(self.given_up));
        let mut reversals: u32 = 0;
        loop {
            if ends_first(&mut given_up, pin!(ready(()))).await {
                machine.give_up();
            }
            let event = match machine.step(client.ambient().now()) {
                CodePaymentStep::Done(outcome) => {
                    taken.outcome = outcome;
                    return taken;
                }
                CodePaymentStep::Wait(duration) => {
                    if ends_first(&mut given_up, pin!(sleep.sleep(duration))).await {
                        machine.give_up();
                        continue;
                    }
                    CodePaymentEvent::Waited
                }
                CodePaymentStep::Pay => {
                    let Some(payment) = self.payment else {
                        return taken;
                    };
                    match client.call(payment).await {
                        Ok(reply) => O::read_reply(taken.reply.insert(reply)),
                        Err(error) => O::read_failure(taken.last_error.insert(error)),
                    }
                }
                CodePaymentStep::Query => match client.call(&self.query).await {
                    Ok(found) => CodePaymentEvent::Stands(O::read_standing(taken.found.insert(found))),
                    Err(error) => O::read_query_failure(taken.last_error.insert(error)),
                },
                CodePaymentStep::Reverse => {
                    reversals = reversals.saturating_add(1);
                    match client.attempt(&self.reverse, reversals).await {
                        Ok(reversed) => O::read_reversal(taken.reversed.insert(reversed)),
                        Err(error) => O::read_reversal_failure(taken.last_error.insert(error)),
                    }
                }
                // A step that this version does not know: nothing more can be done honestly.
                _ => return taken,
            };
            tracing::debug!(event = ?event, "taking a payment by scanned code");
            machine.observe(event);
        }
    }
}

impl<P, T, O, G> TakingCodePayment<'_, P, T, O, G>
where
    P: Provider,
    T: Transport,
    O: CodePaymentCall<Provider = P>,
{
    /// Whether the calls that settle and undo the payment could be sent.
    fn check(&self) -> Result<(), Error> {
        self.check_one(&self.query)?;
        self.check_one(&self.reverse)
    }

    fn check_one<C: Operation<Provider = P>>(&self, operation: &C) -> Result<(), Error> {
        let request = operation.request(self.client.provider(), self.client.ambient())?;
        self.client
            .transport()
            .check(&request)
            .map_err(|error| Error::new(RouteInfo::of::<C>(), ErrorKind::Transport(error)))
    }
}

impl<P, T, O: CodePaymentCall, G> fmt::Debug for TakingCodePayment<'_, P, T, O, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakingCodePayment")
            .field("resumed", &self.payment.is_none())
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

/// Whether the first one ends before the second does, or with it. It is told once and forgotten.
async fn ends_first<G: Future>(first: &mut Option<Pin<&mut G>>, mut second: Pin<&mut impl Future>) -> bool {
    poll_fn(|context| {
        if first
            .as_mut()
            .is_some_and(|first| first.as_mut().poll(context).is_ready())
        {
            *first = None;
            return Poll::Ready(true);
        }
        second.as_mut().poll(context).map(|_| false)
    })
    .await
}
