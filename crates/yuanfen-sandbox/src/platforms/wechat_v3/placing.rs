//! Placing orders in four ways: for a page or mini program, to be scanned, in a mobile app, in a browser outside WeChat
//! (section 13 of the sheet).

use std::net::IpAddr;

use http::StatusCode;
use serde_json::{Value, json};
use yuanfen_core::{Fen, Rfc3339, UnixTime, WireText as _};

use super::caller::{Merchant, OWN_IDS, PARTNER_IDS};
use super::schema::{Kind, Member, maybe, need, read, wrong};
use super::{Answer, Refusal};
use crate::book::{BookError, Details, Order, Placement};
use crate::platforms::{Call, Desk};

/// What a code to be scanned begins with, before the prepay id.
pub(super) const CODE_URL: &str = "weixin://wxpay/bizpayurl?pr=";
/// What the address of an H5 cashier begins with, before the prepay id.
pub(super) const H5_URL: &str = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=";
/// An order without an expiry of its own lives seven days.
pub(super) const ORDER_LIFE: i64 = 7 * 86_400;

/// How an order is to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Jsapi,
    Native,
    App,
    H5,
}

impl Product {
    /// `trade_type` once it is paid.
    pub(super) const fn trade_type(self) -> &'static str {
        match self {
            Self::Jsapi => "JSAPI",
            Self::Native => "NATIVE",
            Self::App => "APP",
            Self::H5 => "MWEB",
        }
    }

    /// How many seconds what the payer is handed lives, whatever the order's own end is (section 13.4 of the sheet).
    const fn life(self) -> i64 {
        match self {
            Self::Jsapi | Self::App | Self::Native => 7200,
            Self::H5 => 300,
        }
    }
}

const COMMON: &[Member] = &[
    need("description", Kind::Text(1, 127)),
    need("out_trade_no", Kind::Text(6, 32)),
    maybe("time_expire", Kind::Text(1, 64)),
    maybe("attach", Kind::Text(1, 128)),
    need("notify_url", Kind::Text(1, 255)),
    maybe("goods_tag", Kind::Text(1, 32)),
    maybe("limit_pay", Kind::Texts),
    maybe("support_fapiao", Kind::Boolean),
    need("amount", Kind::Object(AMOUNT)),
    maybe(
        "detail",
        Kind::Object(&[
            maybe("cost_price", Kind::Integer(0)),
            maybe("invoice_id", Kind::Text(1, 32)),
            maybe(
                "goods_detail",
                Kind::Objects(&[
                    need("merchant_goods_id", Kind::Text(1, 32)),
                    maybe("wechatpay_goods_id", Kind::Text(1, 32)),
                    maybe("goods_name", Kind::Text(1, 256)),
                    need("quantity", Kind::Integer(1)),
                    need("unit_price", Kind::Integer(0)),
                ]),
            ),
        ]),
    ),
    maybe("settle_info", Kind::Object(&[maybe("profit_sharing", Kind::Boolean)])),
];

pub(super) const AMOUNT: &[Member] = &[need("total", Kind::Integer(1)), maybe("currency", Kind::Text(1, 16))];

const STORE: Kind = Kind::Object(&[
    need("id", Kind::Text(1, 32)),
    maybe("name", Kind::Text(1, 256)),
    maybe("area_code", Kind::Text(1, 32)),
    maybe("address", Kind::Text(1, 512)),
]);

const SCENE: &[Member] = &[maybe(
    "scene_info",
    Kind::Object(&[
        need("payer_client_ip", Kind::Text(1, 45)),
        maybe("device_id", Kind::Text(1, 32)),
        maybe("store_info", STORE),
    ]),
)];

const H5_SCENE: &[Member] = &[need(
    "scene_info",
    Kind::Object(&[
        need("payer_client_ip", Kind::Text(1, 45)),
        maybe("device_id", Kind::Text(1, 32)),
        maybe("store_info", STORE),
        need("h5_info", H5),
    ]),
)];

pub(super) const H5: Kind = Kind::Object(&[
    need("type", Kind::Text(1, 32)),
    maybe("app_name", Kind::Text(1, 64)),
    maybe("app_url", Kind::Text(1, 128)),
    maybe("bundle_id", Kind::Text(1, 128)),
    maybe("package_name", Kind::Text(1, 128)),
]);

const OWN_PAYER: &[Member] = &[need("payer", Kind::Object(&[need("openid", Kind::Text(1, 128))]))];
const PARTNER_PAYER: &[Member] = &[need(
    "payer",
    Kind::Object(&[
        maybe("sp_openid", Kind::Text(1, 128)),
        maybe("sub_openid", Kind::Text(1, 128)),
    ]),
)];

