//! The shop's accounts on three routes, and the platforms that sign what they take for genuine.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use yuanfen::core::{Ambient as _, BaseUrl, Fen, NotificationSource as _, OrderNo, RefundNo, Transition, nonce_text};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v3::test_util::Forger;
use yuanfen::{mpgateway, wechat_v2, wechat_v3};
use yuanfen_testkit::Vectors;

use super::Trouble;
use super::dice::Dice;
use super::plan::{Parcel, Plan, Telling};

const API_KEY: &str = "192006250b4c09247ec02edce69f6a2d";
const GATEWAY_KEY: &str = "a2c07f9a6d1f4bb7a4f8f7d8d1f2c3b4";
const API_V3_KEY: &str = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000072912024101100000000000000";
const IMPOSTORS_KEY: &str = "00000000000000000000000000000000";

/// The routes that are driven: the two that cost an MD5, and the one that costs RSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Route {
    V2,
    V3,
    Gateway,
}

impl Route {
    /// The name in keys.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V2 => "wechat-v2",
            Self::V3 => "wechat-v3",
            Self::Gateway => "mpgateway",
        }
    }

    /// Where the shop takes its notices.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::V2 => "/v2",
            Self::V3 => "/v3",
            Self::Gateway => "/mpgateway",
        }
    }

    /// What its order numbers begin with.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::V2 => 'A',
            Self::V3 => 'B',
            Self::Gateway => 'C',
        }
    }

    /// Whether the platform reads that answer as taken.
    pub(super) fn is_acknowledged(self, response: &Response<Bytes>) -> bool {
        let body = response.body();
        match self {
            Self::V2 => {
                const TAKEN: &[u8] = b"<return_code><![CDATA[SUCCESS]]></return_code>";
                body.windows(TAKEN.len()).any(|window| window == TAKEN)
            }
            Self::V3 => matches!(response.status(), StatusCode::OK | StatusCode::NO_CONTENT),
            Self::Gateway => response.status() == StatusCode::OK && &**body == b"0000",
        }
    }
}

/// The shop's side.
pub(super) struct Accounts {
    pub(super) v2: Arc<wechat_v2::Account>,
    pub(super) v3: Arc<wechat_v3::Account>,
    pub(super) gateway: Arc<mpgateway::Account>,
}

impl Accounts {
    /// # Errors
    /// When the vectors of `yuanfen-wechat-v3`, whose published keys are used, are not there.
    pub(super) fn new() -> Result<Self, Trouble> {
        Self::with_keys(API_KEY, GATEWAY_KEY)
    }

    fn with_keys(api_key: &str, gateway_key: &str) -> Result<Self, Trouble> {
        let identity = wechat_v3::SigningIdentity::elsewhere("1900007291", "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB")?;
        let v3 = wechat_v3::Account::direct(identity, "wxd678efh567hg6787", ApiV3Key::new(API_V3_KEY)?)?
            .with_public_key(PUBLIC_KEY_ID, &vectors()?.key("go_public").text)?;
        let base = BaseUrl::parse("http://127.0.0.1:9/")?;
        Ok(Self {
            v2: Arc::new(wechat_v2::Account::new("wx2421b1c4370ec43b", "10000100", api_key)?),
            v3: Arc::new(v3),
            gateway: Arc::new(mpgateway::Account::new("30000001", gateway_key, base)?),
        })
    }

    /// The route's name and the merchant, as they are in keys.
    pub(super) fn of(&self, route: Route) -> (&'static str, String) {
        match route {
            Route::V2 => (self.v2.route(), self.v2.account().to_owned()),
            Route::V3 => (self.v3.route(), self.v3.account().to_owned()),
            Route::Gateway => (self.gateway.route(), self.gateway.account().to_owned()),
        }
    }
}

fn vectors() -> Result<Vectors, Trouble> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-wechat-v3");
    Vectors::of_crate(folder).map_err(|error| error.to_string().into())
}

/// The far side, genuine and not.
pub(super) struct Platforms {
    genuine: Accounts,
    impostors: Accounts,
    v3: Forger,
    v3_impostor: Forger,
}

