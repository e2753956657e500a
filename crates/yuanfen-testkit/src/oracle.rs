//! An independent re-doing of the canonical texts and checks, from the protocol sheets alone.
//!
//! Nothing here comes from `yuanfen-core` or `yuanfen-sign`: messages are plain string maps, the hashes and RSA are
//! those of the `md5` and `ring` crates, and keys are taken out of their containers by the few lines of DER below. Two
//! programs that agree on random messages have read the same specification; one program that agrees with itself has
//! not.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{aead, digest, hmac, signature};

/// A flat message: names to values. Its own order is the byte order of the names.
pub type Map = BTreeMap<String, String>;

/// AES-256-GCM with a nonce of twelve bytes, the tag behind the ciphertext: the plaintext, if the tag holds.
#[must_use]
pub fn aes_256_gcm_open(key: &str, nonce: &str, associated: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key.as_bytes()).ok()?;
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
    let mut sealed = sealed.to_vec();
    let associated = aead::Aad::from(associated.as_bytes());
    let plain = aead::LessSafeKey::new(key).open_in_place(nonce, associated, &mut sealed);
    plain.ok().map(|plain| plain.to_vec())
}

/// The hash under an RSA signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocols use these two")]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// WeChat Pay v2, sheet section 3.1: names in byte order, `sign` and empty values left out, `name=value` joined with
/// `&`, then `&key=` and the key.
#[must_use]
pub fn v2_text(fields: &Map, key: &str) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if name != "sign" && !value.is_empty() {
            text += name;
            text += "=";
            text += value;
            text += "&";
        }
    }
    text + "key=" + key
}

/// WeChat Pay v2: upper-case hex of the MD5 of the text.
#[must_use]
pub fn v2_md5(fields: &Map, key: &str) -> String {
    md5_hex(v2_text(fields, key).as_bytes()).to_uppercase()
}

/// WeChat Pay v2: upper-case hex of the HMAC-SHA256 of the text, keyed with the key that also ends the text.
#[must_use]
pub fn v2_hmac(fields: &Map, key: &str) -> String {
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
        v2_text(fields, key).as_bytes(),
    );
    hex(tag.as_ref()).to_uppercase()
}

/// WeChat Pay v2, refund notices: the AES key is the 32 characters of the lower-case hex MD5 of the key.
#[must_use]
pub fn v2_refund_key(key: &str) -> String {
    md5_hex(key.as_bytes())
}

/// StarPos, sheet section 4.1: the values alone, in the order of the lower-cased names, `signValue` left out, the key
/// at the end, then every U+0020 deleted.
#[must_use]
pub fn starpos_text(fields: &Map, key: &str) -> String {
    let lowered: BTreeMap<(String, &str), &str> = fields
        .iter()
        .map(|(name, value)| ((name.to_lowercase(), name.as_str()), value.as_str()))
        .collect();
    starpos_join(lowered.iter().map(|((_, name), value)| (*name, *value)), key)
}

/// StarPos with the names in raw byte order, which answers of `pubSigPay` may use too (section 4.4).
#[must_use]
pub fn starpos_text_by_raw_names(fields: &Map, key: &str) -> String {
    starpos_join(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())), key)
}

fn starpos_join<'a>(ordered: impl Iterator<Item = (&'a str, &'a str)>, key: &str) -> String {
    let values: String = ordered
        .filter(|(name, _)| *name != "signValue")
        .map(|(_, value)| value)
        .collect();
    (values + key).replace(' ', "")
}

/// StarPos: lower-case hex of the MD5 of the UTF-8 text.
#[must_use]
pub fn starpos_sign(fields: &Map, key: &str) -> String {
    md5_hex(starpos_text(fields, key).as_bytes())
}

/// StarPos, encrypted push, section 9.2: upper-case hex of the MD5 of `Datas` and the key.
#[must_use]
pub fn starpos_push_sign(datas: &str, md5_key: &str) -> String {
    md5_hex([datas, md5_key].concat().as_bytes()).to_uppercase()
}

/// fshows requests, sheet section 6.1: names in byte order without `sign`, empty values kept, `name=value` joined
/// with `&`.
#[must_use]
pub fn fshows_text(fields: &Map) -> String {
    fshows_join(fields.iter().filter(|(name, _)| *name != "sign"))
}

/// fshows call-backs, section 6.3: without `sign` and `sign_type`, and with empty values dropped or kept.
#[must_use]
pub fn fshows_callback_text(fields: &Map, keep_empty: bool) -> String {
    fshows_join(
        fields
            .iter()
            .filter(|(name, value)| *name != "sign" && *name != "sign_type" && (keep_empty || !value.is_empty())),
    )
}

fn fshows_join<'a>(fields: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let parts: Vec<String> = fields.map(|(name, value)| [name, "=", value].concat()).collect();
    parts.join("&")
}

