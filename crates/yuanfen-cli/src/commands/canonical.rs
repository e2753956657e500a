//! The text that a route signs over a message given by hand. Exactly the given fields take part; none is added.

use yuanfen::core::{Fields, Limits, Object, Secret};
use yuanfen::sign::{CanonicalText, KeyedSigner, SharedKey, keyed_text, line_text};
use yuanfen::{mpgateway, starpos, wechat_v2};

use crate::args::{Digest, MessageArguments, RouteName};
use crate::input::InputError;

/// Files given by hand may be larger than messages from strangers.
const BY_HAND: Limits = Limits::DEFAULT.with_bytes(16 << 20);

/// A text that is signed with a shared key inside it.
pub(crate) struct Keyed {
    pub(crate) text: CanonicalText,
    pub(crate) signer: KeyedSigner,
    /// mpgateway's base64.
    pub(crate) req: Option<String>,
}

/// The text of a route with a shared key.
pub(crate) fn keyed(
    arguments: &MessageArguments,
    key: &Secret<String>,
    message: &[u8],
) -> Result<Keyed, Box<dyn std::error::Error>> {
    let key = SharedKey::new(key.expose().clone())?;
    match arguments.route {
        RouteName::WechatV2 => {
            let sign_type = match arguments.digest {
                None | Some(Digest::Md5) => wechat_v2::SignType::Md5,
                Some(Digest::HmacSha256) => wechat_v2::SignType::HmacSha256,
                Some(Digest::Sha1 | Digest::Sha256) => {
                    return Err(InputError::Option("wechat-v2 takes --digest md5 or hmac-sha256").into());
                }
            };
            let fields = yuanfen::xml::read(message, &BY_HAND)?.into_fields();
            let signer = KeyedSigner::new(key, sign_type.scheme());
            Ok(Keyed {
                text: wechat_v2::RULES.text(&fields, signer.key()),
                signer,
                req: None,
            })
        }
        RouteName::Starpos => {
            let fields = flat(message)?;
            let signer = KeyedSigner::new(key, starpos::SCHEME);
            Ok(Keyed {
                text: starpos::RULES.text(&fields, signer.key()),
                signer,
                req: None,
            })
        }
        RouteName::Mpgateway => {
            let req = yuanfen::form::base64_json::encode(message);
            let signer = KeyedSigner::new(key, mpgateway::SCHEME);
            Ok(Keyed {
                text: keyed_text(req.as_bytes(), signer.key()),
                signer,
                req: Some(req),
            })
        }
        RouteName::WechatV3 | RouteName::Fshows => Err(InputError::Option("this route signs with an RSA key").into()),
    }
}

/// The texts of fshows: one, or for a call-back that is checked, a second one with empty values kept.
pub(crate) fn fshows(
    message: &[u8],
    with_second_reading: bool,
) -> Result<Vec<CanonicalText>, Box<dyn std::error::Error>> {
    let fields = flat(message)?;
    let mut texts = vec![yuanfen::envelope::RULES.keyless_text(&fields)];
    if with_second_reading && fields.iter().any(|(_, value)| value.is_empty()) {
        texts.push(yuanfen::envelope::RULES_KEEPING_EMPTY.keyless_text(&fields));
    }
    Ok(texts)
}

/// The text of APIv3: five lines for a request, three for an answer or a notice.
pub(crate) fn wechat_v3(arguments: &MessageArguments, body: &[u8]) -> Result<Vec<u8>, InputError> {
    let need = |value: &'_ Option<String>, words| value.clone().ok_or(InputError::Option(words));
    let timestamp = need(&arguments.timestamp, "wechat-v3 needs --timestamp")?;
    let nonce = need(&arguments.nonce, "wechat-v3 needs --nonce")?;
    Ok(match (&arguments.method, &arguments.target) {
        (Some(method), Some(target)) => line_text(&[
            method.as_bytes(),
            target.as_bytes(),
            timestamp.as_bytes(),
            nonce.as_bytes(),
            body,
        ]),
        _ => line_text(&[timestamp.as_bytes(), nonce.as_bytes(), body]),
    })
}

fn flat(message: &[u8]) -> Result<Fields, Box<dyn std::error::Error>> {
    Ok(Object::parse(message, &BY_HAND)?.to_fields()?)
}

/// The digest of an fshows signature.
pub(crate) fn fshows_digest(arguments: &MessageArguments) -> Result<yuanfen::fshows::RsaDigest, InputError> {
    match arguments.digest {
        None | Some(Digest::Sha1) => Ok(yuanfen::fshows::RsaDigest::Sha1),
        Some(Digest::Sha256) => Ok(yuanfen::fshows::RsaDigest::Sha256),
        Some(Digest::Md5 | Digest::HmacSha256) => Err(InputError::Option("fshows takes --digest sha1 or sha256")),
    }
}
