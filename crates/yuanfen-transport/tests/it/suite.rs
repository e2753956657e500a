//! What every transport must do, whatever it is made of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use yuanfen_core::{Advice, Fate};
use yuanfen_transport::{Client, Transport};

use crate::toy::{ORDER_BODY, Place, Query, Refund, Toy, keys, no, ok, signed};

/// A small platform: it remembers orders, and has moods.
#[derive(Default)]
pub struct Platform {
    orders: Mutex<BTreeMap<String, usize>>,
    moods: Mutex<Vec<Mood>>,
}

/// What the platform does with the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    LoseReply,
    SignAnew,
    Redirect,
}

impl Platform {
    pub fn in_the_mood(self: &Arc<Self>, mood: Mood) {
        self.moods.lock().unwrap().push(mood);
    }

    /// Its answer; none where it acts and the connection breaks.
    pub fn answer(&self, request: &http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let mood = match request.uri().path() {
            "/keys" => return Some(keys("k2", 22)),
            _ => self.moods.lock().unwrap().pop(),
        };
        let mut orders = self.orders.lock().unwrap();
        let response = match request.uri().path() {
            "/place" if request.body() == ORDER_BODY => {
                *orders.entry("A1".to_owned()).or_default() += 1;
                ok("prepay")
            }
            "/query" if orders.contains_key("A1") => ok("NOTPAY"),
            "/query" => no("NOT_FOUND"),
            _ => no("DECLINED"),
        };
        match mood {
            None => Some(response),
            Some(Mood::LoseReply) => None,
            Some(Mood::SignAnew) => Some(signed("k2", 22, 200, "prepay")),
            Some(Mood::Redirect) => Some(
                http::Response::builder()
                    .status(301)
                    .header("location", "/query")
                    .body("".into())
                    .unwrap(),
            ),
        }
    }

    fn placed(&self) -> usize {
        self.orders.lock().unwrap().get("A1").copied().unwrap_or_default()
    }
}

/// Runs the suite over a transport to that platform.
pub async fn run(base: &str, platform: &Arc<Platform>, transport: impl Transport + 'static) {
    let client = Client::new(Toy::at(base), transport);

    let error = client.call(&Query).await.unwrap_err();
    assert_eq!(
        (error.fate(), error.advice()),
        (Fate::Refused, Advice::Stop),
        "nothing is there yet"
    );

    platform.in_the_mood(Mood::LoseReply);
    let error = client.call(&Place).await.unwrap_err();
    assert_eq!(
        (error.fate(), error.advice()),
        (Fate::Unknown, Advice::Repeat),
        "the reply was lost"
    );
    assert_eq!(platform.placed(), 1, "and the order was placed, once");
    assert_eq!(client.call(&Query).await.unwrap(), "NOTPAY");

    assert_eq!(client.call(&Place).await.unwrap(), "prepay");
    assert_eq!(platform.placed(), 2, "the repeat is one request");

    let error = client.call(&Refund).await.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop));
    platform.in_the_mood(Mood::LoseReply);
    let error = client.call(&Refund).await.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));

    platform.in_the_mood(Mood::SignAnew);
    assert_eq!(client.call(&Place).await.unwrap(), "prepay");
    assert_eq!(
        platform.placed(),
        3,
        "the keys were fetched, the order was not sent again"
    );

    platform.in_the_mood(Mood::Redirect);
    let error = client.call(&Query).await.unwrap_err();
    assert!(
        error.refusal().is_some(),
        "a redirect is no answer, and nobody followed it: {error:?}"
    );
    assert!(platform.moods.lock().unwrap().is_empty());
}
