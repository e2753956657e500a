//! What a plan does to an answer and to a notice that is posted.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Departure, FarSide, State, notice_id, side};
use crate::book::Order;
use crate::deliver::Event;
use crate::faults::{FaultKind, Moment, Occasion, Strikes, Subject};
use crate::platforms::{Call, Checked, Desk, Platform, PlatformSide, Posting, Setting, busy_web, is_web_page};

/// How long an overtaken notice waits where no other one comes.
const OVERTAKEN: Duration = Duration::from_secs(3600);
/// How long after a notice another one contradicts it.
const CONTRADICTION: Duration = Duration::from_secs(1);

/// Answers a call, as far as the plan lets it.
pub(super) fn answer(
    side: &mut dyn PlatformSide,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
    strikes: &Strikes,
) -> Departure {
    if strikes.has(FaultKind::LoseRequest) {
        return Departure::Nothing;
    }
    if strikes.has(FaultKind::UnsignedError) {
        return Departure::Whole(if is_web_page(call.path) {
            busy_web()
        } else {
            side.unsigned_error(desk)
        });
    }
    change_keys(side, strikes);
    let response = side.answer(call, desk);
    if strikes.has(FaultKind::LoseReply) {
        return Departure::Nothing;
    }
    if strikes.has(FaultKind::ResetReply) {
        return Departure::Reset;
    }
    if strikes.replace_answer() {
        desk.begin_another_answer();
    }
    let response = if let Some(status) = strikes.status() {
        gateway_page(status)
    } else if strikes.has(FaultKind::EmptyReply) {
        bare(StatusCode::OK)
    } else if strikes.has(FaultKind::Accepted) {
        bare(StatusCode::ACCEPTED)
    } else if strikes.has(FaultKind::SystemError) {
        if is_web_page(call.path) {
            busy_web()
        } else {
            side.system_error(call, desk)
        }
    } else {
        response
    };
    if strikes.has(FaultKind::AlterReply) || strikes.has(FaultKind::TruncateReply) {
        desk.damage_answer();
    }
    let response = if strikes.has(FaultKind::AlterReply) {
        response.map(|body| altered(&body))
    } else {
        response
    };
    let response = if strikes.has(FaultKind::TruncateReply) {
        response.map(|body| body.slice(..body.len().div_euclid(2)))
    } else {
        response
    };
    if strikes.has(FaultKind::CutReply) {
        Departure::Half(response)
    } else if let Some(pause) = strikes.drip() {
        Departure::Drip(response, pause)
    } else {
        Departure::Whole(response)
    }
}

/// Changes what the platform signs with from now on.
pub(super) fn change_keys(side: &mut dyn PlatformSide, strikes: &Strikes) {
    if strikes.has(FaultKind::RotateKey) {
        // Where the certificates are used up, the last one signs on.
        let _serial = side.rotate_key();
    }
    if strikes.has(FaultKind::PublicKeyMode) {
        side.set(&Setting::WechatV3PublicKeyOnly(true));
    }
}

