//! Negative twins: every byte of a genuine message changed once, every field taken away, repeated and exchanged.

use yuanfen_core::{Fields, SignatureError, Verify};
use yuanfen_envelope::{CallbackRules, EnvelopeError, open_callback};
use yuanfen_sign::legacy::{LegacyRsaVerifyingKey, RsaDigest};
use yuanfen_testkit::Vectors;

use crate::{rules, vectors, verifying_key};

/// A message that opens.
struct Genuine {
    body: String,
    key: LegacyRsaVerifyingKey,
    rules: CallbackRules,
    signs_empty_values: bool,
}

impl Genuine {
    fn open(&self, body: &[u8]) -> Result<Fields, EnvelopeError> {
        open(body, &self.key, &self.rules)
    }

    /// What it opens to.
    fn fields(&self) -> Fields {
        self.open(self.body.as_bytes()).unwrap()
    }

    /// Whether the byte stands where nothing is signed: in `sign_type`, or (T5a) in the name of an empty value.
    fn unsigned(&self, position: usize) -> bool {
        let start = self.body[..position].rfind('&').map_or(0, |before| before + 1);
        let pair = self.body[start..].split('&').next().unwrap();
        pair.starts_with("sign_type=") || (pair.ends_with('=') && !self.signs_empty_values)
    }
}

fn genuine(vectors: &Vectors) -> Vec<Genuine> {
    let call_backs = vectors
        .of("callback_verify")
        .into_iter()
        .filter(|case| case.refused().is_none())
        .map(|case| Genuine {
            body: case.text("body").to_owned(),
            key: verifying_key(&case),
            rules: rules(&case),
            signs_empty_values: case.expected_text().unwrap().windows(2).any(|two| two == b"=&"),
        });
    let request = vectors.case("t1a-request-1024-sha1");
    let body = request.expected_request().unwrap().body.clone().unwrap();
    let request = Genuine {
        body: String::from_utf8(body).unwrap(),
        key: LegacyRsaVerifyingKey::parse(request.text("public_key"), RsaDigest::Sha1).unwrap(),
        rules: CallbackRules::default(),
        signs_empty_values: false,
    };
    call_backs.chain([request]).collect()
}

fn open(body: &[u8], key: &dyn Verify, rules: &CallbackRules) -> Result<Fields, EnvelopeError> {
    open_callback(body, key, rules).map(|verified| verified.into_inner())
}

#[test]
fn refuses_every_changed_byte_or_reads_the_very_same_fields() {
    let vectors = vectors();
    for message in genuine(&vectors) {
        let (body, fields) = (&message.body, message.fields());
        let mut same = 0;
        for position in 0..body.len() {
            // Its lowest bit, its case, and its highest bit.
            for change in [0x01, 0x20, 0x80] {
                let mut mutant = body.clone().into_bytes();
                mutant[position] ^= change;
                let escaped = body[..position].ends_with('%') || body[..position.saturating_sub(1)].ends_with('%');
                match message.open(&mutant) {
                    Ok(read) => {
                        same += 1;
                        assert_eq!(read, fields);
                        let hex_case = change == 0x20 && escaped && mutant[position].is_ascii_hexdigit();
                        assert!(message.unsigned(position) || hex_case, "byte {position} of {body}");
                    }
                    Err(EnvelopeError::Form(_) | EnvelopeError::Signature(SignatureError::Mismatch)) => {}
                    Err(EnvelopeError::Signature(SignatureError::Missing { part: "sign" })) => {
                        let name = body.find("&sign=").unwrap() + 1;
                        assert!((name - 1..name + 5).contains(&position), "byte {position} of {body}");
                    }
                    Err(other) => panic!("byte {position}: {other:?}"),
                }
            }
        }
        assert!(same > 0, "hex digits in lower case are the same message");
    }
}

#[test]
fn refuses_every_byte_taken_away() {
    let vectors = vectors();
    for message in genuine(&vectors) {
        let (body, fields) = (&message.body, message.fields());
        for position in 0..body.len() {
            let mut mutant = body.clone().into_bytes();
            mutant.remove(position);
            if let Ok(read) = message.open(&mutant) {
                assert_eq!(read, fields);
                assert!(message.unsigned(position), "byte {position} of {body}");
            }
        }
    }
}

#[test]
fn refuses_every_field_taken_away_repeated_or_exchanged() {
    let vectors = vectors();
    for message in genuine(&vectors) {
        let (body, fields) = (&message.body, message.fields());
        let pairs: Vec<&str> = body.split('&').collect();
        for (index, pair) in pairs.iter().enumerate() {
            let name = pair.split('=').next().unwrap();
            let mut fewer = pairs.clone();
            fewer.remove(index);
            match (name, message.open(fewer.join("&").as_bytes())) {
                ("sign", outcome) => {
                    assert_eq!(outcome, Err(SignatureError::Missing { part: "sign" }.into()));
                }
                ("sign_type", outcome) => assert_eq!(outcome, Ok(fields.clone())),
                // T5: an empty value that was not signed may come and go.
                (_, Ok(read)) => {
                    assert!(pair.ends_with('='), "{pair} of {body}");
                    assert_eq!(read, fields);
                }
                (_, Err(error)) => assert_eq!(error, SignatureError::Mismatch.into(), "{pair}"),
            }
            let repeated = format!("{body}&{pair}");
            assert!(matches!(message.open(repeated.as_bytes()), Err(EnvelopeError::Form(_))));

            for other in &pairs[index + 1..] {
                let value = |pair: &str| pair.split_once('=').unwrap().1.to_owned();
                let other_name = other.split('=').next().unwrap();
                if value(pair) == value(other) {
                    continue;
                }
                let exchanged: Vec<String> = pairs
                    .iter()
                    .map(|candidate| match candidate.split('=').next().unwrap() {
                        found if found == name => format!("{name}={}", value(other)),
                        found if found == other_name => format!("{other_name}={}", value(pair)),
                        _ => (*candidate).to_owned(),
                    })
                    .collect();
                let outcome = message.open(exchanged.join("&").as_bytes());
                assert!(outcome.is_err(), "{name} and {other_name} of {body}");
            }
        }
    }
}

#[test]
fn refuses_a_genuine_message_under_every_other_key_and_digest() {
    let vectors = vectors();
    for message in genuine(&vectors) {
        let body = &message.body;
        for (name, other) in vectors.keys().filter(|(name, _)| name.ends_with("_pub")) {
            for digest in [RsaDigest::Sha1, RsaDigest::Sha256] {
                let other = LegacyRsaVerifyingKey::parse(&other.text, digest).unwrap();
                let is_its_own = digest == RsaDigest::Sha1 && {
                    let platform = name == "platform_1024_pub";
                    platform == body.contains("sign_type") && name != "merchant_2048_pub"
                };
                let outcome = open(body.as_bytes(), &other, &message.rules);
                if is_its_own {
                    assert_eq!(outcome, Ok(message.fields()));
                } else {
                    assert_eq!(outcome, Err(SignatureError::Mismatch.into()), "{name} {digest:?}");
                }
            }
        }
    }
}
