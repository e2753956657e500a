//! The signature that lets a page call WeChat's JS-SDK.

use serde::Serialize;
use yuanfen_core::{Ambient, BuildError, Rule, Secret, UnixTime, ValueError, nonce_text};
use yuanfen_sign::Sha1Stream;

use crate::app::{APP_ID, GRAPHIC};

const SOURCE: &str = "WeChat's documentation, JS-SDK, appendix 1";
const TICKET: Rule = Rule::new("jsapi_ticket", 512).alphabet(GRAPHIC).source(SOURCE);
const NONCE: Rule = Rule::new("noncestr", 32).alphabet(GRAPHIC).source(SOURCE);
const URL: Rule = Rule::new("url", 8192).alphabet(GRAPHIC).source(SOURCE);

/// What a page hands to `wx.config`, beside its own `debug` and `jsApiList`. It serializes under the names that the
/// call wants, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PageConfig {
    /// `appId`: the official account that the ticket belongs to. A later `wx.chooseWXPay` must be signed for the same.
    pub app_id: String,
    /// `timestamp`: when it was signed, in seconds.
    pub timestamp: i64,
    /// `nonceStr`: 32 random letters and digits.
    pub nonce_str: String,
    /// `signature`: SHA-1 in lower-case hex.
    pub signature: String,
}

impl PageConfig {
    /// Signs for the page at that address.
    ///
    /// `url` is the page's own address as its script sees it (`location.href`), so a page that changes its address
    /// without loading needs another signature. The fragment takes no part and is cut off. The ticket comes from
    /// `/cgi-bin/ticket/getticket`, lives two hours, and is to be shared by all of a shop's servers.
    ///
    /// # Errors
    /// Names the field: an app id that is none, a ticket that is empty or holds blanks, an address that does not begin
    /// with `https://` or `http://` or is not written in printable ASCII, as browsers write it.
    pub fn sign(
        app_id: impl Into<String>,
        ticket: &Secret<String>,
        url: &str,
        ambient: &dyn Ambient,
    ) -> Result<Self, BuildError> {
        let app_id = app_id.into();
        APP_ID.check(&app_id)?;
        let nonce_str = nonce_text(ambient);
        let now = ambient.now();
        let signature = page_signature(ticket, &nonce_str, now, url)?;
        Ok(Self {
            app_id,
            timestamp: now.seconds(),
            nonce_str,
            signature,
        })
    }
}

/// The signature alone, over a nonce and a time of the caller's own: SHA-1 over `jsapi_ticket`, `noncestr`, `timestamp`
/// and `url` as `name=value` joined with `&`, values raw.
///
/// ```
/// use yuanfen_core::{Secret, UnixTime};
/// // The worked example of WeChat's documentation.
/// let ticket = Secret::new("sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg".to_owned());
/// let signature = yuanfen_wechat_web::page_signature(
///     &ticket,
///     "Wm3WZYTPz0wzccnW",
///     UnixTime::from_seconds(1_414_587_457),
///     "http://mp.weixin.qq.com?params=value#wechat",
/// )?;
/// assert_eq!(signature, "0f9de62fce790f9a083d5c99e95740ceb90c27ed");
/// # Ok::<(), yuanfen_core::BuildError>(())
/// ```
///
/// # Errors
/// As [`PageConfig::sign`]; a nonce has 1 to 32 printable characters.
pub fn page_signature(
    ticket: &Secret<String>,
    nonce: &str,
    timestamp: UnixTime,
    url: &str,
) -> Result<String, BuildError> {
    let url = url.split_once('#').map_or(url, |(page, _)| page);
    TICKET.check(ticket.expose())?;
    NONCE.check(nonce)?;
    URL.check(url)?;
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(str::is_empty) {
        return Err(BuildError::Value {
            field: "url",
            problem: ValueError::Form {
                expected: "the address of a page, from https:// or http:// on",
            },
        });
    }
    // Pushed in pieces, so that no further copy of the ticket is made.
    let mut digest = Sha1Stream::new();
    for piece in [
        "jsapi_ticket=",
        ticket.expose(),
        "&noncestr=",
        nonce,
        "&timestamp=",
        &timestamp.seconds().to_string(),
        "&url=",
        url,
    ] {
        digest.push(piece.as_bytes());
    }
    Ok(digest.finish_hex())
}
