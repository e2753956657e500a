//! Which operation a call is, by its method and path (section 12 of the sheet).

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::bill_files::Scope;
use super::media::Media;
use super::placing::Product;
use crate::platforms::Call;

/// Which operation a call is, with what its path names. Where there are two paths, whether it is the service provider's.
pub(super) enum Operation {
    Place(Product, bool),
    PayByCode(bool),
    QueryById(String, bool),
    QueryOrder(String, bool),
    CloseOrder(String, bool),
    ReverseOrder(String, bool),
    Refund,
    QueryRefund(String),
    AbnormalRefund(String),
    PlaceCombined(Product),
    QueryCombined(String),
    CloseCombined(String),
    Upload(Media),
    TradeBill,
    FundFlowBill,
    SealedFundFlowBill(Scope),
    DownloadBill,
    Certificates,
}

impl Operation {
    pub(super) fn of(call: &Call<'_>) -> Result<Self, StatusCode> {
        let segments: Vec<String> = call
            .path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8().map(|text| text.into_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (method, operation) = match segments.as_slice() {
            ["v3", "pay", "partner", "transactions", rest @ ..] => of_order(rest, true),
            ["v3", "pay", "transactions", rest @ ..] => of_order(rest, false),
            ["v3", "refund", "domestic", "refunds", rest @ ..] => of_refund(rest),
            ["v3", "combine-transactions", rest @ ..] => of_combined(rest),
            ["v3", "bill", "tradebill"] => Some((Method::GET, Self::TradeBill)),
            ["v3", "bill", "fundflowbill"] => Some((Method::GET, Self::FundFlowBill)),
            ["v3", "bill", "sub-merchant-fundflowbill"] => Some((Method::GET, Self::SealedFundFlowBill(Scope::One))),
            ["v3", "ecommerce", "bill", "fundflowbill"] => Some((Method::GET, Self::SealedFundFlowBill(Scope::Every))),
            ["v3", "billdownload", "file"] => Some((Method::GET, Self::DownloadBill)),
            ["v3", "certificates"] => Some((Method::GET, Self::Certificates)),
            ["v3", "merchant", "media", "upload"] => upload(Media::Image),
            ["v3", "merchant", "media", "video_upload"] => upload(Media::Video),
            ["v3", "marketing", "favor", "media", "image-upload"] => upload(Media::MarketingImage),
            ["v3", "merchant-service", "images", "upload"] => upload(Media::ComplaintImage),
            _ => None,
        }
        .ok_or(StatusCode::NOT_FOUND)?;
        if call.method == method {
            Ok(operation)
        } else {
            Err(StatusCode::METHOD_NOT_ALLOWED)
        }
    }

    /// Whether the path is a service provider's, where there are two.
    pub(super) const fn partner(&self) -> Option<bool> {
        match self {
            Self::Place(_, partner)
            | Self::PayByCode(partner)
            | Self::QueryById(_, partner)
            | Self::QueryOrder(_, partner)
            | Self::CloseOrder(_, partner)
            | Self::ReverseOrder(_, partner) => Some(*partner),
            _ => None,
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Place(Product::Jsapi, _) => "place-jsapi-order",
            Self::Place(Product::Native, _) => "place-native-order",
            Self::Place(Product::App, _) => "place-app-order",
            Self::Place(Product::H5, _) => "place-h5-order",
            Self::PayByCode(_) => "pay-by-code",
            Self::QueryById(..) => "query-order-by-id",
            Self::QueryOrder(..) => "query-order",
            Self::CloseOrder(..) => "close-order",
            Self::ReverseOrder(..) => "reverse-order",
            Self::Refund => "refund",
            Self::QueryRefund(_) => "query-refund",
            Self::AbnormalRefund(_) => "apply-abnormal-refund",
            Self::PlaceCombined(Product::Jsapi) => "place-combined-jsapi-order",
            Self::PlaceCombined(Product::Native) => "place-combined-native-order",
            Self::PlaceCombined(Product::App) => "place-combined-app-order",
            Self::PlaceCombined(Product::H5) => "place-combined-h5-order",
            Self::QueryCombined(_) => "query-combined-order",
            Self::CloseCombined(_) => "close-combined-order",
            Self::Upload(Media::Image) => "upload-image",
            Self::Upload(Media::Video) => "upload-video",
            Self::Upload(Media::MarketingImage) => "upload-marketing-image",
            Self::Upload(Media::ComplaintImage) => "upload-complaint-image",
            Self::TradeBill => "trade-bill",
            Self::FundFlowBill => "fund-flow-bill",
            Self::SealedFundFlowBill(Scope::One) => "sub-merchant-fund-flow-bill",
            Self::SealedFundFlowBill(Scope::Every) => "ecommerce-fund-flow-bill",
            Self::DownloadBill => "download-bill",
            Self::Certificates => "certificates",
        }
    }
}

type Found = Option<(Method, Operation)>;

fn product(name: &str) -> Option<Product> {
    match name {
        "jsapi" => Some(Product::Jsapi),
        "native" => Some(Product::Native),
        "app" => Some(Product::App),
        "h5" => Some(Product::H5),
        _ => None,
    }
}

fn of_order(rest: &[&str], partner: bool) -> Found {
    Some(match rest {
        ["codepay"] => (Method::POST, Operation::PayByCode(partner)),
        ["id", id] => (Method::GET, Operation::QueryById((*id).to_owned(), partner)),
        ["out-trade-no", number] => (Method::GET, Operation::QueryOrder((*number).to_owned(), partner)),
        ["out-trade-no", number, "close"] => (Method::POST, Operation::CloseOrder((*number).to_owned(), partner)),
        ["out-trade-no", number, "reverse"] => (Method::POST, Operation::ReverseOrder((*number).to_owned(), partner)),
        [name] => (Method::POST, Operation::Place(product(name)?, partner)),
        _ => return None,
    })
}

fn of_refund(rest: &[&str]) -> Found {
    Some(match rest {
        [] => (Method::POST, Operation::Refund),
        [number] => (Method::GET, Operation::QueryRefund((*number).to_owned())),
        [id, "apply-abnormal-refund"] => (Method::POST, Operation::AbnormalRefund((*id).to_owned())),
        _ => return None,
    })
}

fn of_combined(rest: &[&str]) -> Found {
    Some(match rest {
        ["out-trade-no", number] => (Method::GET, Operation::QueryCombined((*number).to_owned())),
        ["out-trade-no", number, "close"] => (Method::POST, Operation::CloseCombined((*number).to_owned())),
        [name] => (Method::POST, Operation::PlaceCombined(product(name)?)),
        _ => return None,
    })
}

const fn upload(media: Media) -> Found {
    Some((Method::POST, Operation::Upload(media)))
}
