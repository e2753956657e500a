use yuanfen_core::{FixedAmbient, Limits, Sign as _};
use yuanfen_envelope::{CallbackBody, CallbackRules, EmptyValues, RULES, open_callback, open_reply};
use yuanfen_sign::{DigestScheme, HexCase, HexSpelling, KeyedDigest, KeyedSigner, SharedKey};

/// No input panics; nothing is verified under a key that signed nothing; what is signed opens as what was signed.
///
/// The envelope takes any verifier; an HMAC stands in for RSA here because it is a thousand times faster.
pub fn envelope_open(data: &[u8]) {
    let nobody = signer("a key that signed nothing");
    for empty_values in [EmptyValues::EitherWay, EmptyValues::Drop, EmptyValues::Keep] {
        for body in [CallbackBody::Form, CallbackBody::FormOrJson] {
            let mut rules = CallbackRules::default();
            rules.empty_values = empty_values;
            rules.body = body;
            assert!(
                open_callback(data, &nobody, &rules).is_err(),
                "verified under a key that signed nothing"
            );
        }
    }
    if let Ok(reply) = open_reply(data, &Limits::DEFAULT) {
        assert!(!format!("{reply:?}").is_empty());
    }
    signed_opens(data);
}

fn signed_opens(data: &[u8]) {
    let Ok(mut fields) = yuanfen_form::read(data, &Limits::DEFAULT) else {
        return;
    };
    if fields.get("sign").is_some() {
        return;
    }
    let platform = signer("the platform's key");
    let text = RULES.keyless_text(&fields);
    let ambient = FixedAmbient::at(0);
    let signature = platform.sign(text.as_bytes(), &ambient).expect("a signature");
    fields.push("sign", &signature).expect("a new name");
    let body = yuanfen_form::write(&fields);

    let mut rules = CallbackRules::default();
    rules.limits = Limits::DEFAULT.with_bytes(usize::MAX);
    rules.limits.fields = usize::MAX;
    let opened = open_callback(body.as_bytes(), &platform, &rules).expect("what the platform signed");
    let kept = fields
        .iter()
        .filter(|(name, value)| !value.is_empty() && !RULES.left_out.contains(name));
    assert!(opened.get().iter().eq(kept));
    assert!(open_callback(body.as_bytes(), &signer("another key"), &rules).is_err());
}

fn signer(key: &str) -> KeyedSigner {
    let scheme = DigestScheme {
        digest: KeyedDigest::HmacSha256,
        spelling: HexSpelling::Lower,
        case: HexCase::Exact,
    };
    KeyedSigner::new(SharedKey::new(key).expect("a key"), scheme)
}
