//! Codes that stand for a visitor: each is good once, for five minutes, for the app that it was made for.

use std::collections::BTreeMap;

use yuanfen_core::UnixTime;

use crate::ambient::SeededAmbient;

/// A code lives five minutes.
const LIFE: i64 = 300;

/// Codes that were given out.
#[derive(Default)]
pub(super) struct Codes(BTreeMap<String, Grant>);

struct Grant {
    app: &'static str,
    purpose: Purpose,
    at: UnixTime,
    is_spent: bool,
}

/// What a code was given for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A visitor agreed on a page, to that.
    Page { scope: &'static str },
    /// A mini program asked who uses it.
    LogIn,
}

/// Why a code buys nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::platforms) enum BadCode {
    /// It was never given out, or to another app, or is five minutes old.
    Invalid,
    /// It was used before.
    Spent,
}

impl Codes {
    pub(super) fn give(
        &mut self,
        app: &'static str,
        purpose: Purpose,
        ambient: &SeededAmbient,
        now: UnixTime,
    ) -> String {
        // Those whose time is up are forgotten, used or not.
        self.0.retain(|_, grant| now.since(grant.at) < LIFE);
        let code = ambient.letters(32);
        let grant = Grant {
            app,
            purpose,
            at: now,
            is_spent: false,
        };
        self.0.insert(code.clone(), grant);
        code
    }

    /// The app and the scope that a page's code stands for.
    pub(super) fn redeem_of_page(
        &mut self,
        code: &str,
        app: Option<&str>,
        now: UnixTime,
    ) -> Result<(&'static str, &'static str), BadCode> {
        let grant = self.redeem(code, app, now)?;
        match grant.purpose {
            Purpose::Page { scope } => {
                grant.is_spent = true;
                Ok((grant.app, scope))
            }
            Purpose::LogIn => Err(BadCode::Invalid),
        }
    }

    /// Whether a mini program's code is good.
    pub(super) fn redeem_of_login(&mut self, code: &str, app: &str, now: UnixTime) -> Result<(), BadCode> {
        let grant = self.redeem(code, Some(app), now)?;
        if grant.purpose != Purpose::LogIn {
            return Err(BadCode::Invalid);
        }
        grant.is_spent = true;
        Ok(())
    }

    fn redeem(&mut self, code: &str, app: Option<&str>, now: UnixTime) -> Result<&mut Grant, BadCode> {
        let grant = self.0.get_mut(code).ok_or(BadCode::Invalid)?;
        if app.is_some_and(|app| app != grant.app) || now.since(grant.at) >= LIFE {
            Err(BadCode::Invalid)
        } else if grant.is_spent {
            Err(BadCode::Spent)
        } else {
            Ok(grant)
        }
    }
}
