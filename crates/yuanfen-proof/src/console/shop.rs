//! A small shop on APIv3: it places orders with our client, and answers notices after it has opened them.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use yuanfen::core::{
    Address, Ambient as _, BaseUrl, FixedAmbient, Notice, NotificationSource as _, OperationExt as _, OrderNo,
    PayAmount, RefundNo, Sign as _, Standing, Verdict,
};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{Client, HyperTransport, OsAmbient, Transport as _};
use yuanfen::wechat_v3::ops::{PayByCode, PlaceJsapiOrder, PlaceNativeOrder, QueryOrder, Refund};
use yuanfen::wechat_v3::{Account, OpenId, OrderTerms, SigningIdentity, Till};
use yuanfen_sandbox::Sandbox;

use crate::Error;

/// Most bytes of a notice.
const MOST: usize = 1 << 20;

/// The shop. It stops answering when it is dropped.
pub(super) struct Shop {
    account: Arc<Account>,
    client: Client<Account>,
    signer: RsaSigningKey,
    payer: String,
    desk: Arc<Desk>,
    notify_url: String,
    task: AbortHandle,
}

/// Where notices arrive.
struct Desk {
    account: Arc<Account>,
    /// How many more notices are turned away before one is taken.
    refusals: AtomicUsize,
    /// How many were opened and taken.
    taken: AtomicUsize,
}

impl Shop {
    pub(super) async fn open(sandbox: &Sandbox) -> Result<Self, Error> {
        let given = sandbox.wechat_v3();
        let pem = given.merchant_private_key_pem.expose();
        let identity = SigningIdentity::new(
            &given.merchant_id,
            &given.merchant_serial,
            Arc::new(RsaSigningKey::parse(pem)?),
        )?;
        let account = Account::direct(identity, &given.app_id, ApiV3Key::new(given.apiv3_key.expose())?)?;
        let account = Arc::new(account.with_base(BaseUrl::parse(&given.base_url)?));
        let client = Client::new(Arc::clone(&account), HyperTransport::new()?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let notify_url = format!("http://{}/notify", listener.local_addr()?);
        let desk = Arc::new(Desk {
            account: Arc::clone(&account),
            refusals: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&desk))).abort_handle();
        Ok(Self {
            account,
            client,
            signer: RsaSigningKey::parse(pem)?,
            payer: given.openid,
            desk,
            notify_url,
            task,
        })
    }

    fn terms(&self, order_no: &str, fen: i64, description: &str) -> Result<OrderTerms, Error> {
        Ok(OrderTerms::new(
            OrderNo::new(order_no)?,
            PayAmount::from_fen(fen)?,
            description,
            Address::parse_plain("notify_url", &self.notify_url)?,
        ))
    }

    /// Places an order that is paid by scanning.
    pub(super) async fn place(&self, order_no: &str, fen: i64, description: &str) -> Result<(), Error> {
        let order = PlaceNativeOrder::new(self.terms(order_no, fen, description)?);
        self.client.call(&order).await?;
        Ok(())
    }

    /// Places an order that is paid inside WeChat.
    pub(super) async fn place_in_wechat(&self, order_no: &str, fen: i64, description: &str) -> Result<(), Error> {
        let terms = self.terms(order_no, fen, description)?;
        self.client
            .call(&PlaceJsapiOrder::new(terms, OpenId::new(self.payer.as_str())))
            .await?;
        Ok(())
    }

    /// Charges a payment code. That the payer types a password first is no failure of the call.
    pub(super) async fn charge(&self, order_no: &str, fen: i64, code: &str) -> Result<(), Error> {
        let (order_no, amount) = (OrderNo::new(order_no)?, PayAmount::from_fen(fen)?);
        let charge = PayByCode::new(
            order_no,
            amount,
            "at the till",
            code,
            Till::at(Ipv4Addr::LOCALHOST.into()),
        );
        self.client.call(&charge).await?;
        Ok(())
    }

    /// Whether the platform says that the order is paid.
    pub(super) async fn is_paid(&self, order_no: &str) -> Result<bool, Error> {
        let query = QueryOrder::by_order_no(OrderNo::new(order_no)?);
        Ok(self.client.call(&query).await?.standing() == Standing::Succeeded)
    }

    pub(super) async fn refund(&self, order_no: &str, refund_no: &str, fen: i64, total: i64) -> Result<(), Error> {
        let [amount, total] = [fen, total].map(PayAmount::from_fen);
        let refund = Refund::new(OrderNo::new(order_no)?, RefundNo::new(refund_no)?, amount?, total?);
        self.client.call(&refund).await?;
        Ok(())
    }

    /// Asks for an order with a signature over a text without the query, as beginners do, and says with what status the
    /// platform answers.
    pub(super) async fn query_signed_wrong(&self, order_no: &str) -> Result<u16, Error> {
        let query = QueryOrder::by_order_no(OrderNo::new(order_no)?);
        let ambient = FixedAmbient::at(OsAmbient.now().seconds());
        let draft = query.draft(&self.account, &ambient)?;
        let text = String::from_utf8(draft.text().to_vec())?;
        let mut lines: Vec<&str> = text.split('\n').collect();
        let target = lines.get_mut(1).ok_or("the text has no target")?;
        *target = target.split('?').next().unwrap_or_default();
        let signature = self.signer.sign(lines.join("\n").as_bytes(), &ambient)?;
        let response = HyperTransport::new()?.send(draft.finish(&signature)?).await?;
        Ok(response.status().as_u16())
    }

    /// Turns away the next so many notices.
    pub(super) fn refuse(&self, notices: usize) {
        self.desk.refusals.store(notices, Ordering::SeqCst);
    }

    /// How many notices were opened and taken.
    pub(super) fn taken(&self) -> usize {
        self.desk.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&desk)));
            // A platform that hangs up early delivers again.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

async fn answer(request: http::Request<Incoming>, desk: Arc<Desk>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST).collect().await;
    let request = http::Request::from_parts(head, body.map(http_body_util::Collected::to_bytes).unwrap_or_default());
    let one_less = |left: usize| left.checked_sub(1);
    if desk
        .refusals
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        .is_ok()
    {
        let busy = http::Response::new(Full::from("the shop is busy\n"));
        let (mut head, body) = busy.into_parts();
        head.status = http::StatusCode::SERVICE_UNAVAILABLE;
        return Ok(http::Response::from_parts(head, body));
    }
    let opened = desk.account.open_notification(&request, OsAmbient.now());
    let verdict = if matches!(opened, Ok(Notice::Settles(_))) {
        desk.taken.fetch_add(1, Ordering::SeqCst);
        Verdict::Accepted
    } else {
        Verdict::Rejected
    };
    Ok(desk.account.acknowledge(verdict).map(Full::new))
}