impl Platforms {
    /// # Errors
    /// As [`Accounts::new`].
    pub(super) fn new() -> Result<Self, Trouble> {
        let genuine = Accounts::new()?;
        let vectors = vectors()?;
        let forger = |key: &str| -> Result<Forger, Trouble> {
            let signer = Arc::new(RsaSigningKey::parse(&vectors.key(key).text)?);
            Ok(Forger::new(
                &genuine.v3,
                PUBLIC_KEY_ID,
                signer,
                ApiV3Key::new(API_V3_KEY)?,
            ))
        };
        Ok(Self {
            v3: forger("go_private")?,
            v3_impostor: forger("doc_merchant_private")?,
            impostors: Accounts::with_keys(IMPOSTORS_KEY, IMPOSTORS_KEY)?,
            genuine,
        })
    }

    /// The request and its route, signed anew each time.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(super) fn request(
        &self,
        plan: &Plan,
        parcel: Parcel,
        dice: &mut Dice,
    ) -> Result<(Route, Request<Bytes>), Trouble> {
        match parcel {
            Parcel::Notice { event, otherwise } => {
                let event = plan.events.get(event).ok_or("no such event")?;
                let telling = event.otherwise.as_ref().filter(|_| otherwise).unwrap_or(&event.told);
                self.notice(plan, event.order, event.key.transition, telling)
            }
            Parcel::Altered { event } => {
                let event = plan.events.get(event).ok_or("no such event")?;
                let (route, request) = self.notice(plan, event.order, event.key.transition, &event.told)?;
                Ok((route, request.map(|body| altered(&body))))
            }
            Parcel::WrongKey(route) => {
                let number = format!("X{:08}", dice.below(100_000_000));
                let telling = Telling {
                    amount: 1,
                    remote_id: None,
                };
                let forgers = (&self.impostors, &self.v3_impostor);
                let request = signed(forgers, route, &number, None, Transition::OrderPaid, &telling)?;
                Ok((route, request))
            }
            Parcel::Garbage(route) => {
                let mut request = Request::new(garbage(dice));
                *request.method_mut() = http::Method::POST;
                Ok((route, request))
            }
        }
    }

    fn notice(
        &self,
        plan: &Plan,
        order: usize,
        transition: Transition,
        telling: &Telling,
    ) -> Result<(Route, Request<Bytes>), Trouble> {
        let order = plan.orders.get(order).ok_or("no such order")?;
        let refunded = order.is_refund.then(|| refunded_order(&order.number));
        let forgers = (&self.genuine, &self.v3);
        let request = signed(forgers, order.route, &order.number, refunded, transition, telling)?;
        Ok((order.route, request))
    }
}

/// The order of which a refund gives money back.
pub(super) fn refunded_order(refund_no: &str) -> String {
    format!("O{refund_no}")
}

fn signed(
    (accounts, v3): (&Accounts, &Forger),
    route: Route,
    number: &str,
    refunded: Option<String>,
    transition: Transition,
    telling: &Telling,
) -> Result<Request<Bytes>, Trouble> {
    let amount = telling.amount.to_string();
    let remote_id = telling.remote_id.as_deref().unwrap_or("4200000001");
    Ok(match (route, refunded) {
        (Route::V2, _) => {
            let fields = [
                ("out_trade_no", number),
                ("transaction_id", remote_id),
                ("total_fee", &*amount),
                ("fee_type", "CNY"),
                ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
                ("trade_type", "JSAPI"),
                ("bank_type", "OTHERS"),
                ("time_end", "20261122100000"),
            ];
            wechat_v2::test_util::forge_notice(&accounts.v2, &fields, &OsAmbient)?
        }
        (Route::V3, None) => v3.payment(&OrderNo::new(number)?, Fen::new(telling.amount), OsAmbient.now())?,
        (Route::V3, Some(order_no)) => v3.refund(
            &OrderNo::new(order_no)?,
            &RefundNo::new(number)?,
            &wechat_v3::RefundStatus::Success,
            (Fen::new(telling.amount), Fen::new(telling.amount)),
            OsAmbient.now(),
        )?,
        (Route::Gateway, _) => {
            let code = if transition == Transition::OrderSettled {
                "0000"
            } else {
                "1002"
            };
            let json = serde_json::json!({
                "resultcode": code,
                "resultmsg": "OK",
                "queryid": remote_id,
                "orderid": number,
                "txnamt": telling.amount,
                "merid": accounts.gateway.merchant(),
                // So that no two deliveries have the same bytes.
                "attach": nonce_text(&OsAmbient),
            });
            mpgateway::test_util::forge_notice(&accounts.gateway, &json.to_string(), &OsAmbient)?
        }
    })
}

