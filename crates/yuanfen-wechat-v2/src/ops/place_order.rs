//! `POST /pay/unifiedorder` (统一下单). Repeatable under the same number with identical parameters.
//!
//! Contract: v2 sheet, section 6.1; the owner's document `001_0fd8d454b6b70f59.txt`.

use std::fmt;
use std::net::IpAddr;

use http::Method;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Effect, Extra, FieldError, OpenError, Operation, OrderNo, PayAmount,
    ProtocolError, ProtocolErrorKind, Route, Rule, Taker, UnixTime, ValueError, Verified,
};

use crate::message::Writer;
use crate::query::escape;
use crate::{Account, Message, Payer, PrepayId, Reply, TradeType};

/// Places an order that a payer then pays: in a WeChat page or mini program, by scanning, in an app, or in another
/// browser.
///
/// Repeating the identical value is answered again and takes effect once; changed parameters under the same number are
/// refused. `time_expire` is fixed by the first call.
#[derive(Clone)]
#[non_exhaustive]
pub struct PlaceOrder {
    /// `trade_type`.
    pub trade_type: TradeType,
    /// `out_trade_no`: letters, digits and `_-|*`, at most 32.
    pub order_no: OrderNo,
    /// `total_fee`, in fen.
    pub amount: PayAmount,
    /// `body`: what the payer sees, "shop – goods"; at most 128 characters.
    pub body: String,
    /// `spbill_create_ip`: the payer's address; for NATIVE the calling machine's.
    pub payer_ip: IpAddr,
    /// `notify_url`: without query or fragment.
    pub notify_url: Address,
    /// `openid` or `sub_openid`, required for JSAPI: the payer under the account's or under the sub-merchant's app id.
    pub payer: Option<Payer>,
    /// `product_id`, required for NATIVE: the merchant's own id of the goods.
    pub product_id: Option<String>,
    /// `scene_info`, required for MWEB: JSON with `h5_info`, or with `store_info` elsewhere:
    /// [`H5Scene`](crate::H5Scene) and [`StoreScene`](crate::StoreScene) write it.
    pub scene_info: Option<String>,
    /// `device_info`: terminal or shop; `WEB` for pages.
    pub device_info: Option<String>,
    /// `detail`: JSON, for discounts on single items.
    pub detail: Option<String>,
    /// `attach`: handed back in query and notice; at most 127 characters.
    pub attach: Option<String>,
    /// `fee_type`: `CNY` where absent.
    pub currency: Option<String>,
    /// `time_start`.
    pub time_start: Option<UnixTime>,
    /// `time_expire`: until when it can be paid; at least a minute ahead.
    pub time_expire: Option<UnixTime>,
    /// `goods_tag`: for coupons.
    pub goods_tag: Option<String>,
    /// `limit_pay`: `no_credit` keeps credit cards out.
    pub limit_pay: Option<String>,
    /// `receipt`: `Y` shows the entry for an electronic invoice.
    pub receipt: Option<String>,
    /// `profit_sharing`: `Y` freezes the money for sharing.
    pub profit_sharing: Option<String>,
    /// `version`: `1.0` where `detail` is used.
    pub version: Option<String>,
}

/// Nothing about the payer, and no text that the shop may have put such things into.
impl fmt::Debug for PlaceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceOrder")
            .field("trade_type", &self.trade_type)
            .field("order_no", &self.order_no)
            .field("amount", &self.amount)
            .field("notify_url", &self.notify_url)
            .field("time_start", &self.time_start)
            .field("time_expire", &self.time_expire)
            .finish_non_exhaustive()
    }
}

const SHEET: &str = "v2 sheet, section 6.1";

/// The rules of this call's text fields.
pub(crate) mod rules {
    use super::{Alphabet, Rule, SHEET};

    pub(crate) const ORDER_NO: Rule = Rule::new("out_trade_no", 32)
        .alphabet(Alphabet::WECHAT_ORDER)
        .source("v2 sheet, section 4");
    // Newer pages say 127. The owner's document and older pages say 128; where editions differ, the larger figure is
    // checked here and the platform judges the rest.
    pub(crate) const BODY: Rule = Rule::new("body", 128).source("v2 sheet, sections 4 and 6.1");
    pub(crate) const PRODUCT_ID: Rule = Rule::new("product_id", 32).source(SHEET);
    pub(crate) const SCENE_INFO: Rule = Rule::new("scene_info", 256).alphabet(Alphabet::TEXT).source(SHEET);
    pub(crate) const DEVICE_INFO: Rule = Rule::new("device_info", 32).source(SHEET);
    pub(crate) const DETAIL: Rule = Rule::new("detail", 6000).alphabet(Alphabet::TEXT).source(SHEET);
    pub(crate) const ATTACH: Rule = Rule::new("attach", 127).alphabet(Alphabet::TEXT).source(SHEET);
    pub(crate) const CURRENCY: Rule = Rule::new("fee_type", 16).alphabet(Alphabet::ALPHANUMERIC).source(SHEET);
    pub(crate) const GOODS_TAG: Rule = Rule::new("goods_tag", 32).source(SHEET);
    pub(crate) const LIMIT_PAY: Rule = Rule::new("limit_pay", 32).alphabet(Alphabet::WORD).source(SHEET);
    pub(crate) const RECEIPT: Rule = Rule::new("receipt", 8).alphabet(Alphabet::ALPHANUMERIC).source(SHEET);
    pub(crate) const PROFIT_SHARING: Rule = Rule::new("profit_sharing", 16)
        .alphabet(Alphabet::ALPHANUMERIC)
        .source(SHEET);
    pub(crate) const VERSION: Rule = Rule::new("version", 32).alphabet(Alphabet::ASCII).source(SHEET);
    pub(crate) const TRADE_TYPE: Rule = Rule::new("trade_type", 16).alphabet(Alphabet::WORD).source(SHEET);
    pub(crate) const NOTIFY_URL: Rule = Rule::new("notify_url", 256).source(SHEET);
}