/// What the body of an order may hold.
pub(super) fn tables(product: Product, merchant: &Merchant) -> Vec<&'static [Member]> {
    let mut tables = vec![merchant.shaped(OWN_IDS, PARTNER_IDS), COMMON];
    tables.push(if product == Product::H5 { H5_SCENE } else { SCENE });
    if product == Product::Jsapi {
        tables.push(merchant.shaped(OWN_PAYER, PARTNER_PAYER));
    }
    tables
}

pub(super) fn place(
    product: Product,
    merchant: &Merchant,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    let body = read(call.body, &tables(product, merchant))?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let party = merchant.party_in_body(&body, true)?;
    let order_no = text("/out_trade_no").unwrap_or_default();
    check_number("/out_trade_no", order_no, b"_-|*")?;
    check_notify_url(text("/notify_url"))?;
    check_currency("/amount/currency", text("/amount/currency"))?;
    check_limits(&body)?;
    check_goods(&body)?;
    if product == Product::H5 {
        check_h5(text("/scene_info/h5_info/type"), text("/scene_info/payer_client_ip"))?;
    }
    let mut details = details(
        &body,
        &[
            ("attach", "/attach"),
            ("description", "/description"),
            ("device_info", "/scene_info/device_id"),
        ],
        call,
    );
    details.insert("trade_type", product.trade_type().to_owned());
    party.keep(&mut details);
    let payer = text("/payer/openid").or(text("/payer/sp_openid"));
    if product == Product::Jsapi && merchant.account.is_provider {
        match (payer, text("/payer/sub_openid")) {
            (Some(_), None) => {}
            (None, Some(sub)) if party.app.is_some() => {
                details.insert("sub_openid", sub.to_owned());
            }
            (None, Some(_)) => return Err(wrong("/sub_appid", "传入sub_openid时sub_appid必填")),
            _ => return Err(wrong("/payer", "sp_openid和sub_openid必填且只能填其一")),
        }
    }
    let now = desk.now();
    let placement = Placement {
        account: merchant.account,
        order_no: order_no.to_owned(),
        amount: fen(&body, "/amount/total")?,
        expires_at: Some(expiry(text("/time_expire"), merchant, order_no, desk)?),
        notify_url: text("/notify_url").map(str::to_owned),
        payer: payer.map(str::to_owned),
        details,
        // The map sorts its members, so their order and blanks do not tell requests apart; another way to pay does.
        fingerprint: format!("{} {body}", product.trade_type()),
    };
    let token = desk.ambient.hex(20);
    let (order, _) = desk.book.place(placement, now).map_err(not_placed)?;
    let order = order.clone();
    grant(product, &order, &token, desk)
}

/// What the payer needs, new where the last one is over.
pub(super) fn grant(product: Product, order: &Order, token: &str, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
    let now = desk.now();
    let prepay_id = if lives(order, product, now) {
        order.detail("prepay_id").unwrap_or_default().to_owned()
    } else {
        let prepay_id = format!("wx{}{token}", yuanfen_core::Clock14(now));
        let mut fresh = vec![("prepay_id", prepay_id.clone()), ("prepay_at", now.to_text())];
        if product == Product::Native {
            fresh.push(("code_url", format!("{CODE_URL}{prepay_id}")));
        }
        let renewed = desk.book.remember(order.account, &order.order_no, fresh);
        renewed.map_err(|_| Refusal::new(500, "SYSTEM_ERROR", "系统错误"))?;
        prepay_id
    };
    let body = match product {
        Product::Jsapi | Product::App => json!({ "prepay_id": prepay_id }),
        Product::Native => json!({ "code_url": format!("{CODE_URL}{prepay_id}") }),
        Product::H5 => json!({
            "h5_url": format!("{H5_URL}{prepay_id}&package={token}"),
        }),
    };
    Ok(Answer::Json(StatusCode::OK, body))
}

/// Whether what the payer was handed for an order is still good.
pub(super) fn lives(order: &Order, product: Product, now: UnixTime) -> bool {
    let made = order.detail("prepay_at").and_then(|at| UnixTime::read(at).ok());
    made.is_some_and(|at| now.since(at) < product.life())
}

pub(super) fn not_placed(error: BookError) -> Refusal {
    match error {
        BookError::Paid => Refusal::new(400, "ORDER_PAID", "订单已支付").numbered(268_449_538),
        BookError::Closed | BookError::Revoked => Refusal::new(400, "ORDER_CLOSED", "订单已关闭").numbered(268_447_914),
        _ => Refusal::new(403, "OUT_TRADE_NO_USED", "商户订单号重复").numbered(268_498_688),
    }
}