pub(super) fn bare(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// What a proxy in front of the platform says.
pub(super) fn gateway_page(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("<html><body><h1>{status}</h1></body></html>\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

/// The same bytes but for one: the first digit of the second half, which becomes another digit, or else the first byte
/// of that half.
fn altered(body: &Bytes) -> Bytes {
    let mut body = body.to_vec();
    let middle = body.len().div_euclid(2);
    let half = body.get(middle..).unwrap_or_default();
    let digit = half.iter().position(u8::is_ascii_digit).unwrap_or(0);
    if let Some(byte) = body.get_mut(middle.saturating_add(digit)) {
        // Digits are in pairs that differ in their last bit: 0 and 1, 2 and 3, up to 8 and 9.
        *byte ^= 1;
    }
    Bytes::from(body)
}

/// What a call was, what struck it, what the check of its signature came to, and the answer.
type Answered = (Option<Platform>, &'static str, Strikes, Checked, Departure);

impl FarSide {
    /// Answers a call of the platform at that position, as far as the plan lets it.
    pub(super) fn answer_at(&self, state: &mut State, position: usize, call: &Call<'_>) -> Option<Answered> {
        let now = self.now();
        let State {
            sides, book, faults, ..
        } = state;
        let side = sides.get_mut(position)?;
        let (platform, operation) = (side.platform(), side.operation(call));
        let occasion = Occasion {
            moment: Moment::Call,
            platform,
            operation,
        };
        let strikes = faults.draw(&occasion, || side.subject(call, book, now));
        if strikes.has(FaultKind::PayBefore) {
            self.pay_by_plan(state, position, call);
        }
        let State { sides, book, .. } = state;
        let side = sides.get_mut(position)?;
        let mut desk = Desk::new(book, &self.0.ambient, call.base_url, &strikes);
        let departure = answer(&mut **side, call, &mut desk, &strikes);
        let checked = desk.into_checked();
        if strikes.has(FaultKind::PayAfter) {
            self.pay_by_plan(state, position, call);
        }
        Some((Some(platform), operation, strikes, checked, departure))
    }

    /// The payer pays the order that a call names, if anybody can.
    fn pay_by_plan(&self, state: &mut State, position: usize, call: &Call<'_>) {
        let State { sides, book, .. } = state;
        let subject = sides.get(position).map(|side| side.subject(call, book, self.now()));
        if let Some(Subject {
            account,
            order_no: Some(order_no),
        }) = subject
        {
            // An order that is not there, or not open, is nobody's to pay; then nothing happens.
            let _order = self.pay_in(state, account, &order_no, None);
        }
    }

    /// Hands notices to the courier, as the plan has it.
    pub(super) fn post(&self, state: &mut State, order: &Arc<Order>, postings: Vec<Posting>) {
        let now = self.clock().since_epoch();
        for posting in postings {
            let occasion = Occasion {
                moment: Moment::Posting,
                platform: order.account.platform,
                operation: posting.about.operation(),
            };
            let strikes = state.faults.draw(&occasion, || Subject {
                account: order.account,
                order_no: Some(order.order_no.clone()),
            });
            let wait = self.sped_up(posting.after.saturating_add(strikes.hold()));
            let event = Event {
                platform: order.account.platform,
                order_no: order.order_no.clone(),
                order: Arc::clone(order),
                about: posting.about,
                url: posting.url,
                id: notice_id(&self.0.ambient),
                stage: posting.stage,
                created_at: self.now(),
                faults: strikes.kinds().to_vec(),
            };
            self.post_one(state, event, now.saturating_add(wait), &strikes);
        }
        self.0.posted.notify_one();
    }

    fn post_one(&self, state: &mut State, event: Event, due: Duration, strikes: &Strikes) {
        let mut others = Vec::new();
        if strikes.has(FaultKind::DuplicateNotice) {
            others.push((event.clone(), due));
        }
        if strikes.has(FaultKind::RenumberNotice) {
            let id = notice_id(&self.0.ambient);
            others.push((Event { id, ..event.clone() }, due));
        }
        if let Some(amount) = strikes.contradiction() {
            let order = Arc::new(event.order.with_amount(amount.fen()));
            let due = due.saturating_add(self.sped_up(CONTRADICTION));
            others.push((Event { order, ..event.clone() }, due));
        }
        if strikes.has(FaultKind::OvertakeNotice) {
            let due = due.saturating_add(self.sped_up(OVERTAKEN));
            state.post.post_behind_next(event, due);
        } else {
            state.post.post(event, due);
        }
        for (event, due) in others {
            state.post.post(event, due);
        }
    }

    /// A platform's wait, at the speed of this sandbox's ladders.
    pub(super) fn sped_up(&self, wait: Duration) -> Duration {
        wait.checked_div(self.0.ladder_speed).unwrap_or(wait)
    }
}

/// What strikes an attempt to deliver a notice. What is told may be changed by it.
pub(super) fn strike_attempt(state: &mut State, event: &mut Event) -> Strikes {
    let occasion = Occasion {
        moment: Moment::Attempt,
        platform: event.platform,
        operation: event.about.operation(),
    };
    let order = Arc::clone(&event.order);
    let strikes = state.faults.draw(&occasion, || Subject {
        account: order.account,
        order_no: Some(order.order_no.clone()),
    });
    if let Some(side) = side(&mut state.sides, event.platform) {
        change_keys(&mut **side, &strikes);
    }
    if let std::borrow::Cow::Owned(told) = strikes.told(&order) {
        event.order = Arc::new(told);
    }
    strikes
}