impl PlaceOrder {
    /// An order that is paid in a page of the WeChat browser or in a mini program. A text as payer is an `openid` under
    /// the account's own app id; one under a sub-merchant's is [`Payer::SubOpenId`].
    pub fn jsapi(
        order_no: OrderNo,
        amount: PayAmount,
        body: impl Into<String>,
        payer_ip: IpAddr,
        notify_url: Address,
        payer: impl Into<Payer>,
    ) -> Self {
        let order = Self::of(TradeType::Jsapi, order_no, amount, body.into(), payer_ip, notify_url);
        Self {
            payer: Some(payer.into()),
            ..order
        }
    }

    /// An order that is paid by scanning `code_url`. `machine_ip` is the machine that makes this call.
    pub fn native(
        order_no: OrderNo,
        amount: PayAmount,
        body: impl Into<String>,
        machine_ip: IpAddr,
        notify_url: Address,
        product_id: impl Into<String>,
    ) -> Self {
        let order = Self::of(TradeType::Native, order_no, amount, body.into(), machine_ip, notify_url);
        Self {
            product_id: Some(product_id.into()),
            ..order
        }
    }

    /// An order that is paid in the merchant's app.
    pub fn app(
        order_no: OrderNo,
        amount: PayAmount,
        body: impl Into<String>,
        payer_ip: IpAddr,
        notify_url: Address,
    ) -> Self {
        Self::of(TradeType::App, order_no, amount, body.into(), payer_ip, notify_url)
    }

    /// An order that is paid from another browser on a phone, at `mweb_url`. The scene is an [`H5Scene`](crate::H5Scene), or
    /// the JSON of one.
    pub fn mweb(
        order_no: OrderNo,
        amount: PayAmount,
        body: impl Into<String>,
        payer_ip: IpAddr,
        notify_url: Address,
        scene: impl Into<String>,
    ) -> Self {
        let order = Self::of(TradeType::Mweb, order_no, amount, body.into(), payer_ip, notify_url);
        Self {
            scene_info: Some(scene.into()),
            ..order
        }
    }

    fn of(
        trade_type: TradeType,
        order_no: OrderNo,
        amount: PayAmount,
        body: String,
        payer_ip: IpAddr,
        notify_url: Address,
    ) -> Self {
        Self {
            trade_type,
            order_no,
            amount,
            body,
            payer_ip,
            notify_url,
            payer: None,
            product_id: None,
            scene_info: None,
            device_info: None,
            detail: None,
            attach: None,
            currency: None,
            time_start: None,
            time_expire: None,
            goods_tag: None,
            limit_pay: None,
            receipt: None,
            profit_sharing: None,
            version: None,
        }
    }

    /// The conditions between fields.
    fn check(&self, now: UnixTime) -> Result<(), BuildError> {
        let missing = |field, when| Err(BuildError::Missing { field, when });
        match self.trade_type {
            TradeType::Jsapi if self.payer.is_none() => return missing("openid", "for trade type JSAPI"),
            TradeType::Native if self.product_id.is_none() => return missing("product_id", "for trade type NATIVE"),
            TradeType::Mweb if self.scene_info.is_none() => return missing("scene_info", "for trade type MWEB"),
            TradeType::Micropay | TradeType::Face => {
                return Err(BuildError::Conflict {
                    fields: "trade_type",
                    problem: "this kind has a call of its own",
                });
            }
            _ => {}
        }
        check_notify_url(&self.notify_url)?;
        check_validity(self.time_start, self.time_expire, now)
    }
}

/// An address for notices: without query or fragment, and one that the platform reaches (v2 sheet, section 4).
pub(super) fn check_notify_url(address: &Address) -> Result<(), BuildError> {
    address.must_be_plain("notify_url")?;
    Ok(address.must_be_reachable("notify_url")?)
}

