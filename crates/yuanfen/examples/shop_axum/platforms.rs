//! The five routes: whose account it is, where its notices come in, how an order is placed, and how it is asked about.

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, any};
use yuanfen::core::{Address, BaseUrl, NotificationSource, RemoteId};
use yuanfen::inbox::{RawNotice, Receiver, RoutePlan, SqliteStore};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{Client, HyperTransport};
use yuanfen::{converge, fshows, mpgateway, starpos, wechat_v2, wechat_v3};
use yuanfen_sandbox::{Platform, Sandbox};

use crate::shop::{NewOrder, Shop};

/// A client of each account.
pub(crate) struct Platforms {
    sandbox: yuanfen_sandbox::FarSide,
    notify: String,
    wechat_v2: Client<wechat_v2::Account>,
    wechat_v3: Client<wechat_v3::Account>,
    starpos: Client<starpos::Account>,
    fshows: Client<fshows::Account>,
    mpgateway: Client<mpgateway::Account>,
}

impl Platforms {
    /// Takes accounts and keys from the sandbox. In a shop they come from its configuration, and no base is set.
    pub(crate) fn connect(sandbox: &Sandbox, notify: String) -> Result<Self, Box<dyn Error>> {
        let transport = HyperTransport::new()?;

        let given = sandbox.wechat_v2();
        let account = wechat_v2::Account::new(given.app_id, given.merchant_id, given.api_key.expose())?;
        let wechat_v2 = Client::new(account.with_base(BaseUrl::parse(&given.base_url)?), transport.clone());

        let given = sandbox.wechat_v3();
        let key = Arc::new(RsaSigningKey::parse(given.merchant_private_key_pem.expose())?);
        let identity = wechat_v3::SigningIdentity::new(&given.merchant_id, &given.merchant_serial, key)?;
        let key = ApiV3Key::new(given.apiv3_key.expose())?;
        let account = wechat_v3::Account::direct(identity, &given.app_id, key)?;
        let wechat_v3 = Client::new(account.with_base(BaseUrl::parse(&given.base_url)?), transport.clone());

        let given = sandbox.starpos();
        let account = starpos::Account::new(given.organization, given.merchant, given.terminal, given.key.expose())?;
        let starpos = Client::new(account.with_base(BaseUrl::parse(&given.base_url)?), transport.clone());
        // No request carries a notify address here: the merchant's one address is agreed with the acquirer.
        sandbox.set_starpos_push_url(format!("{notify}/starpos"));

        let given = sandbox.fshows();
        let base = BaseUrl::parse(&given.base_url)?;
        let key = given.merchant_private_key_pem.expose();
        let account = fshows::Account::new(given.app_id, key, &given.platform_public_key_pem, &base)?;
        let fshows = Client::new(account, transport.clone());

        let given = sandbox.mpgateway();
        let base = BaseUrl::parse(&given.base_url)?;
        let mpgateway = Client::new(
            mpgateway::Account::new(given.merchant, given.key.expose(), base)?,
            transport,
        );

        Ok(Self {
            sandbox: sandbox.far_side().clone(),
            notify,
            wechat_v2,
            wechat_v3,
            starpos,
            fshows,
            mpgateway,
        })
    }

    /// The names under which the inbox knows a route and its account.
    pub(crate) fn route(&self, platform: Platform) -> (&'static str, &str) {
        fn names(source: &impl NotificationSource) -> (&'static str, &str) {
            (source.route(), source.account())
        }
        match platform {
            Platform::WechatV2 => names(self.wechat_v2.provider()),
            Platform::WechatV3 => names(self.wechat_v3.provider()),
            Platform::Starpos => names(self.starpos.provider()),
            Platform::Fshows => names(self.fshows.provider()),
            Platform::Mpgateway => names(self.mpgateway.provider()),
            other => unreachable!("{other:?} has no route here"),
        }
    }

