//! The typed values of a published message.

use yuanfen_core::{Address, Fen, OrderNo, PayAmount, RefundNo, RemoteId, Rfc3339, UnixTime, WireText as _};
use yuanfen_testkit::Value;
use yuanfen_wechat_v3::ops::{PayByCode, Refund, RefundSource, RefundedGoods};
use yuanfen_wechat_v3::{
    CombinedOrderNo, CombinedScene, CombinedTerms, H5Info, OpenId, OrderDetail, OrderRef, OrderTerms, OrderedGoods,
    Participant, Payer, Scene, Store, SubMerchant, SubOrder, Till, TillStore,
};

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn maybe(object: &Value, name: &str) -> Option<String> {
    object.get(name).map(|value| text(value).to_owned())
}

fn list(object: &Value, name: &str) -> impl Iterator<Item = Value> {
    let list = object.get(name).map(|list| list.as_array().unwrap().clone());
    list.unwrap_or_default().into_iter()
}

fn amount(value: &Value) -> PayAmount {
    PayAmount::from_fen(value.as_i64().unwrap()).unwrap()
}

fn fen(value: &Value) -> Fen {
    Fen::new(value.as_i64().unwrap())
}

fn count(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

pub(super) fn time(text: &str) -> UnixTime {
    Rfc3339::read(text).unwrap().0
}

pub(super) fn address(text: &str) -> Address {
    Address::parse("notify_url", text).unwrap()
}

pub(super) fn order_no(object: &Value) -> OrderNo {
    OrderNo::new(text(&object["out_trade_no"])).unwrap()
}

pub(super) fn order(object: &Value) -> OrderRef {
    match object.get("transaction_id") {
        Some(id) => OrderRef::TransactionId(RemoteId::new(text(id)).unwrap()),
        None => OrderRef::OrderNo(order_no(object)),
    }
}

pub(super) fn terms(body: &Value) -> OrderTerms {
    let mut terms = OrderTerms::new(
        order_no(body),
        amount(&body["amount"]["total"]),
        text(&body["description"]),
        address(text(&body["notify_url"])),
    );
    terms.expires_at = body.get("time_expire").map(|at| time(text(at)));
    terms.attach = maybe(body, "attach");
    terms.goods_tag = maybe(body, "goods_tag");
    terms.limit_pay = list(body, "limit_pay").map(|means| text(&means).into()).collect();
    terms.offers_invoice = body.get("support_fapiao").map(|value| value.as_bool().unwrap());
    terms.detail = body.get("detail").map(|detail| goods(detail, "wechatpay_goods_id"));
    terms.profit_sharing = profit_sharing(body);
    terms
}

fn profit_sharing(object: &Value) -> Option<bool> {
    let shares = object.get("settle_info")?.get("profit_sharing")?;
    Some(shares.as_bool().unwrap())
}

fn goods(detail: &Value, platform_code: &str) -> OrderDetail {
    let mut found = OrderDetail::new();
    found.cost_price = detail.get("cost_price").map(fen);
    found.invoice_id = maybe(detail, "invoice_id");
    let one = |goods: Value| {
        let mut found = OrderedGoods::new(
            text(&goods["merchant_goods_id"]),
            count(&goods["quantity"]),
            fen(&goods["unit_price"]),
        );
        found.platform_goods_id = maybe(&goods, platform_code);
        found.name = maybe(&goods, "goods_name");
        found
    };
    found.goods = list(detail, "goods_detail").map(one).collect();
    found
}

/// Who pays, under whichever of the four names.
pub(super) fn payer(object: &Value) -> Payer {
    let open_id = |name: &str| maybe(object, name).map(OpenId::new);
    match open_id("sub_openid") {
        Some(open_id) => Payer::SubOpenId(open_id),
        None => Payer::OpenId(open_id("openid").or_else(|| open_id("sp_openid")).unwrap()),
    }
}

pub(super) fn scene(object: &Value) -> Scene {
    let mut scene = Scene::new(text(&object["payer_client_ip"]).parse().unwrap());
    scene.device_id = maybe(object, "device_id");
    scene.store = object.get("store_info").map(|found| {
        let mut store = Store::new(text(&found["id"]));
        store.name = maybe(found, "name");
        store.area_code = maybe(found, "area_code");
        store.address = maybe(found, "address");
        store
    });
    scene
}

pub(super) fn h5(object: &Value) -> H5Info {
    let mut info = H5Info::new(text(&object["type"]).into());
    info.app_name = maybe(object, "app_name");
    info.app_url = maybe(object, "app_url");
    info.bundle_id = maybe(object, "bundle_id");
    info.package_name = maybe(object, "package_name");
    info
}

pub(super) fn pay_by_code(body: &Value) -> PayByCode {
    let place = &body["scene_info"];
    let mut store = TillStore::by_own_id("");
    store.platform_id = maybe(&place["store_info"], "id");
    store.own_id = maybe(&place["store_info"], "out_id");
    let mut till = Till::within(store);
    till.device_id = maybe(place, "device_id");
    till.ip = maybe(place, "device_ip").map(|ip| ip.parse().unwrap());
    let mut charge = PayByCode::new(
        order_no(body),
        amount(&body["amount"]["total"]),
        text(&body["description"]),
        text(&body["payer"]["auth_code"]),
        till,
    );
    charge.attach = maybe(body, "attach");
    charge.goods_tag = maybe(body, "goods_tag");
    charge.offers_invoice = body.get("support_fapiao").map(|value| value.as_bool().unwrap());
    charge.detail = body.get("detail").map(|detail| goods(detail, "wxpay_goods_id"));
    charge.profit_sharing = profit_sharing(body);
    charge
}

/// The refund of that request, or of that answer: what they share is enough to make it.
pub(super) fn refund(body: &Value) -> Refund {
    let amounts = &body["amount"];
    let refund_no = RefundNo::new(text(&body["out_refund_no"])).unwrap();
    let (refunded, total) = (amount(&amounts["refund"]), amount(&amounts["total"]));
    let mut refund = Refund::new(order(body), refund_no, refunded, total);
    refund.reason = maybe(body, "reason");
    refund.notify_url = maybe(body, "notify_url").map(|text| address(&text));
    refund.funds_account = maybe(body, "funds_account").map(|account| account.as_str().into());
    let source = |from: Value| RefundSource::new(text(&from["account"]).into(), amount(&from["amount"]));
    refund.from = list(amounts, "from").map(source).collect();
    let goods = |goods: Value| {
        let mut found = RefundedGoods::new(
            text(&goods["merchant_goods_id"]),
            fen(&goods["unit_price"]),
            fen(&goods["refund_amount"]),
            count(&goods["refund_quantity"]),
        );
        found.platform_goods_id = maybe(&goods, "wechatpay_goods_id");
        found.name = maybe(&goods, "goods_name");
        found
    };
    refund.goods = list(body, "goods_detail").map(goods).collect();
    refund
}

pub(super) fn combined_no(body: &Value) -> CombinedOrderNo {
    CombinedOrderNo::new(text(&body["combine_out_trade_no"])).unwrap()
}

pub(super) fn combined_scene(object: &Value) -> CombinedScene {
    let mut scene = CombinedScene::new(text(&object["payer_client_ip"]).parse().unwrap());
    scene.device_id = maybe(object, "device_id");
    scene
}

pub(super) fn participant(part: &Value) -> Participant {
    let Some(number) = part.get("sub_mchid") else {
        return Participant::Merchant(text(&part["mchid"]).into());
    };
    let sub_merchant = SubMerchant::new(text(number)).unwrap();
    Participant::SubMerchant(match part.get("sub_appid") {
        None => sub_merchant,
        Some(app) => sub_merchant.with_app(text(app)).unwrap(),
    })
}

fn sub_order(part: &Value) -> SubOrder {
    let mut order = SubOrder::new(
        participant(part),
        order_no(part),
        amount(&part["amount"]["total_amount"]),
        text(&part["description"]),
        text(&part["attach"]),
    );
    order.detail = maybe(part, "detail");
    order.goods_tag = maybe(part, "goods_tag");
    order.profit_sharing = profit_sharing(part);
    order.subsidy = part
        .get("settle_info")
        .and_then(|settling| settling.get("subsidy_amount"))
        .map(fen);
    order
}

pub(super) fn combined_terms(body: &Value) -> CombinedTerms {
    let parts = body["sub_orders"].as_array().unwrap().iter().map(sub_order).collect();
    let mut terms = CombinedTerms::new(combined_no(body), parts, address(text(&body["notify_url"])));
    terms.expires_at = body.get("time_expire").map(|at| time(text(at)));
    terms
}