/// With another letter near the middle: of a name, a value or a ciphertext, all of which are signed.
fn altered(body: &Bytes) -> Bytes {
    let mut body = body.to_vec();
    let middle = body.len() / 2;
    if let Some(letter) = body.iter_mut().skip(middle).find(|byte| byte.is_ascii_alphanumeric()) {
        *letter = if *letter == b'7' { b'8' } else { b'7' };
    }
    body.into()
}

fn garbage(dice: &mut Dice) -> Bytes {
    match dice.below(5) {
        0 => Bytes::new(),
        1 => Bytes::from_static(b"<xml><return_code><![CDATA[SUCCESS]]></return_code><out_trade_no>"),
        2 => Bytes::from_static(br#"{"id":"1","event_type":"TRANSACTION.SUCCESS","resource":null}"#),
        3 => Bytes::from_static(b"resp=%7B%7D&sign="),
        _ => (0..200)
            .map(|_| u8::try_from(dice.below(256)).unwrap_or_default())
            .collect::<Vec<u8>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use yuanfen::core::{EventKey, Facts, Notice, NotificationSource, OpenError};

    use super::*;

    /// What the shop reads from a request.
    fn opened(accounts: &Accounts, route: Route, request: &Request<Bytes>) -> Result<(EventKey, Facts), OpenError> {
        fn open<N: NotificationSource>(source: &N, request: &Request<Bytes>) -> Result<(EventKey, Facts), OpenError> {
            match source.open_notification(request, OsAmbient.now())? {
                Notice::Settles(event) => Ok((source.key(event.get()), source.facts(event.get()))),
                Notice::Hint(hint) => panic!("{hint:?}"),
                _ => panic!("a notice that this test does not know"),
            }
        }
        match route {
            Route::V2 => open(&*accounts.v2, request),
            Route::V3 => open(&*accounts.v3, request),
            Route::Gateway => open(&*accounts.gateway, request),
        }
    }

    #[test]
    fn every_parcel_is_read_as_the_plan_has_it() {
        let (accounts, platforms) = (Accounts::new().unwrap(), Platforms::new().unwrap());
        let plan = Plan::draw(400, 5, |route| accounts.of(route));
        let mut dice = Dice::new(5);
        for delivery in &plan.deliveries {
            let (route, request) = platforms.request(&plan, delivery.parcel, &mut dice).unwrap();
            let read = opened(&accounts, route, &request);
            let Parcel::Notice { event, otherwise } = delivery.parcel else {
                assert!(read.is_err(), "{:?}: {read:?}", delivery.parcel);
                continue;
            };
            let event = &plan.events[event];
            let (key, facts) = read.unwrap();
            assert_eq!(key, event.key);
            let telling = if otherwise {
                event.otherwise.as_ref().unwrap()
            } else {
                &event.told
            };
            assert_eq!(facts.amount, Some(Fen::new(telling.amount)));
            if let Some(remote_id) = &telling.remote_id {
                assert_eq!(facts.remote_id.as_ref(), Some(remote_id));
            }
        }
    }

    #[test]
    fn no_two_deliveries_have_the_same_bytes() {
        let (accounts, platforms) = (Accounts::new().unwrap(), Platforms::new().unwrap());
        let plan = Plan::draw(50, 5, |route| accounts.of(route));
        for delivery in &plan.deliveries {
            // The platform's own nonces and times are fixed in its forger; what is signed anew there is the time.
            if matches!(delivery.parcel, Parcel::Notice { event, .. } if plan.orders[plan.events[event].order].route != Route::V3)
            {
                let send = || platforms.request(&plan, delivery.parcel, &mut Dice::new(1)).unwrap().1;
                assert_ne!(send().body(), send().body());
            }
        }
    }

    #[test]
    fn an_answer_is_read_as_the_platform_reads_it() {
        use yuanfen::core::Verdict;

        let accounts = Accounts::new().unwrap();
        for (verdict, taken) in [(Verdict::Accepted, true), (Verdict::Rejected, false)] {
            assert_eq!(Route::V2.is_acknowledged(&accounts.v2.acknowledge(verdict)), taken);
            assert_eq!(Route::V3.is_acknowledged(&accounts.v3.acknowledge(verdict)), taken);
            assert_eq!(
                Route::Gateway.is_acknowledged(&accounts.gateway.acknowledge(verdict)),
                taken
            );
        }
    }
}
