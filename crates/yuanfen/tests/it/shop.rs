//! A shop and the five platforms in one memory, on one virtual clock: no sockets, no sleeping.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use yuanfen::core::{
    Address, Ambient, BaseUrl, FixedAmbient, Notice, NotificationSource, OpenError, OrderNo, PayAmount, Provider,
    UnixTime, Verdict,
};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{Client, Sent, Sleep, TransportError, TransportErrorKind};
use yuanfen::{fshows, mpgateway, starpos, wechat_v2, wechat_v3};
use yuanfen_sandbox::{Clock, DueNotice, FarSide, FaultRule, NoticeOutcome, Platform};

/// Where the clock starts: 2025-10-09 16:53:20 in Beijing.
pub const START: i64 = 1_760_000_000;

/// What a notice was opened into, and what the platform made of the answer.
pub type Received<E> = (Result<Notice<E>, OpenError>, NoticeOutcome);

pub struct Shop {
    pub far_side: FarSide,
}

impl Shop {
    pub fn open() -> Self {
        let clock = Clock::starting_at(UnixTime::from_seconds(START));
        Self {
            far_side: FarSide::new("https://sandbox.example", clock, 7).unwrap(),
        }
    }

    /// A client of that account whose requests arrive at the sandbox.
    pub fn client<P: Provider>(&self, account: impl Into<Arc<P>>) -> Client<P> {
        let far_side = self.far_side.clone();
        let transport = move |request: http::Request<Bytes>| {
            let answer = far_side.answer(&request);
            async move { answer.map_err(|cut| TransportError::new(TransportErrorKind::Cut, Sent::Maybe, Some(cut.into()))) }
        };
        Client::new(account, transport).with_ambient(self.time())
    }

    /// Passes the waits of a settlement on the virtual clock.
    pub fn sleep(&self) -> impl Sleep + use<> {
        let clock = self.far_side.clock().clone();
        move |duration: Duration| {
            clock.advance(duration).unwrap();
            async {}
        }
    }

    pub fn time(&self) -> ShopTime {
        ShopTime {
            clock: self.far_side.clock().clone(),
            random: Arc::new(FixedAmbient::at(START)),
        }
    }

    pub fn pass(&self, duration: Duration) {
        self.far_side.clock().advance(duration).unwrap();
    }

    pub fn now(&self) -> UnixTime {
        self.far_side.clock().now()
    }

    pub fn fault(&self, rule: FaultRule) {
        self.far_side.set_faults(rule);
    }

    /// How often the far side was called for that operation, in its own words.
    pub fn calls(&self, platform: Platform, operation: &str) -> usize {
        let exchanges = self.far_side.exchanges();
        exchanges
            .iter()
            .filter(|exchange| exchange.platform == Some(platform) && exchange.operation == operation)
            .count()
    }

    /// Opens every notice that is due, as a shop's handler does, and gives the answers back.
    pub fn receive<P: NotificationSource>(&self, account: &P) -> Vec<Received<P::Event>> {
        let due = self.far_side.due_notices();
        due.into_iter()
            .map(|notice| self.receive_one(account, notice))
            .collect()
    }

    fn receive_one<P: NotificationSource>(&self, account: &P, notice: DueNotice) -> Received<P::Event> {
        let opened = account.open_notification(&notice.request, self.now());
        let verdict = if opened.is_ok() {
            Verdict::Accepted
        } else {
            Verdict::Rejected
        };
        let made = self.far_side.answered(notice, Ok(&account.acknowledge(verdict)));
        (opened, made.outcome)
    }

    /// Lets every notice that is due be lost on its way.
    pub fn lose_notices(&self) -> usize {
        let due = self.far_side.due_notices();
        let count = due.len();
        for notice in due {
            self.far_side.answered(notice, Err("lost"));
        }
        count
    }

    pub fn wechat_v2(&self) -> Arc<wechat_v2::Account> {
        let given = self.far_side.wechat_v2();
        let account = wechat_v2::Account::new(given.app_id, given.merchant_id, given.api_key.expose()).unwrap();
        Arc::new(account.with_base(BaseUrl::parse(&given.base_url).unwrap()))
    }

    /// A service provider's, for no merchant in particular.
    pub fn wechat_v2_provider(&self) -> wechat_v2::Account {
        let given = self.far_side.wechat_v2_provider();
        let account = wechat_v2::Account::new(given.app_id, given.merchant_id, given.api_key.expose()).unwrap();
        account.with_base(BaseUrl::parse(&given.base_url).unwrap())
    }

    /// In certificate mode, without any platform key.
    pub fn wechat_v3(&self) -> Arc<wechat_v3::Account> {
        let given = self.far_side.wechat_v3();
        let signer = Arc::new(RsaSigningKey::parse(given.merchant_private_key_pem.expose()).unwrap());
        let identity = wechat_v3::SigningIdentity::new(&given.merchant_id, &given.merchant_serial, signer).unwrap();
        let key = ApiV3Key::new(given.apiv3_key.expose()).unwrap();
        let account = wechat_v3::Account::direct(identity, &given.app_id, key).unwrap();
        Arc::new(account.with_base(BaseUrl::parse(&given.base_url).unwrap()))
    }