    /// Where the notices of each route come in.
    pub(crate) fn doors(&self, shop: &Shop) -> Router {
        let inbox = &shop.inbox;
        // On the night when the platform's certificate changes, a notice may be the first to name the next one.
        let wechat_v3 = inbox
            .receiver(self.wechat_v3.provider().clone())
            .with_key_fetch(converge::key_fetch(&self.wechat_v3));
        Router::new()
            .route(
                "/wechat-v2",
                door(shop, inbox.receiver(self.wechat_v2.provider().clone())),
            )
            .route("/wechat-v3", door(shop, wechat_v3))
            .route("/starpos", door(shop, inbox.receiver(self.starpos.provider().clone())))
            .route("/fshows", door(shop, inbox.receiver(self.fshows.provider().clone())))
            .route(
                "/mpgateway",
                door(shop, inbox.receiver(self.mpgateway.provider().clone())),
            )
    }

    /// How each route is asked about an order whose notice does not come.
    pub(crate) fn plans(&self) -> [RoutePlan; 5] {
        [
            converge::wechat_v2(&self.wechat_v2),
            converge::wechat_v3(&self.wechat_v3),
            converge::starpos(&self.starpos),
            converge::fshows(&self.fshows),
            converge::mpgateway(&self.mpgateway),
        ]
    }

    /// Places an order, with its expiry where the platform takes one; hands out the platform's number of it, where its hints know the order by no other.
    ///
    /// A shop settles a call whose reply is lost: see the example `jsapi_order`.
    pub(crate) async fn place(&self, platform: Platform, order: &NewOrder) -> Result<Option<RemoteId>, Box<dyn Error>> {
        let (order_no, amount) = (order.order_no.clone(), order.amount);
        let (route, _) = self.route(platform);
        let notify = Address::parse("notify_url", &format!("{}/{route}", self.notify))?;
        let ip = Ipv4Addr::LOCALHOST;
        match platform {
            Platform::WechatV2 => {
                let payer = self.sandbox.wechat_v2().openid;
                let mut placed =
                    wechat_v2::ops::PlaceOrder::jsapi(order_no, amount, "noodles", ip.into(), notify, payer);
                placed.time_expire = Some(order.expires_at);
                self.wechat_v2.call(&placed).await?;
            }
            Platform::WechatV3 => {
                let payer = wechat_v3::OpenId::new(self.sandbox.wechat_v3().openid);
                let mut terms = wechat_v3::OrderTerms::new(order_no, amount, "noodles", notify);
                terms.expires_at = Some(order.expires_at);
                self.wechat_v3
                    .call(&wechat_v3::ops::PlaceJsapiOrder::new(terms, payer))
                    .await?;
            }
            Platform::Starpos => {
                let openid = self.sandbox.starpos().openid;
                let payer = starpos::ops::Payer::Openid { openid, app_id: None };
                let order = starpos::ops::PayOfficialAccount::new(order_no, amount, payer);
                return Ok(Some(self.starpos.call(&order).await?.log_no));
            }
            Platform::Fshows => {
                let given = self.sandbox.fshows();
                let (merchant, payer) = (given.sub_merchant_id, given.openid);
                let mut order =
                    fshows::ops::PayWechatPage::official_account(merchant, order_no, amount, "noodles", payer, ip);
                order.notify_url = Some(notify);
                self.fshows.call(&order).await?;
            }
            Platform::Mpgateway => {
                let payer = self.sandbox.mpgateway().openid;
                let order = mpgateway::ops::SubmitOrder::official_account(order_no, amount, notify, payer);
                self.mpgateway.call(&order).await?;
            }
            other => unreachable!("{other:?} has no route here"),
        }
        Ok(None)
    }
}

/// A handler that also notes what came, for the table. Without that, the receiver itself is a service:
/// `.route_service("/wechat-v3", receiver)`.
fn door<N>(shop: &Shop, receiver: Receiver<SqliteStore, N>) -> MethodRouter
where
    N: NotificationSource + Send + Sync + 'static,
{
    let shop = shop.clone();
    any(move |RawNotice(request): RawNotice| async move {
        let receipt = receiver.receive(&request).await;
        shop.note(receiver.source().route(), &receipt.received);
        receipt
    })
}
