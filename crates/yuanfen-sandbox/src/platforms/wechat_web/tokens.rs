//! Tokens of apps and the tickets that they buy. Both live two hours; a new token makes the one before it worthless
//! after five minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use yuanfen_core::UnixTime;

use crate::ambient::SeededAmbient;

/// How long a token and a ticket live.
const LIFE: Duration = Duration::from_secs(7200);
/// How long a token lives on once there is a newer one.
const GRACE: Duration = Duration::from_secs(300);

/// What apps were given.
#[derive(Default)]
pub(super) struct Tokens {
    tokens: BTreeMap<String, Token>,
    latest: BTreeMap<&'static str, String>,
    tickets: BTreeMap<&'static str, (String, UnixTime)>,
}

struct Token {
    app: &'static str,
    ends_at: UnixTime,
}

/// Why a token buys nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadToken {
    Unknown,
    Expired,
}

impl Tokens {
    /// A token and the seconds that it lives: the one that is there, unless it is to be a new one.
    pub(super) fn give(
        &mut self,
        app: &'static str,
        renew: bool,
        ambient: &SeededAmbient,
        now: UnixTime,
    ) -> (String, i64) {
        if let Some(latest) = self.latest.get(app)
            && let Some(token) = self.tokens.get_mut(latest)
        {
            let left = token.ends_at.since(now);
            if !renew && left > 0 {
                return (latest.clone(), left);
            }
            token.ends_at = token.ends_at.min(now.after(GRACE));
        }
        let text = ambient.letters(136);
        let ends_at = now.after(LIFE);
        self.tokens.insert(text.clone(), Token { app, ends_at });
        self.latest.insert(app, text.clone());
        (text, ends_at.since(now))
    }

    /// Whether it was given out here.
    pub(super) fn knows(&self, token: &str) -> bool {
        self.tokens.contains_key(token)
    }

    /// The app whose token it is.
    pub(super) fn app_of(&self, token: &str, now: UnixTime) -> Result<&'static str, BadToken> {
        let token = self.tokens.get(token).ok_or(BadToken::Unknown)?;
        if token.ends_at.since(now) > 0 {
            Ok(token.app)
        } else {
            Err(BadToken::Expired)
        }
    }

    /// The app's ticket and the seconds that it lives.
    pub(super) fn ticket(&mut self, app: &'static str, ambient: &SeededAmbient, now: UnixTime) -> (String, i64) {
        if let Some((ticket, ends_at)) = self.tickets.get(app)
            && ends_at.since(now) > 0
        {
            return (ticket.clone(), ends_at.since(now));
        }
        let ticket = ambient.letters(86);
        let ends_at = now.after(LIFE);
        self.tickets.insert(app, (ticket.clone(), ends_at));
        (ticket, ends_at.since(now))
    }

    /// The ticket that pages of an app are signed with now.
    pub(super) fn live_ticket(&self, app: &str, now: UnixTime) -> Option<&str> {
        let (ticket, ends_at) = self.tickets.get(app)?;
        (ends_at.since(now) > 0).then_some(ticket.as_str())
    }
}
