//! Which paths there are. `openapi.json` says the same at length; a test holds the two together.

use bytes::Bytes;
use http::{Method, Response};
use percent_encoding::percent_decode_str;

use super::answer::Wrong;
use super::ask::Ask;
use super::{bills, exchanges, faults, hooks, keys, notices, openapi, orders, payer, settings, state};
use crate::FarSide;

/// What is done at once, under the far side's one lock.
type Handler = fn(&FarSide, &Ask<'_>) -> Result<Response<Bytes>, Wrong>;

/// A method at a path.
pub(super) struct Route {
    pub(super) method: Method,
    /// With names in braces where a segment may be anything.
    pub(super) path: &'static str,
    /// Parameters of the query.
    pub(super) query: &'static [&'static str],
    pub(super) work: Work,
}

/// What is done.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Plain(Handler),
    /// Moves the clock and waits until what falls due is delivered.
    Advance,
    /// Stays and tells what changes.
    Events,
    /// The page in the browser and its files.
    Console,
}

const fn get(path: &'static str, query: &'static [&'static str], handler: Handler) -> Route {
    Route {
        method: Method::GET,
        path,
        query,
        work: Work::Plain(handler),
    }
}

const fn post(path: &'static str, handler: Handler) -> Route {
    Route {
        method: Method::POST,
        path,
        query: &[],
        work: Work::Plain(handler),
    }
}

const fn put(path: &'static str, handler: Handler) -> Route {
    Route {
        method: Method::PUT,
        path,
        query: &[],
        work: Work::Plain(handler),
    }
}

const PAGED: &[&str] = &["limit", "before"];

/// All of them.
pub(super) static ROUTES: &[Route] = &[
    Route {
        method: Method::GET,
        path: "/",
        query: &["token"],
        work: Work::Console,
    },
    Route {
        method: Method::GET,
        path: "/console/{name}",
        query: &["text"],
        work: Work::Console,
    },
    get("/openapi.json", &[], openapi::document),
    get("/api/state", &[], state::show),
    Route {
        method: Method::GET,
        path: "/api/events",
        query: &[],
        work: Work::Events,
    },
    get("/api/orders", &["account", "limit", "before"], orders::list),
    get("/api/orders/{account}/{order_no}", &[], orders::show),
    post("/api/orders/{account}/{order_no}/pay", orders::pay),
    post("/api/orders/{account}/{order_no}/pay-late", orders::pay_late),
    post("/api/orders/{account}/{order_no}/cancel", orders::cancel),
    post("/api/orders/{account}/{order_no}/fail", orders::fail),
    post("/api/orders/{account}/{order_no}/type", orders::keep_typing),
    post("/api/orders/{account}/{order_no}/comment", orders::comment),
    post("/api/refunds/{account}/{refund_no}/succeed", orders::succeed_refund),
    post("/api/refunds/{account}/{refund_no}/close", orders::close_refund),
    post("/api/refunds/{account}/{refund_no}/abnormal", orders::strand_refund),
    post("/api/payment-codes/{platform}", payer::show_code),
    get("/api/exchanges", &["about", "limit", "before"], exchanges::list),
    get("/api/exchanges/{number}", &[], exchanges::show),
    get("/api/notices", PAGED, notices::list),
    get("/api/notices/{number}", &[], notices::show),
    get("/api/faults", &[], faults::show),
    put("/api/faults", faults::set),
    Route {
        method: Method::DELETE,
        path: "/api/faults",
        query: &[],
        work: Work::Plain(faults::clear),
    },
    get("/api/scenarios", &[], faults::list_scenarios),
    post("/api/scenarios/{name}/play", faults::play),
    get("/api/settings", &[], settings::show),
    put("/api/settings", settings::set),
    Route {
        method: Method::POST,
        path: "/api/clock/advance",
        query: &[],
        work: Work::Advance,
    },
    get("/api/bills", &[], bills::list),
    post("/api/bills", bills::make),
    get("/api/bills/{account}/{kind}/{date}", &[], bills::download),
    post("/api/pay", hooks::pay),
    post("/api/settle-refund", hooks::settle_refund),
    post("/api/platform-certificate/rotate", keys::rotate),
    post("/api/public-key-mode", keys::public_key_mode),
];

/// What a path says where its route has names in braces.
pub(super) type Captured = Vec<(&'static str, String)>;

/// The route of a call, and what its path names.
///
/// # Errors
/// When nothing is done at that path (404), or not by that method (405, with what can be).
pub(super) fn find(method: &Method, path: &str) -> Result<(&'static Route, Captured), Wrong> {
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(captured) = captured(route.path, path) else {
            continue;
        };
        if route.method == *method {
            return Ok((route, captured));
        }
        allowed.push(route.method.as_str());
    }
    if allowed.is_empty() {
        return Err(Wrong::missing("nothing is done here; /openapi.json has the paths"));
    }
    Err(Wrong::method(&allowed.join(", ")))
}

/// What stands for the names in braces, if the path is of that form.
fn captured(form: &'static str, path: &str) -> Option<Captured> {
    let mut captured = Vec::new();
    let mut segments = path.split('/');
    for wanted in form.split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            None if wanted == segment => {}
            None => return None,
            Some(name) => {
                let value = percent_decode_str(segment).decode_utf8().ok()?;
                captured.push((name, value.into_owned()));
            }
        }
    }
    segments.next().is_none().then_some(captured)
}
