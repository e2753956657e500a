//! What all five walks share: the order, the steps, the wait for a notice, and how a failure reads.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use yuanfen::core::Ambient as _;
use yuanfen::core::{
    Address, BuildError, Fen, Lookup, Notice, NotificationSource, NumberError, OpenError, OrderNo, PayAmount, Verdict,
};
use yuanfen::transport::{Client, OsAmbient, SharedTransport, Transport as _};
use yuanfen_sandbox::{NoticeOutcome, Platform, Sandbox};

use super::desk::{Desk, Seen};
use super::report::Report;
use crate::args::RouteName;
use crate::print;

/// How long a notice may take on a loaded machine.
const NOTICE_WAIT: Duration = Duration::from_secs(10);

/// The shop's side of one walk.
pub(crate) struct Walk<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) order_no: OrderNo,
    pub(crate) amount: PayAmount,
    desk: &'a Desk,
    transport: &'a SharedTransport,
    platform: Platform,
    route: RouteName,
}

/// Why a walk cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WalkError {
    #[error("the order number is not portable")]
    Number(#[from] NumberError),
    #[error("the amount cannot be paid")]
    Amount(#[from] yuanfen::core::MoneyError),
}

/// A step of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    SetUp,
    FindPayer,
    Place,
    Page,
    Pay,
    Notice,
    Acknowledge,
    Query,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SetUp => "set up",
            Self::FindPayer => "find the payer",
            Self::Place => "place the order",
            Self::Page => "prepare the page",
            Self::Pay => "pay",
            Self::Notice => "open the notice",
            Self::Acknowledge => "acknowledge the notice",
            Self::Query => "query the order",
        })
    }
}

/// A step that failed: which, why, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) step: Step,
    pub(crate) why: String,
    pub(crate) what_to_do: String,
}

impl Failure {
    pub(crate) fn new(step: Step, error: &(dyn Error + 'static), what_to_do: impl Into<String>) -> Self {
        Self {
            step,
            why: print::one_line(error),
            what_to_do: what_to_do.into(),
        }
    }

    pub(crate) fn words(step: Step, why: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self {
            step,
            why: why.into(),
            what_to_do: what_to_do.into(),
        }
    }

    /// A call that failed says itself what may have happened and what to do.
    pub(crate) fn call(step: Step) -> impl FnOnce(yuanfen::core::Error) -> Self {
        move |error| Self {
            step,
            why: format!("{}: {}", error.operation(), print::causes(&error).join(": ")),
            what_to_do: error.verdict(),
        }
    }

    /// Something that could not be built on our side.
    pub(crate) fn build(step: Step) -> impl FnOnce(BuildError) -> Self {
        move |error| Self::new(step, &error, "mend the input; nothing was sent")
    }

    /// Settings that do not make an account.
    pub(crate) fn setup<E: Error + 'static>(error: E) -> Self {
        Self::new(
            Step::SetUp,
            &error,
            "compare the settings with the sandbox's credentials",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.step, self.why, self.what_to_do)
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        route: RouteName,
        platform: Platform,
        sandbox: &'a Sandbox,
        desk: &'a Desk,
        transport: &'a SharedTransport,
    ) -> Result<Self, WalkError> {
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let order_no = OrderNo::portable(format!("DEMO{millis}"))?;
        Ok(Self {
            sandbox,
            order_no,
            amount: PayAmount::from_yuan_text("12.30")?,
            desk,
            transport,
            platform,
            route,
        })
    }

    /// A client that drives this account over the shared HTTP stack.
    pub(crate) fn client<P>(&self, account: Arc<P>) -> Client<P>
    where
        P: yuanfen::core::Provider,
    {
        Client::with_transport(account, self.transport.clone())
    }

    /// Where this route's notices go.
    pub(crate) fn notify_url(&self) -> Result<Address, Failure> {
        let text = format!("{}/notify/{}", self.desk.base_url(), self.route.as_str());
        Address::parse("notify_url", &text).map_err(Failure::setup)
    }

    /// Has the desk open this route's notices with that account from now on.
    pub(crate) fn receive_with<P>(&self, account: Arc<P>)
    where
        P: NotificationSource + Send + Sync + 'static,
    {
        self.desk.receive(self.route, move |request| open(&*account, request));
    }

