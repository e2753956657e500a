//! `yuanfen sign`: the canonical text with the key masked, and the signature.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen::core::{Sign as _, masked_text};
use yuanfen::sign::RsaSigningKey;
use yuanfen::sign::legacy::LegacyRsaSigningKey;
use yuanfen::transport::OsAmbient;

use super::{Outcome, canonical};
use crate::args::{RouteName, SignArguments};
use crate::{input, print};

#[derive(Serialize)]
struct Signed {
    text: String,
    signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    req: Option<String>,
}

pub(crate) fn run(arguments: &SignArguments) -> Outcome {
    let message = &arguments.message;
    input::check_standard_input(&message.key_file, &message.input)?;
    let key = input::read_key(&message.key_file)?;
    let body = input::read_message(&message.input)?;
    let signed = match message.route {
        RouteName::WechatV2 | RouteName::Starpos | RouteName::Mpgateway => {
            let keyed = canonical::keyed(message, &key, &body)?;
            let signature = keyed.signer.sign(keyed.text.as_bytes(), &OsAmbient)?;
            Signed {
                text: keyed.text.redacted(),
                signature,
                req: keyed.req,
            }
        }
        RouteName::WechatV3 => {
            let key = RsaSigningKey::parse(key.expose())?;
            let text = canonical::wechat_v3(message, &body)?;
            Signed {
                signature: key.sign(&text, &OsAmbient)?,
                text: masked_text(&text, 0),
                req: None,
            }
        }
        RouteName::Fshows => {
            let key = LegacyRsaSigningKey::parse(key.expose(), canonical::fshows_digest(message)?)?;
            let texts = canonical::fshows(&body, false)?;
            let text = texts.first().ok_or("no text")?;
            Signed {
                signature: key.sign(text.as_bytes(), &OsAmbient)?,
                text: text.redacted(),
                req: None,
            }
        }
    };
    if message.json {
        print::json(&signed)?;
    } else {
        if let Some(req) = &signed.req {
            print::line("req (base64 of the message):");
            print::line(req);
            print::line("");
        }
        print::line("text (key masked):");
        print::line(&signed.text);
        print::line("");
        print::line("signature:");
        print::line(&signed.signature);
    }
    Ok(ExitCode::SUCCESS)
}