/// What an order remembers of its request.
pub(super) fn details(body: &Value, kept: &[(&'static str, &str)], call: &Call<'_>) -> Details {
    let mut details = Details::new();
    for (name, pointer) in kept {
        if let Some(value) = body.pointer(pointer).and_then(Value::as_str) {
            details.insert(name, value.to_owned());
        }
    }
    if let Some(serial) = call.header("wechatpay-serial") {
        details.insert("asked_serial", serial.to_owned());
    }
    details
}

/// When the order closes by itself. A repeat repeats the first call's expiry, however near it is by now.
pub(super) fn expiry(
    moment: Option<&str>,
    merchant: &Merchant,
    order_no: &str,
    desk: &mut Desk<'_>,
) -> Result<UnixTime, Refusal> {
    let now = desk.now();
    let Some(moment) = moment else {
        return Ok(UnixTime::from_seconds(now.seconds().saturating_add(ORDER_LIFE)));
    };
    let Rfc3339(end) = Rfc3339::read(moment).map_err(|_| wrong("/time_expire", "应为RFC3339格式"))?;
    let is_new = desk.book.order(merchant.account, order_no, now).is_none();
    if is_new && end.since(now) < 60 {
        return Err(wrong("/time_expire", "支付结束时间须在一分钟之后"));
    }
    Ok(end)
}

pub(super) fn fen(body: &Value, pointer: &str) -> Result<Fen, Refusal> {
    let amount = body.pointer(pointer).and_then(Value::as_i64).map(Fen::new);
    amount.ok_or_else(|| wrong(pointer, "应为整数"))
}

pub(super) fn check_number(pointer: &str, number: &str, marks: &[u8]) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    if number.bytes().all(allowed) {
        Ok(())
    } else {
        Err(wrong(pointer, "只能是数字、大小写字母及规定的符号"))
    }
}

pub(super) fn check_notify_url(url: Option<&str>) -> Result<(), Refusal> {
    let good = url.is_none_or(|url| {
        let absolute = url.starts_with("https://") || url.starts_with("http://");
        absolute && !url.contains(['?', '#'])
    });
    if good {
        Ok(())
    } else {
        Err(wrong("/notify_url", "须为直接可访问的URL,不允许携带查询串"))
    }
}

pub(super) fn check_currency(pointer: &str, currency: Option<&str>) -> Result<(), Refusal> {
    match currency {
        None | Some("CNY") => Ok(()),
        Some(_) => Err(wrong(pointer, "取值不在枚举中")),
    }
}

/// Which ways to pay an order leaves out.
fn check_limits(body: &Value) -> Result<(), Refusal> {
    let limits = body.get("limit_pay").and_then(Value::as_array);
    let is_known = |limit: &Value| {
        matches!(
            limit.as_str(),
            Some("no_balance" | "no_credit" | "no_debit" | "balance_only")
        )
    };
    if limits.into_iter().flatten().all(is_known) {
        Ok(())
    } else {
        Err(wrong("/limit_pay", "取值不在枚举中"))
    }
}

/// Most bytes of the list of goods.
const MOST_GOODS: usize = 6144;

/// The goods of an order cost no more than the order, or than its price before a discount where one is stated.
pub(super) fn check_goods(body: &Value) -> Result<(), Refusal> {
    const AT: &str = "/detail/goods_detail";
    let Some(goods) = body.pointer(AT).and_then(Value::as_array) else {
        return Ok(());
    };
    let size: usize = goods.iter().map(|item| item.to_string().len().saturating_add(1)).sum();
    if size > MOST_GOODS {
        return Err(wrong(AT, "商品列表过长"));
    }
    let mut sum = 0_i128;
    for item in goods {
        let number = |name: &str| i128::from(item.get(name).and_then(Value::as_i64).unwrap_or_default());
        sum = sum.saturating_add(number("quantity").saturating_mul(number("unit_price")));
        let id = item.get("merchant_goods_id").and_then(Value::as_str);
        check_number(AT, id.unwrap_or_default(), b"_-")?;
    }
    let price = |pointer: &str| body.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    if sum > i128::from(price("/amount/total").max(price("/detail/cost_price"))) {
        return Err(wrong(AT, "商品总价超过订单金额"));
    }
    Ok(())
}

/// Risk control refuses the address of this machine: it is the payer's that is wanted.
pub(super) fn check_h5(kind: Option<&str>, address: Option<&str>) -> Result<(), Refusal> {
    if !matches!(kind, Some("Wap" | "iOS" | "Android")) {
        return Err(wrong("/scene_info/h5_info/type", "取值不在枚举中"));
    }
    let address: Option<IpAddr> = address.and_then(|address| address.parse().ok());
    match address {
        Some(address) if !address.is_loopback() => Ok(()),
        _ => Err(wrong("/scene_info/payer_client_ip", "不是有效的用户IP")),
    }
}