    /// A service provider's, in certificate mode, without any platform key.
    pub fn wechat_v3_provider(&self) -> wechat_v3::Account {
        let given = self.far_side.wechat_v3_provider();
        let private_key = RsaSigningKey::parse(given.provider_private_key_pem.expose()).unwrap();
        let identity = wechat_v3::SigningIdentity::of_key(&given.provider_id, &given.provider_serial, private_key);
        let identity = identity.unwrap();
        let key = ApiV3Key::new(given.apiv3_key.expose()).unwrap();
        let account = wechat_v3::Account::partner(identity, &given.app_id, key).unwrap();
        account.with_base(BaseUrl::parse(&given.base_url).unwrap())
    }

    /// The same, acting for the first of its merchants, in whose app payers are.
    pub fn wechat_v3_partner(&self) -> wechat_v3::Account {
        let given = self.far_side.wechat_v3_provider();
        let (number, app) = given.sub_merchants.into_iter().next().unwrap();
        let merchant = wechat_v3::SubMerchant::new(&number).unwrap().with_app(&app.unwrap());
        self.wechat_v3_provider().for_sub_merchant(merchant.unwrap()).unwrap()
    }

    pub fn starpos(&self) -> Arc<starpos::Account> {
        let given = self.far_side.starpos();
        let key = given.key.expose().clone();
        let account = starpos::Account::new(given.organization, given.merchant, given.terminal, key).unwrap();
        Arc::new(account.with_base(BaseUrl::parse(&given.base_url).unwrap()))
    }

    pub fn fshows(&self) -> Arc<fshows::Account> {
        let given = self.far_side.fshows();
        let base = BaseUrl::parse(&given.base_url).unwrap();
        let private_key = given.merchant_private_key_pem.expose();
        Arc::new(fshows::Account::new(given.app_id, private_key, &given.platform_public_key_pem, &base).unwrap())
    }

    pub fn mpgateway(&self) -> Arc<mpgateway::Account> {
        let given = self.far_side.mpgateway();
        let base = BaseUrl::parse(&given.base_url).unwrap();
        Arc::new(mpgateway::Account::new(given.merchant, given.key.expose().clone(), base).unwrap())
    }
}

pub fn order_no() -> OrderNo {
    OrderNo::portable("SHOP20251009000001").unwrap()
}

pub fn amount() -> PayAmount {
    PayAmount::from_yuan_text("12.30").unwrap()
}

pub fn notify_url() -> Address {
    Address::parse_plain("notify_url", "https://shop.example/notify").unwrap()
}

pub fn v2_order(shop: &Shop) -> wechat_v2::ops::PlaceOrder {
    wechat_v2::ops::PlaceOrder::jsapi(
        order_no(),
        amount(),
        "noodles",
        "203.0.113.7".parse().unwrap(),
        notify_url(),
        shop.far_side.wechat_v2().openid,
    )
}

pub fn v3_order(shop: &Shop) -> wechat_v3::ops::PlaceJsapiOrder {
    let payer = wechat_v3::OpenId::new(shop.far_side.wechat_v3().openid);
    let terms = wechat_v3::OrderTerms::new(order_no(), amount(), "noodles", notify_url());
    wechat_v3::ops::PlaceJsapiOrder::new(terms, payer)
}

pub fn starpos_order(shop: &Shop) -> starpos::ops::PayOfficialAccount {
    let openid = shop.far_side.starpos().openid;
    let payer = starpos::ops::Payer::Openid { openid, app_id: None };
    starpos::ops::PayOfficialAccount::new(order_no(), amount(), payer)
}

pub fn fshows_order(shop: &Shop) -> fshows::ops::PayWechatPage {
    let given = shop.far_side.fshows();
    let mut order = fshows::ops::PayWechatPage::official_account(
        given.sub_merchant_id,
        order_no(),
        amount(),
        "noodles",
        given.openid,
        "203.0.113.7".parse().unwrap(),
    );
    order.notify_url = Some(notify_url());
    order
}

pub fn mpgateway_order(shop: &Shop) -> mpgateway::ops::SubmitOrder {
    let openid = shop.far_side.mpgateway().openid;
    mpgateway::ops::SubmitOrder::official_account(order_no(), amount(), notify_url(), openid)
}

/// The sandbox's clock, and numbers that are the same in every run.
pub struct ShopTime {
    clock: Clock,
    random: Arc<FixedAmbient>,
}

impl Ambient for ShopTime {
    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    fn fill(&self, out: &mut [u8]) {
        self.random.fill(out);
    }
}
