//! `yuanfen verify`: whether a signature holds over a message, and over which text it was checked.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen::core::{SignatureError, Verify, masked_text};
use yuanfen::sign::RsaVerifyingKey;
use yuanfen::sign::legacy::LegacyRsaVerifyingKey;

use super::{Outcome, canonical};
use crate::args::{RouteName, VerifyArguments};
use crate::{input, print};

#[derive(Serialize)]
struct Checked {
    holds: bool,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    req: Option<String>,
}

pub(crate) fn run(arguments: &VerifyArguments) -> Outcome {
    let message = &arguments.message;
    input::check_standard_input(&message.key_file, &message.input)?;
    let key = input::read_key(&message.key_file)?;
    let body = input::read_message(&message.input)?;
    let signature = arguments.signature.trim();
    let checked = match message.route {
        RouteName::WechatV2 | RouteName::Starpos | RouteName::Mpgateway => {
            let keyed = canonical::keyed(message, &key, &body)?;
            let holds = holds(&keyed.signer, keyed.text.as_bytes(), signature)?;
            Checked {
                holds,
                text: keyed.text.redacted(),
                req: keyed.req,
            }
        }
        RouteName::WechatV3 => {
            let key = RsaVerifyingKey::parse(key.expose())?;
            let text = canonical::wechat_v3(message, &body)?;
            Checked {
                holds: holds(&key, &text, signature)?,
                text: masked_text(&text, 0),
                req: None,
            }
        }
        RouteName::Fshows => {
            let key = LegacyRsaVerifyingKey::parse(key.expose(), canonical::fshows_digest(message)?)?;
            let texts = canonical::fshows(&body, message.callback)?;
            let mut checked = None;
            for text in &texts {
                let holds = holds(&key, text.as_bytes(), signature)?;
                // The text that held is shown; where none did, the usual reading.
                if holds || checked.is_none() {
                    checked = Some(Checked {
                        holds,
                        text: text.redacted(),
                        req: None,
                    });
                }
            }
            checked.ok_or("no text")?
        }
    };
    if message.json {
        print::json(&checked)?;
    } else {
        print::line(if checked.holds {
            "the signature holds"
        } else {
            "the signature does NOT hold"
        });
        print::line("");
        print::line("over this text (key masked):");
        print::line(&checked.text);
        if !checked.holds {
            print::line("");
            print::line(
                "compare it byte by byte with the text the other side signed: another key, a field too many or too",
            );
            print::line("few, a changed blank or line end, or another digest are the usual causes");
        }
    }
    Ok(if checked.holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn holds(verifier: &dyn Verify, text: &[u8], signature: &str) -> Result<bool, SignatureError> {
    match verifier.verify(text, signature) {
        Ok(()) => Ok(true),
        Err(SignatureError::Mismatch) => Ok(false),
        Err(other) => Err(other),
    }
}
