//! What an operation encodes into: method, path with query, and what is sent. No credentials, no signature.

use std::fmt;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use yuanfen_core::{Address, Ambient, BaseUrl, BuildError};

use crate::media::Form;
use crate::sensitive::{EncryptedBody, MessageCipher};
use crate::{Account, MediaFile};

/// A request before it is signed. `Debug` shows neither its query nor its body.
#[derive(Clone)]
pub struct Message {
    pub(crate) method: Method,
    target: Target,
    content: Content,
    encrypted_under: Option<String>,
}

/// What is sent, and what of it is signed.
#[derive(Clone)]
enum Content {
    /// One text, which is sent and signed; empty for a GET.
    Json(Bytes),
    /// A form with a file, of which the first part alone is signed. v3 sheet, section 4.1.
    Form {
        signed: Bytes,
        sent: Bytes,
        content_type: HeaderValue,
    },
}

#[derive(Clone)]
enum Target {
    /// Behind the account's base address.
    Path(String),
    /// An address that the platform handed out, taken as it is.
    Whole(Address),
}

impl Message {
    /// A GET of that path and query, which go out exactly as given: encode segments with [`segment`] first.
    #[must_use]
    pub fn get(path_and_query: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            target: Target::Path(path_and_query.into()),
            content: Content::Json(Bytes::new()),
            encrypted_under: None,
        }
    }

    /// A GET of an address that the platform handed out, taken as it is: the file of a bill. It is signed only where its
    /// host is the platform's or that of the account's base address.
    #[must_use]
    pub const fn get_whole(address: Address) -> Self {
        Self {
            method: Method::GET,
            target: Target::Whole(address),
            content: Content::Json(Bytes::new()),
            encrypted_under: None,
        }
    }

    /// A POST of that value as JSON, written here and never again.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn post(path_and_query: impl Into<String>, body: &impl Serialize) -> Result<Self, BuildError> {
        Ok(Self {
            method: Method::POST,
            target: Target::Path(path_and_query.into()),
            content: Content::Json(serde_json::to_vec(body).map_err(BuildError::encode)?.into()),
            encrypted_under: None,
        })
    }

    /// A POST of what that function writes with the cipher it is handed. All that is encrypted in it is under one key of
    /// the platform: the public key, or without one the newest certificate that is valid now; and the request names that
    /// key. v3 sheet, section 9.
    ///
    /// Ciphertexts are random, so a repeat differs in bytes; the platform compares what is in them.
    ///
    /// ```
    /// # use yuanfen_core::{Ambient, BuildError};
    /// # use yuanfen_wechat_v3::{Account, Message, Sensitive};
    /// # fn example(account: &Account, ambient: &dyn Ambient, name: &Sensitive) -> Result<Message, BuildError> {
    /// #[derive(serde::Serialize)]
    /// struct Body<'m> {
    ///     real_name: yuanfen_wechat_v3::Ciphertext<'m>,
    /// }
    /// let message = Message::post_encrypted("/v3/somewhere", account, ambient, |cipher| {
    ///     cipher.body(&Body { real_name: cipher.encrypt("real_name", name)? })
    /// })?;
    /// # Ok(message)
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the account knows no key of the platform that is valid now, or the function fails.
    pub fn post_encrypted(
        path_and_query: impl Into<String>,
        account: &Account,
        ambient: &dyn Ambient,
        write: impl FnOnce(&MessageCipher<'_>) -> Result<EncryptedBody, BuildError>,
    ) -> Result<Self, BuildError> {
        let cipher = MessageCipher::of(account, ambient)?;
        let EncryptedBody(body) = write(&cipher)?;
        Ok(Self {
            method: Method::POST,
            target: Target::Path(path_and_query.into()),
            content: Content::Json(body.into()),
            encrypted_under: Some(cipher.into_serial()),
        })
    }

    /// An upload of that file as `multipart/form-data`: `meta`, the JSON text that describes it, then the file. `meta` alone
    /// is signed, byte for byte as it is given.
    ///
    /// # Errors
    /// When the file is empty or its name cannot be written.
    pub fn upload(
        path_and_query: impl Into<String>,
        meta: impl Into<Bytes>,
        file: &MediaFile,
        ambient: &dyn Ambient,
    ) -> Result<Self, BuildError> {
        let form = Form::write(meta.into(), file, ambient)?;
        Ok(Self {
            method: Method::POST,
            target: Target::Path(path_and_query.into()),
            content: Content::Form {
                signed: form.meta,
                sent: form.body,
                content_type: form.content_type,
            },
            encrypted_under: None,
        })
    }

    /// The serial of the key that its values are encrypted under, where any are.
    pub(crate) fn encrypted_under(&self) -> Option<&str> {
        self.encrypted_under.as_deref()
    }

    /// The body that is sent, empty for a GET.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        match &self.content {
            Content::Json(body) | Content::Form { sent: body, .. } => body,
        }
    }

    /// What stands for the body in the text that is signed.
    pub(crate) const fn signed_body(&self) -> &Bytes {
        match &self.content {
            Content::Json(body) | Content::Form { signed: body, .. } => body,
        }
    }

    /// `Content-Type`; `None` where there is no body.
    pub(crate) fn content_type(&self) -> Option<HeaderValue> {
        match &self.content {
            Content::Json(body) if body.is_empty() => None,
            Content::Json(_) => Some(HeaderValue::from_static("application/json")),
            Content::Form { content_type, .. } => Some(content_type.clone()),
        }
    }

    /// Whether its address was handed out by the platform, host and all.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self.target, Target::Whole(_))
    }

    /// The whole address.
    ///
    /// # Errors
    /// When it cannot be written, or is of a stranger: whoever gets a signed request learns who the merchant is.
    pub(crate) fn uri(&self, base: &BaseUrl) -> Result<Uri, BuildError> {
        match &self.target {
            Target::Path(path_and_query) => base.join(path_and_query).parse().map_err(BuildError::encode),
            Target::Whole(address) => {
                let uri: Uri = address.as_str().parse().map_err(BuildError::encode)?;
                let own: Uri = base.as_str().parse().map_err(BuildError::encode)?;
                if is_platform_host(&uri) || origin(&uri) == origin(&own) {
                    Ok(uri)
                } else {
                    Err(BuildError::Conflict {
                        fields: "download_url",
                        problem: "its host is neither the platform's nor that of the account's base address, so nothing is \
                                  signed for it",
                    })
                }
            }
        }
    }
}