/// From when until when an order can be paid: at least for another minute.
pub(super) fn check_validity(
    start: Option<UnixTime>,
    expire: Option<UnixTime>,
    now: UnixTime,
) -> Result<(), BuildError> {
    let Some(expire) = expire else { return Ok(()) };
    let problem = if expire.since(now) < 60 {
        "must be at least a minute ahead"
    } else if start.is_some_and(|start| start >= expire) {
        "must be later than time_start"
    } else {
        return Ok(());
    };
    Err(BuildError::Time {
        field: "time_expire",
        problem,
    })
}

impl Operation for PlaceOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedOrder;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "place_order",
        Method::POST,
        "/pay/unifiedorder",
        Effect::Repeatable,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.check(ambient.now())?;
        let mut writer = Writer::default();
        writer.maybe(&rules::DEVICE_INFO, self.device_info.as_deref())?;
        writer.text(&rules::BODY, &self.body)?;
        writer.maybe(&rules::DETAIL, self.detail.as_deref())?;
        writer.maybe(&rules::ATTACH, self.attach.as_deref())?;
        writer.text(&rules::ORDER_NO, self.order_no.as_str())?;
        writer.maybe(&rules::CURRENCY, self.currency.as_deref())?;
        writer.put("total_fee", &self.amount.fen())?;
        writer.put("spbill_create_ip", &self.payer_ip.to_string())?;
        writer.time("time_start", self.time_start)?;
        writer.time("time_expire", self.time_expire)?;
        writer.maybe(&rules::GOODS_TAG, self.goods_tag.as_deref())?;
        writer.text(&rules::NOTIFY_URL, self.notify_url.as_str())?;
        writer.text(&rules::TRADE_TYPE, self.trade_type.as_str())?;
        writer.maybe(&rules::PRODUCT_ID, self.product_id.as_deref())?;
        writer.maybe(&rules::LIMIT_PAY, self.limit_pay.as_deref())?;
        if let Some(payer) = &self.payer {
            payer.put(&mut writer, account)?;
        }
        writer.maybe(&rules::RECEIPT, self.receipt.as_deref())?;
        writer.maybe(&rules::PROFIT_SHARING, self.profit_sharing.as_deref())?;
        writer.maybe(&rules::SCENE_INFO, self.scene_info.as_deref())?;
        writer.maybe(&rules::VERSION, self.version.as_deref())?;
        Ok(writer.into_message(Self::ROUTE.path))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<PlacedOrder, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let placed = PlacedOrder::read(&reply)?;
        // The answer names no order number. That the kind is echoed is all it says about what was asked.
        if placed.trade_type != self.trade_type {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "trade_type" }).into());
        }
        if self.trade_type == TradeType::Native && placed.code_url.is_none() {
            return Err(FieldError::new("code_url", ValueError::Missing).into());
        }
        if self.trade_type == TradeType::Mweb && placed.mweb_url.is_none() {
            return Err(FieldError::new("mweb_url", ValueError::Missing).into());
        }
        Ok(placed)
    }
}

/// An order that waits for its payer. It is not paid: a query or a notice says so.
#[derive(Clone)]
#[non_exhaustive]
pub struct PlacedOrder {
    /// `prepay_id`, good for two hours.
    pub prepay_id: PrepayId,
    /// `trade_type`.
    pub trade_type: TradeType,
    /// `code_url`: the text of the QR code for NATIVE, good for two hours.
    pub code_url: Option<String>,
    /// `mweb_url`: the address for MWEB, good for five minutes; the browser must come from the registered domain.
    pub mweb_url: Option<String>,
    /// `device_info`.
    pub device_info: Option<String>,
    /// What else came.
    pub extra: Extra,
}

/// Without `code_url` and `mweb_url`, with which anyone can pay this order.
impl fmt::Debug for PlacedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlacedOrder")
            .field("prepay_id", &self.prepay_id)
            .field("trade_type", &self.trade_type)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl PlacedOrder {
    /// `mweb_url` with the page to which the payer comes back behind it: `&redirect_url=`, percent-encoded. Without it
    /// the payer comes back to the page that led to the payment, which is no proof of payment either.
    ///
    /// The page must be under the domain that was registered for H5 payments.
    #[must_use]
    pub fn mweb_url_returning_to(&self, page: &Address) -> Option<String> {
        let address = self.mweb_url.as_deref()?;
        let joint = if address.contains('?') { '&' } else { '?' };
        Some(format!("{address}{joint}redirect_url={}", escape(page.as_str())))
    }

    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(Self {
            prepay_id: PrepayId::issued(taker.need::<String>("prepay_id")?, reply.received_at),
            trade_type: taker.need("trade_type")?,
            code_url: taker.maybe("code_url")?,
            mweb_url: taker.maybe("mweb_url")?,
            device_info: taker.maybe("device_info")?,
            extra: taker.rest(),
        })
    }
}

/// Takes the fields that every answer has and that were looked at before it was let through.
pub(crate) fn claim_common(taker: &mut Taker<'_>) {
    for name in [
        "return_code",
        "return_msg",
        "appid",
        "mch_id",
        "sub_appid",
        "sub_mch_id",
        "nonce_str",
        "sign",
        "sign_type",
        "result_code",
    ] {
        let _claimed = taker.text(name);
    }
}
