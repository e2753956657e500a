//! A call to the admin API, taken apart: which route it is, what its path and query name, and its body.

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde::de::DeserializeOwned;
use yuanfen_core::{Fields, Limits};

use super::answer::Wrong;
use super::routes::{self, Captured, Route, Work};
use crate::{Account, Platform};

/// Entries of a list unless the call says how many.
const PAGE: usize = 100;
/// Most entries of a list.
const MOST: usize = 1000;

/// A call to a route that exists, by its method.
pub(super) struct Ask<'a> {
    route: &'static Route,
    captured: Captured,
    query: Fields,
    body: &'a [u8],
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// How many entries at most.
    pub(super) limit: usize,
    /// Only entries with smaller numbers.
    pub(super) before: Option<u64>,
}

impl<'a> Ask<'a> {
    /// # Errors
    /// When nothing is done at that path (404) or not by that method (405), the query is not one that the route takes
    /// (400), or a body does not say that it is JSON (415).
    pub(super) fn of(request: &'a Request<Bytes>) -> Result<Self, Wrong> {
        let (route, captured) = routes::find(request.method(), request.uri().path())?;
        let query = request.uri().query().unwrap_or_default();
        let query = yuanfen_form::read(query.as_bytes(), &Limits::DEFAULT)
            .map_err(|error| Wrong::form(format!("not a query: {error}")))?;
        if let Some((name, _)) = query.iter().find(|(name, _)| !route.query.contains(name)) {
            return Err(Wrong::form(format!("`{name}` is no parameter of this path")));
        }
        check_kind(request)?;
        Ok(Self {
            route,
            captured,
            query,
            body: request.body(),
        })
    }

    pub(super) const fn work(&self) -> Work {
        self.route.work
    }

    /// What stands in the path where the route has that name in braces.
    pub(super) fn part(&self, name: &str) -> &str {
        let found = self.captured.iter().find(|(captured, _)| *captured == name);
        found.map_or("", |(_, value)| value)
    }

    /// The account in the path.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(super) fn account(&self) -> Result<Account, Wrong> {
        account(self.part("account")).ok_or_else(|| Wrong::missing(no_account()))
    }

    /// The platform in the path.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(super) fn platform(&self) -> Result<Platform, Wrong> {
        let platform = self.part("platform").parse();
        platform.map_err(|_| Wrong::missing(no_platform()))
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name)
    }

    /// `limit` and `before` of the query.
    ///
    /// # Errors
    /// When one of them is not a number, or the limit is not one of 1 to 1000.
    pub(super) fn page(&self) -> Result<Page, Wrong> {
        let limit = match self.query("limit") {
            None => PAGE,
            Some(text) => digits(text)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=MOST).contains(number))
                .ok_or_else(|| Wrong::form(format!("`limit` is a number from 1 to {MOST}")))?,
        };
        let before = match self.query("before") {
            None => None,
            Some(text) => {
                Some(digits(text).ok_or_else(|| Wrong::form("`before` is the number of an entry of this list"))?)
            }
        };
        Ok(Page { limit, before })
    }

    pub(super) const fn body(&self) -> &[u8] {
        self.body
    }

    /// The body as a JSON object; `what` is what it should be.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, Wrong> {
        // Else serde would take a list for an object without names.
        if !self.body.trim_ascii_start().starts_with(b"{") {
            return Err(Wrong::form(format!("not {what}: a JSON object is wanted")));
        }
        serde_json::from_slice(self.body).map_err(|error| Wrong::form(format!("not {what}: {error}")))
    }
}

/// The account of that name.
pub(super) fn account(name: &str) -> Option<Account> {
    name.parse().ok()
}

/// Says that there is no such account, and which there are.
pub(super) fn no_account() -> String {
    let names: Vec<String> = Account::all().map(|account| account.to_string()).collect();
    format!("no such account; known are {}", names.join(", "))
}

/// Says that there is no such platform, and which there are.
pub(super) fn no_platform() -> String {
    let names: Vec<&str> = Platform::ALL.iter().map(|platform| platform.name()).collect();
    format!("no such platform; known are {}", names.join(", "))
}

/// A number in the path or query: decimal digits and nothing else.
pub(super) fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// What changes something says that it is JSON: a form on a foreign page cannot.
fn check_kind(request: &Request<Bytes>) -> Result<(), Wrong> {
    if !matches!(*request.method(), Method::POST | Method::PUT) {
        return Ok(());
    }
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_json = match kind {
        // Without a body there is nothing to call JSON.
        None => request.body().is_empty(),
        Some(kind) => kind.to_str().is_ok_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case("application/json")
        }),
    };
    if is_json {
        Ok(())
    } else {
        Err(Wrong::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "say `Content-Type: application/json`",
        ))
    }
}