/// Whether that is one of the platform's hosts. v3 sheet, section 3.1; files may be on another one than the calls.
fn is_platform_host(uri: &Uri) -> bool {
    const DOMAINS: [&str; 2] = [".weixin.qq.com", ".wechatpay.cn"];
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    uri.scheme_str() == Some("https") && DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// Scheme, host and port.
fn origin(uri: &Uri) -> (Option<&str>, String, Option<u16>) {
    let default_port = match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    };
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    (uri.scheme_str(), host, uri.port_u16().or(default_port))
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match &self.target {
            Target::Path(path_and_query) => path_and_query,
            Target::Whole(address) => address.as_str(),
        };
        let shown = address.split_once('?').map_or(address, |(path, _)| path);
        f.debug_struct("Message")
            .field("method", &self.method)
            .field("path", &shown)
            .field("body", &format_args!("{} bytes", self.body().len()))
            .finish()
    }
}

/// One segment of a path, or one value of a query, percent-encoded except for letters, digits and `-._~`: `|` becomes
/// `%7C`, `*` becomes `%2A`. HTTP clients differ in what they encode on their own, so nothing is left to them.
///
/// ```
/// assert_eq!(yuanfen_wechat_v3::segment("AB|12_-*"), "AB%7C12_-%2A");
/// ```
#[must_use]
pub fn segment(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}
