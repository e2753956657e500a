//! The two pages of the payer's browser, and where it is sent afterwards (sections 6.4 to 6.6 of the sheet).

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use yuanfen_core::{Fields, JsonTaker};

use super::{Mpgateway, orders};
use crate::book::{Order, OrderState};
use crate::keys::{MPGATEWAY_MERCHANT, MPGATEWAY_OPENID};
use crate::platforms::pages::{is_absolute, page, query_fields, redirect, with_parameters};
use crate::platforms::{Call, Desk, PageRefused, Platform};

/// Sends the visitor back with an openid. Nothing here is signed.
pub(super) fn openid(call: &Call<'_>) -> Response<Bytes> {
    let refuse = |words| page(StatusCode::BAD_REQUEST, words);
    if call.method != Method::GET {
        return page(StatusCode::METHOD_NOT_ALLOWED, "the page is opened with GET");
    }
    let Some(fields) = query_fields(call.query) else {
        return refuse("the parameters cannot be read");
    };
    let Some(back_url) = fields.filled("backurl").filter(|url| is_absolute(url)) else {
        return refuse("`backurl` is absent or no absolute address");
    };
    if fields
        .filled("merid")
        .is_some_and(|merchant| merchant != MPGATEWAY_MERCHANT)
    {
        return refuse("no such merchant");
    }
    if fields
        .filled("payway")
        .is_some_and(|channel| channel.parse::<u32>().is_err())
    {
        return refuse("`payway` is no number");
    }
    redirect(&with_parameters(back_url, &[("openid", MPGATEWAY_OPENID)]))
}

/// `resp` and `sign` as a form.
pub(super) fn form(payload: &str, signature: &str) -> String {
    let fields: [(&str, &str); 2] = [("resp", payload), ("sign", signature)];
    yuanfen_form::write(&Fields::try_from(fields.as_slice()).unwrap_or_default())
}

impl Mpgateway {
    /// The order that a signed query of the pay page names.
    pub(super) fn cashier_order(&self, query: &str, desk: &mut Desk<'_>) -> Result<Order, PageRefused> {
        let object = self
            .open(query.as_bytes(), desk)
            .map_err(|_: &str| PageRefused::Signature)?;
        let mut taker = JsonTaker::new(&object);
        let order_no: String = taker.need("orderid").map_err(|_| PageRefused::Parameter("orderid"))?;
        let pay_id: String = taker.need("code").map_err(|_| PageRefused::Parameter("code"))?;
        let now = desk.now();
        desk.book
            .order(Platform::Mpgateway, &order_no, now)
            .filter(|order| order.detail(orders::PAY_ID) == Some(&*pay_id))
            .cloned()
            .ok_or(PageRefused::Parameter("code"))
    }

    /// Until the order is paid the page says so; then it sends the browser on to the front address, signed.
    pub(super) fn pay_page(&self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        if call.method != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, "the page is opened with GET");
        }
        let order = match self.cashier_order(call.query.unwrap_or_default(), desk) {
            Ok(order) => order,
            Err(refused) => return page(StatusCode::BAD_REQUEST, &refused.to_string()),
        };
        match order.state() {
            // Nobody pays with a code here.
            OrderState::Unpaid | OrderState::PayerTyping => page(StatusCode::OK, "the order waits for its payer"),
            OrderState::Closed | OrderState::Revoked | OrderState::PaymentFailed => {
                page(StatusCode::OK, "the order is closed")
            }
            OrderState::Paid | OrderState::Refunding | OrderState::Refunded => {
                let Some(front_url) = order.detail(orders::FRONT_URL) else {
                    return page(StatusCode::OK, "the order is paid");
                };
                let held = order.detail(orders::HELD).is_some() && order.detail(orders::AVAILABLE).is_none();
                let (payload, signature) = self.seal(orders::notice(&order, held, desk), desk);
                redirect(&with_parameters(front_url, &[("resp", &payload), ("sign", &signature)]))
            }
        }
    }
}
