//! `yuanfen inbox retry`, `park`, `dismiss`, `resolve`, `requery` and `withdraw`: what a person decides about events and expectations.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen_inbox::store::{Store, Subject};
use yuanfen_inbox::{EventId, EventState, Inbox, PendingFilter, PendingState, StoreError, StoredPending};

use crate::commands::Outcome;
use crate::print;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Retry,
    Park,
    Dismiss,
    Resolve,
    /// About an expectation, as the next one; the others are about events.
    Requery,
    Withdraw,
}

#[derive(Serialize)]
struct Decided {
    id: i64,
    done: bool,
    text: String,
}

/// Every id is tried, also after one of which that cannot be decided.
pub(super) async fn run<S: Store>(inbox: &Inbox<S>, decision: Decision, ids: &[i64], json: bool) -> Outcome {
    let mut all = true;
    for id in ids {
        let decided = match decide(inbox, decision, *id).await? {
            Ok(text) => Decided {
                id: *id,
                done: true,
                text,
            },
            Err(text) => Decided {
                id: *id,
                done: false,
                text,
            },
        };
        all &= decided.done;
        if json {
            print::json(&decided)?;
        } else if decided.done {
            print::line(format_args!("{id}: {}", decided.text));
        } else {
            print::progress(format_args!("{id}: {}", decided.text));
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was done; or why it could not be, and what can.
async fn decide<S: Store>(inbox: &Inbox<S>, decision: Decision, id: i64) -> Result<Result<String, String>, StoreError> {
    let event = EventId::new(id);
    let done = match decision {
        Decision::Retry => inbox.retry(event).await.map(|()| "ready; workers try it again"),
        Decision::Park => inbox
            .park(event)
            .await
            .map(|()| "parked; no worker takes it until it is retried"),
        Decision::Dismiss => inbox
            .dismiss(event)
            .await
            .map(|()| "dismissed; it takes no effect, and waits for nobody"),
        Decision::Resolve => match inbox.resolve(event).await? {
            0 => Err(StoreError::NoSuchEvent),
            _ => Ok("looked at; its contradictions are counted no more"),
        },
        Decision::Requery => inbox.requery(id).await.map(|()| "open; convergence queries it now"),
        Decision::Withdraw => withdraw(inbox, id).await.map(|()| "withdrawn; it is queried no more"),
    };
    match done {
        Ok(text) => Ok(Ok(text.to_owned())),
        Err(StoreError::NoSuchEvent) => Ok(Err(refusal(inbox, decision, event).await?)),
        Err(StoreError::NoSuchPending) => Ok(Err(refusal_of_expected(inbox, decision, id).await?)),
        Err(error) => Err(error),
    }
}

async fn refusal<S: Store>(inbox: &Inbox<S>, decision: Decision, id: EventId) -> Result<String, StoreError> {
    let Some(event) = inbox.event(id).await? else {
        return Ok("there is no event of this id; `yuanfen inbox list` prints them".to_owned());
    };
    Ok(match (decision, event.state) {
        (Decision::Retry, EventState::Done) => "it took effect; what is done is not done again".to_owned(),
        (Decision::Dismiss, EventState::Done) => "it took effect; there is nothing to dismiss".to_owned(),
        (Decision::Dismiss, EventState::Dismissed) => "it is dismissed already".to_owned(),
        (Decision::Dismiss, EventState::Ready) => {
            "it is ready, and takes effect at any moment; `yuanfen inbox park` holds it back".to_owned()
        }
        (Decision::Retry, EventState::Dismissed) => {
            "it is dismissed; `yuanfen inbox park` it first, if it is to take effect after all".to_owned()
        }
        (Decision::Retry, EventState::Ready) => "it is ready already; the workers have it".to_owned(),
        (Decision::Park, EventState::Done) => "it took effect; there is nothing to hold back".to_owned(),
        (Decision::Park, EventState::Parked) => "it is parked already".to_owned(),
        (Decision::Resolve, EventState::Ready) => {
            "it is ready: if something contradicts it, it is parked before it takes effect".to_owned()
        }
        (Decision::Resolve, EventState::Parked) => {
            "nothing contradicts it that nobody has looked at; `yuanfen inbox retry` lets it take effect".to_owned()
        }
        (Decision::Resolve, _) => "nothing contradicts it that nobody has looked at".to_owned(),
        // Somebody was faster, or a state of a later version.
        _ => format!("it is {} now; try again", event.state.as_str()),
    })
}

async fn withdraw<S: Store>(inbox: &Inbox<S>, id: i64) -> Result<(), StoreError> {
    let expected = expected(inbox, id).await?.ok_or(StoreError::NoSuchPending)?.expected;
    let subject = Subject::new(&expected.route, &expected.account, expected.kind, &expected.number);
    let store = inbox.store();
    let (turn, mut transaction) = store.begin().await?;
    let withdrawn = inbox.withdraw(&mut transaction, subject).await?;
    store.commit(transaction).await?;
    drop(turn);
    if withdrawn {
        Ok(())
    } else {
        Err(StoreError::NoSuchPending)
    }
}

async fn expected<S: Store>(inbox: &Inbox<S>, id: i64) -> Result<Option<StoredPending>, StoreError> {
    let mut filter = PendingFilter::default();
    filter.after = id.saturating_sub(1);
    filter.limit = 1;
    let found = inbox.pending(&filter).await?;
    Ok(found.into_iter().find(|pending| pending.id == id))
}

async fn refusal_of_expected<S: Store>(inbox: &Inbox<S>, decision: Decision, id: i64) -> Result<String, StoreError> {
    let Some(pending) = expected(inbox, id).await? else {
        return Ok("no order or refund of this id is expected; `yuanfen inbox pending` prints them".to_owned());
    };
    Ok(match pending.state {
        PendingState::Over | PendingState::Lapsed if decision == Decision::Withdraw => {
            format!("it is {} already; nothing queries it", pending.state.as_str())
        }
        PendingState::Open => "it is open already; convergence queries it when it is due".to_owned(),
        PendingState::Over => "its end is known; there is nothing to ask".to_owned(),
        // Somebody was faster, or a state of a later version.
        state => format!("it is {} now; try again", state.as_str()),
    })
}
