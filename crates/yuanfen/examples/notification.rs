//! A notice, from the raw request of any web framework to a shop's books, however often it comes.
//!
//! Offline: `cargo run -p yuanfen --example notification --features full`.

#![allow(clippy::print_stdout, reason = "an example for the terminal")]

use std::collections::BTreeMap;
use std::error::Error;

use bytes::Bytes;
use yuanfen::core::Address;
use yuanfen::core::{
    Ambient as _, BaseUrl, EventKey, Facts, Fen, Notice, NotificationSource, OperationExt as _, OrderNo, PayAmount,
    Transition, UnixTime, Verdict,
};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v2::{Account, ops::PlaceOrder};
use yuanfen_sandbox::{Clock, FarSide, FaultKind, Platform};

/// What a shop keeps. In a program these are two tables of one database, and `receive` is one transaction.
#[derive(Default)]
struct Books {
    open_orders: BTreeMap<String, Fen>,
    events: BTreeMap<EventKey, Facts>,
    shipped: Vec<String>,
}

impl Books {
    /// Takes a raw request and answers it. Hand it the method, headers and body that your framework gives you,
    /// unchanged: they are what was signed.
    fn receive<P: NotificationSource>(
        &mut self,
        account: &P,
        request: &http::Request<Bytes>,
        now: UnixTime,
    ) -> http::Response<Bytes> {
        let verdict = match account.open_notification(request, now) {
            Ok(Notice::Settles(event)) => self.take(account.key(event.get()), account.facts(event.get())),
            // Nothing proves it, so nothing is booked. A real shop queues the query here.
            Ok(Notice::Hint(hint)) => {
                println!("only a hint: ask for {:?}", hint.lookup);
                Verdict::Accepted
            }
            Ok(_) => Verdict::Rejected,
            Err(error) => {
                println!("refused: {error}");
                Verdict::Rejected
            }
        };
        // After the commit, never before it.
        account.acknowledge(verdict)
    }

    fn take(&mut self, key: EventKey, facts: Facts) -> Verdict {
        if let Some(known) = self.events.get(&key) {
            println!(
                "{} {} again; {}",
                key.subject,
                key.transition.as_str(),
                if *known == facts {
                    "same facts"
                } else {
                    "OTHER FACTS: call a person"
                }
            );
            return Verdict::Accepted;
        }
        let expected = self.open_orders.get(&key.subject);
        let paid = matches!(key.transition, Transition::OrderPaid | Transition::OrderSettled);
        if paid && expected.is_some() && facts.amount == expected.copied() {
            println!("{} {}: ship", key.subject, key.transition.as_str());
            self.shipped.push(key.subject.clone());
        } else {
            println!(
                "{} {}: not what was ordered, call a person",
                key.subject,
                key.transition.as_str()
            );
        }
        self.events.insert(key, facts);
        Verdict::Accepted
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // The far side in memory; it sends every notice twice.
    let far_side = FarSide::new("https://sandbox.example", Clock::real(), 7)?;
    far_side.set_faults(FaultKind::DuplicateNotice);
    let given = far_side.wechat_v2();
    let account = Account::new(given.app_id, given.merchant_id, given.api_key.expose())?
        .with_base(BaseUrl::parse(&given.base_url)?);

    // An order is placed and paid.
    let amount = PayAmount::from_yuan_text("12.30")?;
    let order_no = OrderNo::portable("SHOP20260101000001")?;
    let order = PlaceOrder::jsapi(
        order_no.clone(),
        amount,
        "noodles",
        "203.0.113.7".parse()?,
        Address::parse_plain("notify_url", "https://shop.example/wechat/notify")?,
        given.openid,
    );
    let response = far_side.answer(&order.request(&account, &OsAmbient)?)?;
    order.reply(&account, &response, OsAmbient.now())?;
    let mut books = Books::default();
    books.open_orders.insert(order_no.as_str().to_owned(), amount.fen());
    far_side.pay(Platform::WechatV2, order_no.as_str())?;

    // The notices arrive, twice.
    for notice in far_side.due_notices() {
        let answer = books.receive(&account, &notice.request, OsAmbient.now());
        let attempt = far_side.answered(notice, Ok(&answer));
        println!("the platform made of our answer: {:?}", attempt.outcome);
    }
    // Somebody else found the address.
    let forged = http::Request::post("https://shop.example/wechat/notify").body(Bytes::from_static(
        b"<xml><return_code>SUCCESS</return_code><out_trade_no>SHOP20260101000001</out_trade_no></xml>",
    ))?;
    books.receive(&account, &forged, OsAmbient.now());

    if books.shipped == [order_no.as_str()] {
        println!("shipped once");
        Ok(())
    } else {
        Err(format!("shipped {:?}", books.shipped).into())
    }
}