    /// What a browser gets when it follows an address.
    pub(crate) async fn browse(&self, step: Step, address: &str) -> Result<http::Response<Bytes>, Failure> {
        let address = address.split_once('#').map_or(address, |(front, _)| front);
        let request = http::Request::get(address)
            .body(Bytes::new())
            .map_err(|error| Failure::new(step, &error, "the address is not one a browser can follow"))?;
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|error| Failure::new(step, &error, "the page did not answer"))?;
        let status = response.status();
        if status.is_success() || status.is_redirection() {
            return Ok(response);
        }
        Err(Failure::words(
            step,
            format!("the page answered {status}"),
            "compare the address with the sandbox's log",
        ))
    }

    /// The sandbox's payer opens the cashier with what the page hands over, and the cashier names our order.
    pub(crate) fn open_cashier(&self, parameters: &[(&str, &str)]) -> Result<(), Failure> {
        let named = self
            .sandbox
            .open_cashier(self.platform, parameters)
            .map_err(|error| Failure::new(Step::Page, &error, "compare the page's parameters with what was signed"))?;
        if named == self.order_no.as_str() {
            Ok(())
        } else {
            Err(Failure::words(
                Step::Page,
                "the cashier shows another order",
                "compare the prepay id",
            ))
        }
    }

    /// The sandbox's payer pays.
    pub(crate) fn pay(&self) -> Result<(), Failure> {
        self.sandbox
            .pay(self.platform, self.order_no.as_str())
            .map(drop)
            .map_err(|error| Failure::new(Step::Pay, &error, "look at the order in the sandbox"))
    }

    /// Waits for the notice, compares it with the order, and looks at what the platform made of our answer.
    pub(crate) async fn notice(&self, report: &mut Report) -> Result<Option<Lookup>, Failure> {
        let lookup = match self.desk.next(self.route, NOTICE_WAIT).await {
            Some(Seen::Verified {
                state,
                order_no,
                amount,
            }) => {
                report.notice = Some("verified");
                report.noticed_state = Some(state);
                if order_no.as_deref() != Some(self.order_no.as_str()) {
                    return Err(Failure::words(
                        Step::Notice,
                        "it is about another order",
                        "never act on it",
                    ));
                }
                if amount != Some(self.amount.fen()) {
                    return Err(Failure::words(
                        Step::Notice,
                        "its amount is not the order's",
                        "never act on it",
                    ));
                }
                None
            }
            Some(Seen::Hint { lookup, is_signed }) => {
                report.notice = Some(if is_signed { "verified" } else { "hint" });
                report.noticed_state = Some("ask".to_owned());
                Some(lookup)
            }
            Some(Seen::Refused(why)) => {
                return Err(Failure::words(
                    Step::Notice,
                    why,
                    "it was answered with the failure form, so the platform delivers it again; query the order meanwhile",
                ));
            }
            None => {
                return Err(Failure::words(
                    Step::Notice,
                    format!("none came within {} seconds", NOTICE_WAIT.as_secs()),
                    "query the order; check that the notify address can be reached",
                ));
            }
        };
        self.sandbox.delivered().await;
        report.acknowledged = self.sandbox.notices().iter().any(|attempt| {
            attempt.platform == self.platform
                && attempt.order_no == self.order_no.as_str()
                && matches!(attempt.outcome, NoticeOutcome::Acknowledged { .. })
        });
        if report.acknowledged {
            Ok(lookup)
        } else {
            Err(Failure::words(
                Step::Acknowledge,
                "the platform did not take our answer for an acknowledgment",
                "compare the answer's form with the platform's manual; the notice will come again",
            ))
        }
    }

    /// Compares what the query says with what must be.
    pub(crate) fn agrees(
        &self,
        report: &mut Report,
        state: &str,
        paid: bool,
        amount: Option<Fen>,
    ) -> Result<(), Failure> {
        report.state = Some(state.to_owned());
        if !paid {
            return Err(Failure::words(
                Step::Query,
                format!("the order stands at {state}"),
                "query again; never ship before it is paid",
            ));
        }
        if amount != Some(self.amount.fen()) {
            return Err(Failure::words(
                Step::Query,
                "the paid amount is not the order's",
                "never ship; ask a person",
            ));
        }
        Ok(())
    }
}

/// Opens a notice and answers it in the route's own form.
fn open<P: NotificationSource>(account: &P, request: &http::Request<Bytes>) -> (http::Response<Bytes>, Seen) {
    let seen = match account.open_notification(request, OsAmbient.now()) {
        Ok(Notice::Settles(event)) => {
            let facts = account.facts(event.get());
            Seen::Verified {
                state: facts.end_state,
                order_no: facts.order_no,
                amount: facts.amount,
            }
        }
        Ok(Notice::Hint(hint)) => Seen::Hint {
            lookup: hint.lookup,
            is_signed: hint.is_signed,
        },
        Ok(_) => Seen::Refused("the notice is of a kind that this program does not know".to_owned()),
        Err(error) => Seen::Refused(one_line(&error)),
    };
    let verdict = if matches!(seen, Seen::Refused(_)) {
        Verdict::Rejected
    } else {
        Verdict::Accepted
    };
    (account.acknowledge(verdict), seen)
}

fn one_line(error: &OpenError) -> String {
    print::one_line(error)
}
