#![doc = include_str!("../README.md")]

#[cfg(feature = "inbox")]
pub mod converge;
pub mod manual;

pub use yuanfen_core as core;
#[cfg(feature = "fshows")]
pub use yuanfen_envelope as envelope;
#[cfg(any(feature = "fshows", feature = "mpgateway"))]
pub use yuanfen_form as form;
#[cfg(feature = "fshows")]
pub use yuanfen_fshows as fshows;
#[cfg(feature = "inbox")]
pub use yuanfen_inbox as inbox;
#[cfg(feature = "mpgateway")]
pub use yuanfen_mpgateway as mpgateway;
#[cfg(any(feature = "wechat-web", feature = "fshows", feature = "mpgateway"))]
pub use yuanfen_sign as sign;
#[cfg(feature = "starpos")]
pub use yuanfen_starpos as starpos;
pub use yuanfen_transport as transport;
#[cfg(feature = "wechat-v2")]
pub use yuanfen_wechat_v2 as wechat_v2;
#[cfg(feature = "wechat-v3")]
pub use yuanfen_wechat_v3 as wechat_v3;
#[cfg(feature = "wechat-web")]
pub use yuanfen_wechat_web as wechat_web;
#[cfg(feature = "wechat-v2")]
pub use yuanfen_xml as xml;

/// Every call of every provider that is switched on, read off the operations themselves.
#[must_use]
pub fn routes() -> Vec<yuanfen_core::RouteInfo> {
    let by_provider: Vec<Vec<yuanfen_core::RouteInfo>> = vec![
        #[cfg(feature = "wechat-v2")]
        yuanfen_wechat_v2::ops::routes(),
        #[cfg(feature = "wechat-v3")]
        yuanfen_wechat_v3::ops::routes(),
        #[cfg(feature = "starpos")]
        yuanfen_starpos::ops::routes(),
        #[cfg(feature = "fshows")]
        yuanfen_fshows::ops::routes(),
        #[cfg(feature = "mpgateway")]
        yuanfen_mpgateway::ops::routes(),
    ];
    by_provider.concat()
}
