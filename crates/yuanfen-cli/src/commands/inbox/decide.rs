//! `yuanfen inbox retry`, `park`, `resolve` and `requery`: what a person decides about events and expectations.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{EventId, EventState, Inbox, PendingFilter, PendingState, StoreError};

use crate::commands::Outcome;
use crate::print;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Retry,
    Park,
    Resolve,
    /// About an expectation; the others are about events.
    Requery,
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
        Decision::Resolve => match inbox.resolve(event).await? {
            0 => Err(StoreError::NoSuchEvent),
            _ => Ok("looked at; its contradictions are counted no more"),
        },
        Decision::Requery => inbox.requery(id).await.map(|()| "open; convergence queries it now"),
    };
    match done {
        Ok(text) => Ok(Ok(text.to_owned())),
        Err(StoreError::NoSuchEvent) => Ok(Err(refusal(inbox, decision, event).await?)),
        Err(StoreError::NoSuchPending) => Ok(Err(refusal_to_query(inbox, id).await?)),
        Err(error) => Err(error),
    }
}

async fn refusal<S: Store>(inbox: &Inbox<S>, decision: Decision, id: EventId) -> Result<String, StoreError> {
    let Some(event) = inbox.event(id).await? else {
        return Ok("there is no event of this id; `yuanfen inbox list` prints them".to_owned());
    };
    Ok(match (decision, event.state) {
        (Decision::Retry, EventState::Done) => "it took effect; what is done is not done again".to_owned(),
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

async fn refusal_to_query<S: Store>(inbox: &Inbox<S>, id: i64) -> Result<String, StoreError> {
    let mut filter = PendingFilter::default();
    filter.after = id.saturating_sub(1);
    filter.limit = 1;
    let found = inbox.pending(&filter).await?;
    let Some(pending) = found.first().filter(|pending| pending.id == id) else {
        return Ok("no order or refund of this id is expected; `yuanfen inbox pending` prints them".to_owned());
    };
    Ok(match pending.state {
        PendingState::Open => "it is open already; convergence queries it when it is due".to_owned(),
        PendingState::Over => "its end is known; there is nothing to ask".to_owned(),
        // Somebody was faster, or a state of a later version.
        state => format!("it is {} now; try again", state.as_str()),
    })
}