/// mpgateway, sheet section 5: the padded standard base64 of the JSON's UTF-8.
#[must_use]
pub fn mpgateway_base64(payload: &str) -> String {
    STANDARD.encode(payload)
}

/// mpgateway: lower-case hex of the MD5 of the base64 text, as it travels, and the key.
#[must_use]
pub fn mpgateway_sign(base64: &str, key: &str) -> String {
    md5_hex([base64, key].concat().as_bytes())
}

/// WeChat Pay v3 requests: method, target, timestamp, nonce and body, each with a line feed behind it.
#[must_use]
pub fn v3_request_text(method: &str, target: &str, timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    lines(&[
        method.as_bytes(),
        target.as_bytes(),
        timestamp.as_bytes(),
        nonce.as_bytes(),
        body,
    ])
}

/// WeChat Pay v3 answers and notices: timestamp, nonce and body, each with a line feed behind it.
#[must_use]
pub fn v3_message_text(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    lines(&[timestamp.as_bytes(), nonce.as_bytes(), body])
}

/// WeChat Pay v3 page parameters: app id, timestamp, nonce and `prepay_id=…`, each with a line feed behind it.
#[must_use]
pub fn v3_invoke_text(appid: &str, timestamp: &str, nonce: &str, prepay_id: &str) -> Vec<u8> {
    let package = ["prepay_id=", prepay_id].concat();
    lines(&[
        appid.as_bytes(),
        timestamp.as_bytes(),
        nonce.as_bytes(),
        package.as_bytes(),
    ])
}

fn lines(parts: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(part);
        text.push(b'\n');
    }
    text
}

/// Checks a base64 RSA PKCS#1 v1.5 signature with a key of 1024 to 8192 bits.
///
/// `pem` is a public key (`PUBLIC KEY`) or a certificate. A key or signature that cannot be read does not verify.
#[must_use]
pub fn rsa_verify(pem: &str, hash: Hash, text: &[u8], base64_signature: &str) -> bool {
    let Some(key) = rsa_public_key(pem) else { return false };
    let Ok(octets) = STANDARD.decode(base64_signature) else {
        return false;
    };
    let algorithm = match hash {
        Hash::Sha1 => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    };
    signature::UnparsedPublicKey::new(algorithm, key)
        .verify(text, &octets)
        .is_ok()
}

/// Lower-case hex of the MD5.
#[must_use]
pub fn md5_hex(octets: &[u8]) -> String {
    hex(&md5::compute(octets).0)
}

/// Lower-case hex of the SHA-1.
#[must_use]
pub fn sha1_hex(octets: &[u8]) -> String {
    hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets).as_ref())
}

/// Lower-case hex of the SHA-256.
#[must_use]
pub fn sha256_hex(octets: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, octets).as_ref())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The serial of a certificate as the platforms write it: upper-case hex of the octets, without the sign octet.
#[must_use]
pub fn certificate_serial(pem: &str) -> Option<String> {
    let certificate = unarmor(pem, "CERTIFICATE")?;
    let (_, serial) = certificate_fields(&certificate)?.into_iter().nth(1)?;
    Some(hex(serial.strip_prefix(&[0]).unwrap_or(serial)).to_uppercase())
}

/// The `RSAPublicKey` (PKCS#1) inside a public key or a certificate.
fn rsa_public_key(pem: &str) -> Option<Vec<u8>> {
    let spki = match unarmor(pem, "PUBLIC KEY") {
        Some(der) => {
            let (_, content, _) = element(&der)?;
            content.to_vec()
        }
        None => {
            let certificate = unarmor(pem, "CERTIFICATE")?;
            // version, serial, algorithm, issuer, validity, subject, public key
            certificate_fields(&certificate)?.get(6)?.1.to_vec()
        }
    };
    // SubjectPublicKeyInfo: the algorithm, then the key in a bit string with no unused bits.
    let (_, _, after_algorithm) = element(&spki)?;
    let (tag, bits, _) = element(after_algorithm)?;
    (tag == 0x03).then_some(())?;
    bits.strip_prefix(&[0]).map(<[u8]>::to_vec)
}

/// The fields of a certificate's signed part, with their tags.
fn certificate_fields(certificate: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (_, content, _) = element(certificate)?;
    let (_, mut rest, _) = element(content)?;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (tag, content, after) = element(rest)?;
        // Version 1 leaves the version out.
        if fields.is_empty() && tag != 0xa0 {
            fields.push((0xa0, &[][..]));
        }
        fields.push((tag, content));
        rest = after;
    }
    Some(fields)
}

/// One DER element: tag, content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = octets.iter().try_fold(0_usize, |length, octet| {
            length.checked_mul(256)?.checked_add(usize::from(*octet))
        })?;
        (length, rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

fn unarmor(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (middle, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let text: String = middle.split_whitespace().collect();
    STANDARD.decode(text).ok()
}
