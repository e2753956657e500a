//! The body of a combined order, for each of the four calls. v3 sheet, section 20.1.

use std::net::IpAddr;

use serde::Serialize;
use yuanfen_core::{Address, Ambient, BuildError, Fen, OrderNo, PayAmount, Rfc3339, WireText as _};

use super::{CombinedOrderNo, CombinedScene, CombinedTerms, SubOrder, check_unique, numbers_of, text};
use crate::payer::check_open_id;
use crate::scene::check_h5;
use crate::{Account, H5Info, MerchantIds, Message, OpenId, Payer};

/// Which of the four calls a combined order is for, and what that one alone has.
#[derive(Clone, Copy)]
pub(crate) enum CombinedPlacement<'a> {
    Jsapi { payer: &'a Payer },
    App,
    Native,
    H5 { info: &'a H5Info },
}

impl CombinedTerms {
    /// The message that places it.
    ///
    /// # Errors
    /// When a field breaks its rule, or a sub-order is of somebody for whom the account cannot act.
    pub(crate) fn message(
        &self,
        placement: CombinedPlacement<'_>,
        scene: Option<&CombinedScene>,
        account: &Account,
        ambient: &dyn Ambient,
    ) -> Result<Message, BuildError> {
        let ids = account.ids();
        self.check(ids, ambient.now())?;
        let (product, payer, h5_info) = match placement {
            CombinedPlacement::Jsapi { payer } => ("jsapi", Some(payer_in_body(payer, ids)?), None),
            CombinedPlacement::App => ("app", None, None),
            CombinedPlacement::Native => ("native", None, None),
            CombinedPlacement::H5 { info } => ("h5", None, Some(info)),
        };
        let body = Body {
            combine_appid: ids.app_id(),
            combine_mchid: ids.merchant_id(),
            combine_out_trade_no: &self.order_no,
            scene_info: scene.map(|scene| scene_in_body(scene, h5_info)).transpose()?,
            sub_orders: parts_in_body(&self.sub_orders, ids)?,
            combine_payer_info: payer,
            time_expire: self.expires_at.map(|time| Rfc3339(time).to_text()),
            notify_url: &self.notify_url,
        };
        Message::post(format!("/v3/combine-transactions/{product}"), &body)
    }
}

fn parts_in_body<'a>(parts: &'a [SubOrder], ids: &'a MerchantIds) -> Result<Vec<BodyPart<'a>>, BuildError> {
    check_unique(parts.iter().map(|part| (&part.participant, &part.order_no)), ids)?;
    parts
        .iter()
        .map(|part| {
            let (mchid, sub_merchant) = numbers_of(&part.participant, ids)?;
            let settles = part.profit_sharing.is_some() || part.subsidy.is_some();
            Ok(BodyPart {
                mchid,
                sub_mchid: sub_merchant.map(|sub| &*sub.merchant_id),
                sub_appid: sub_merchant.and_then(|sub| sub.app_id.as_deref()),
                out_trade_no: &part.order_no,
                amount: BodyPartAmount {
                    total_amount: part.amount,
                    currency: "CNY",
                },
                attach: &part.attach,
                description: &part.description,
                detail: part.detail.as_deref(),
                goods_tag: part.goods_tag.as_deref(),
                settle_info: settles.then_some(BodyPartSettling {
                    profit_sharing: part.profit_sharing,
                    subsidy_amount: part.subsidy,
                }),
            })
        })
        .collect()
}

fn scene_in_body<'a>(scene: &'a CombinedScene, h5_info: Option<&'a H5Info>) -> Result<BodyScene<'a>, BuildError> {
    text("scene_info.device_id", 16).check_maybe(scene.device_id.as_deref())?;
    if let Some(info) = h5_info {
        check_h5(info, scene.payer_ip)?;
    }
    Ok(BodyScene {
        payer_client_ip: scene.payer_ip,
        device_id: scene.device_id.as_deref(),
        h5_info,
    })
}

fn payer_in_body<'a>(payer: &'a Payer, ids: &MerchantIds) -> Result<BodyPayer<'a>, BuildError> {
    match (payer, ids) {
        (Payer::OpenId(open_id), _) => {
            check_open_id("combine_payer_info.openid", open_id)?;
            Ok(BodyPayer {
                openid: Some(open_id),
                sub_openid: None,
            })
        }
        (Payer::SubOpenId(open_id), MerchantIds::Partner(_)) => {
            check_open_id("combine_payer_info.sub_openid", open_id)?;
            Ok(BodyPayer {
                openid: None,
                sub_openid: Some(open_id),
            })
        }
        (Payer::SubOpenId(_), MerchantIds::Direct(_)) => Err(BuildError::Conflict {
            fields: "combine_payer_info.sub_openid",
            problem: "a merchant's own order names its payer by `combine_payer_info.openid` (v3 sheet, section 20.1)",
        }),
    }
}

#[derive(Serialize)]
struct Body<'a> {
    combine_appid: &'a str,
    combine_mchid: &'a str,
    combine_out_trade_no: &'a CombinedOrderNo,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<BodyScene<'a>>,
    sub_orders: Vec<BodyPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine_payer_info: Option<BodyPayer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    notify_url: &'a Address,
}

#[derive(Serialize)]
struct BodyScene<'a> {
    payer_client_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h5_info: Option<&'a H5Info>,
}

#[derive(Serialize)]
struct BodyPayer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a OpenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_openid: Option<&'a OpenId>,
}

#[derive(Serialize)]
struct BodyPart<'a> {
    mchid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    out_trade_no: &'a OrderNo,
    /// Its total is `total_amount`, where an ordinary order's is `total`.
    amount: BodyPartAmount,
    attach: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<BodyPartSettling>,
}

#[derive(Serialize)]
struct BodyPartAmount {
    total_amount: PayAmount,
    currency: &'static str,
}

#[derive(Serialize)]
struct BodyPartSettling {
    #[serde(skip_serializing_if = "Option::is_none")]
    profit_sharing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subsidy_amount: Option<Fen>,
}
