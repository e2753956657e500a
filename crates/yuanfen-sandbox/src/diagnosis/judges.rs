//! Whether a signature was made over a text, checked more loosely than any platform does.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use yuanfen_core::Verify;
use yuanfen_sign::{DigestScheme, HexCase, HexSpelling, KeyedDigest, KeyedSigner};

use super::{Judge, Mistake};

/// A digest with a key that both ends share.
pub(crate) struct Keyed {
    signer: KeyedSigner,
    signature: String,
}

impl Keyed {
    /// A signature that should be this signer's.
    pub(crate) fn new(signer: KeyedSigner, signature: &str) -> Self {
        let signature = signature.to_owned();
        Self { signer, signature }
    }
}

impl Judge for Keyed {
    fn judge(&self, text: &[u8]) -> Option<Vec<Mistake>> {
        let (signature, scheme) = (self.signature.trim(), self.signer.scheme());
        [KeyedDigest::Md5, KeyedDigest::HmacSha256]
            .into_iter()
            .find_map(|digest| {
                let loose = DigestScheme {
                    digest,
                    spelling: HexSpelling::Lower,
                    case: HexCase::Ignored,
                };
                KeyedSigner::new(self.signer.key().clone(), loose)
                    .verify(text, signature)
                    .ok()?;
                let mut mistakes = Vec::new();
                if digest != scheme.digest {
                    mistakes.push(Mistake::OtherDigest);
                }
                let other_case = match scheme.spelling {
                    HexSpelling::Upper => signature.bytes().any(|byte| byte.is_ascii_lowercase()),
                    _ => signature.bytes().any(|byte| byte.is_ascii_uppercase()),
                };
                if self.signature != signature || (scheme.case == HexCase::Exact && other_case) {
                    mistakes.push(Mistake::SignatureSpelling);
                }
                Some(mistakes)
            })
    }
}

/// An RSA signature in base64, under one of several keys.
pub(crate) struct Rsa {
    /// Keys with what is odd about each.
    keys: Vec<(Option<Mistake>, Box<dyn Verify>)>,
    /// The signature in the spellings that it may be in, the one that came first.
    spellings: Vec<String>,
}

impl Rsa {
    /// Under the key that it should be under.
    pub(crate) fn new(key: impl Verify + 'static, signature: &str) -> Self {
        Self {
            keys: vec![(None, Box::new(key))],
            spellings: spellings(signature),
        }
    }

    /// Or under this one, which is wrong in that way.
    pub(crate) fn or(mut self, mistake: Mistake, key: impl Verify + 'static) -> Self {
        self.keys.push((Some(mistake), Box::new(key)));
        self
    }
}

impl Judge for Rsa {
    fn judge(&self, text: &[u8]) -> Option<Vec<Mistake>> {
        self.keys.iter().find_map(|(mistake, key)| {
            let spelled = self
                .spellings
                .iter()
                .position(|signature| key.verify(text, signature).is_ok())?;
            let respelled = (spelled > 0).then_some(Mistake::SignatureSpelling);
            Some(mistake.iter().copied().chain(respelled).collect())
        })
    }
}

fn spellings(signature: &str) -> Vec<String> {
    let from_hex = || {
        let digits = signature.as_bytes();
        let pairs = digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        pairs.collect::<Option<Vec<u8>>>()
    };
    let mut found = vec![signature.to_owned()];
    // A plus sign that nobody escaped is a space once a form was read.
    let repaired = signature.trim().replace(' ', "+").replace(['\r', '\n'], "");
    let decoded = from_hex()
        .or_else(|| URL_SAFE.decode(&repaired).ok())
        .or_else(|| URL_SAFE_NO_PAD.decode(&repaired).ok());
    for spelling in [Some(repaired), decoded.map(|bytes| STANDARD.encode(bytes))] {
        found.extend(spelling.filter(|spelling| spelling != signature));
    }
    found
}
