//! What the platforms' operations are called, in the sandbox's words.

use super::Platform;

impl Platform {
    /// What this platform's operations and notices are called: in the log of calls, and where a fault rule names one.
    #[must_use]
    pub const fn operations(self) -> &'static [&'static str] {
        match self {
            Self::WechatV2 => WECHAT_V2,
            Self::WechatV3 => WECHAT_V3,
            Self::Starpos => STARPOS,
            Self::Fshows => FSHOWS,
            Self::Mpgateway => MPGATEWAY,
        }
    }
}

const WECHAT_V2: &[&str] = &[
    "place-order",
    "query-order",
    "close-order",
    "micropay",
    "reverse-order",
    "refund",
    "refund-v2",
    "query-refund",
    "query-refund-v2",
    "exchange-auth-code",
    "shorten-link",
    "download-trade-bill",
    "download-fund-flow-bill",
    "query-comments",
    "report",
    "pay-notice",
    "refund-notice",
];

const WECHAT_V3: &[&str] = &[
    "place-jsapi-order",
    "place-native-order",
    "place-app-order",
    "place-h5-order",
    "pay-by-code",
    "query-order",
    "query-order-by-id",
    "close-order",
    "reverse-order",
    "place-combined-jsapi-order",
    "place-combined-native-order",
    "place-combined-app-order",
    "place-combined-h5-order",
    "query-combined-order",
    "close-combined-order",
    "refund",
    "query-refund",
    "apply-abnormal-refund",
    "trade-bill",
    "fund-flow-bill",
    "sub-merchant-fund-flow-bill",
    "ecommerce-fund-flow-bill",
    "download-bill",
    "upload-image",
    "upload-video",
    "upload-marketing-image",
    "upload-complaint-image",
    "certificates",
    "authorize-page",
    "exchange-code",
    "log-in",
    "app-token",
    "page-ticket",
    "pay-notice",
    "refund-notice",
];

const STARPOS: &[&str] = &[
    "look-up-account",
    "place-order",
    "query-order",
    "refund",
    "cancel-order",
    "authorize-page",
    "exchange-code",
    "log-in",
    "app-token",
    "page-ticket",
    "pay-notice",
];

const FSHOWS: &[&str] = &[
    "place-order",
    "query-order",
    "close-order",
    "refund",
    "query-refund",
    "cashier-page",
    "pay-notice",
];

const MPGATEWAY: &[&str] = &[
    "place-order",
    "query-order",
    "cancel-order",
    "openid-page",
    "cashier-page",
    "pay-notice",
];
