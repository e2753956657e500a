//! The payer's phone, the logs and the sandbox's own knobs over HTTP, on a port of their own: `/api/…`, for shops whose
//! tests are in another language, and for the console.
//!
//! `openapi.json` describes it for those who call.
//!
//! Nothing here is any platform's. `guard` says who is let in, `routes` what there is, the other files what is done.

mod answer;
mod ask;
mod bills;
mod changes;
mod events;
mod exchanges;
mod faults;
mod guard;
mod hooks;
mod keys;
mod notices;
mod openapi;
mod orders;
mod payer;
mod routes;
mod server;
mod settings;
mod state;

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use self::answer::Wrong;
use self::ask::Ask;
use self::routes::Work;
use crate::FarSide;

pub(crate) use self::changes::{Changes, Topic};
pub(crate) use self::guard::Guard;
pub(crate) use self::server::serve;

impl FarSide {
    /// Answers a call to the admin API, for tests in memory. Who asks is not looked at, the clock moves without a courier
    /// that delivers on the way, and there is no stream of events.
    #[must_use]
    pub fn administer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let answered = Ask::of(request).and_then(|ask| match ask.work() {
            Work::Plain(handler) => handler(self, &ask),
            Work::Advance => state::advance(self, &ask),
            Work::Console => server::page(request),
            Work::Events => Err(Wrong::new(StatusCode::NOT_IMPLEMENTED, "events need a listener")),
        });
        answered.unwrap_or_else(Response::from)
    }
}
