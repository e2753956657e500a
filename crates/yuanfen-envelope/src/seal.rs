//! Content and parameters to a signed form body.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use yuanfen_core::{Address, Alphabet, BuildError, Draft, Fields, Limits, Object, Rule, ValueError};
use yuanfen_sign::CanonicalText;

use crate::RULES;

const SOURCE: &str = "fshows sheet, section 4";
const APP_ID: Rule = Rule::new("app_id", 28).alphabet(UNRESERVED).source(SOURCE);
const METHOD: Rule = Rule::new("method", 60).alphabet(UNRESERVED).source(SOURCE);
const VERSION: Rule = Rule::new("version", 5).alphabet(UNRESERVED).source(SOURCE);
const ADDITIONAL_NAME: Rule = Rule::new("additional parameter name", 128)
    .alphabet(Alphabet::WORD)
    .source("fshows sheet, section 9.10");
const ADDITIONAL_VALUE: Rule = Rule::new("additional parameter value", 1024).source("fshows sheet, section 9.10");

/// No `&` and no `=`: the text that is signed holds values raw, so these could pass for other fields.
const UNRESERVED: Alphabet = Alphabet::new("letters, digits and - . _", |character| {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_')
});

/// The names that the envelope itself has, and those that never take part in its signature.
const TAKEN: [&str; 6] = ["app_id", "content", "method", "version", "sign", "sign_type"];

/// One request before it is signed.
///
/// `Debug` shows the method and sizes only: a content may name people and cards.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// `app_id`: who calls (the liquidator's id, not a WeChat app id). 1 to 28 letters, digits and `-._`.
    pub app_id: String,
    /// `method`: what is called. 1 to 60 letters, digits and `-._`.
    pub method: String,
    /// `version`: `1.0` unless set otherwise. 1 to 5 letters, digits and `-._`.
    pub version: String,
    /// `content`: the text of a JSON object, sent and signed exactly as it stands here.
    pub content: String,
    /// Further parameters beside these four, signed like them: the sister product's `acquirer_id`. Names of letters,
    /// digits and `_`, values not empty.
    pub additional: Fields,
}

impl Envelope {
    /// A request of version 1.0 without further parameters.
    pub fn new(app_id: impl Into<String>, method: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            app_id: app_id.into(),
            method: method.into(),
            version: "1.0".to_owned(),
            content: content.into(),
            additional: Fields::new(),
        }
    }

    /// The text that is signed, for a signature made by hand. [`draft`](Self::draft) is the usual way.
    ///
    /// # Errors
    /// As [`draft`](Self::draft).
    pub fn canonical_text(&self) -> Result<CanonicalText, BuildError> {
        Ok(RULES.keyless_text(&self.checked_fields()?))
    }

    /// The form body with its signature: fields in byte order of their names, one spelling.
    ///
    /// # Errors
    /// As [`draft`](Self::draft), and when the signature is empty or not base64.
    pub fn body(&self, signature: &str) -> Result<Bytes, BuildError> {
        signed_body(&self.checked_fields()?, signature)
    }

    /// Checks the request and fixes its text; what finishes the draft is the signature in base64.
    ///
    /// `gateway` is the address that everything goes to, `{base}/gateway`.
    ///
    /// # Errors
    /// Names the parameter that is empty, too long or holds a character that is not allowed; a `content` that is not
    /// the text of one JSON object; an additional parameter that is there already or takes no part in the signature.
    pub fn draft(&self, gateway: &Address) -> Result<Draft, BuildError> {
        let fields = self.checked_fields()?;
        let target: http::Uri = gateway.as_str().parse().map_err(BuildError::encode)?;
        let (text, key_length) = RULES.keyless_text(&fields).into_parts();
        Ok(Draft::new(text, key_length, move |signature| {
            let mut request = http::Request::new(signed_body(&fields, signature)?);
            *request.method_mut() = http::Method::POST;
            *request.uri_mut() = target;
            let headers = request.headers_mut();
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8"),
            );
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            headers.insert(
                USER_AGENT,
                HeaderValue::from_static(concat!("yuanfen/", env!("CARGO_PKG_VERSION"))),
            );
            Ok(request)
        }))
    }

    fn checked_fields(&self) -> Result<Fields, BuildError> {
        APP_ID.check(&self.app_id)?;
        METHOD.check(&self.method)?;
        VERSION.check(&self.version)?;
        if self.content.is_empty() {
            return Err(BuildError::Missing {
                field: "content",
                when: "always",
            });
        }
        // Read once and thrown away: a text that the platform cannot read must not leave. It is not written anew.
        let limits = Limits::DEFAULT;
        Object::parse(self.content.as_bytes(), &limits).map_err(|_| BuildError::Value {
            field: "content",
            problem: ValueError::Form {
                expected: "the text of one JSON object within the limits",
            },
        })?;
        for (name, value) in self.additional.iter() {
            ADDITIONAL_NAME.check(name)?;
            ADDITIONAL_VALUE.check(value)?;
            if TAKEN.contains(&name) {
                return Err(BuildError::Conflict {
                    fields: "additional parameters",
                    problem: "one has a name that the envelope uses itself",
                });
            }
        }
        let own = [
            ("app_id", self.app_id.as_str()),
            ("content", &self.content),
            ("method", &self.method),
            ("version", &self.version),
        ];
        sorted(own.into_iter().chain(self.additional.iter()))
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("method", &self.method)
            .field("version", &self.version)
            .field("content", &format_args!("{} bytes", self.content.len()))
            .field("additional", &self.additional)
            .finish_non_exhaustive()
    }
}

fn signed_body(fields: &Fields, signature: &str) -> Result<Bytes, BuildError> {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if signature.is_empty() || !signature.bytes().all(base64) {
        return Err(BuildError::Value {
            field: "sign",
            problem: ValueError::Form { expected: "base64" },
        });
    }
    let fields = sorted(fields.iter().chain([("sign", signature)]))?;
    Ok(yuanfen_form::write(&fields).into())
}

fn sorted<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Fields, BuildError> {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    Fields::try_from(&*pairs).map_err(BuildError::encode)
}
