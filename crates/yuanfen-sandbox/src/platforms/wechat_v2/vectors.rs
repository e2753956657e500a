//! The vectors of `yuanfen-wechat-v2`, from the other end: the platform's own rules make the same texts and signatures,
//! and what a shop must refuse is nothing that this platform would have sent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use yuanfen_core::{FixedAmbient, Secret, Sign as _, Verify as _};
use yuanfen_testkit::Vectors;
use yuanfen_xml::{MESSAGE_LIMITS, read};

use super::message::{Merchant, RULES, SignType};
use crate::{Account, Platform};

fn vectors() -> Vectors {
    Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-wechat-v2")).unwrap()
}

fn platform(key: &str) -> Merchant {
    Merchant::new(Account::from(Platform::WechatV2), "", "", Secret::new(key.to_owned())).unwrap()
}

fn sign_type(digest: &str) -> SignType {
    match digest {
        "md5" => SignType::Md5,
        "hmac-sha256" => SignType::HmacSha256,
        other => panic!("no digest `{other}`"),
    }
}

#[test]
fn makes_the_texts_and_signatures_of_the_vectors() {
    let vectors = vectors();
    for case in vectors.of("sign").into_iter().chain(vectors.of("bridge")) {
        let platform = platform(case.text("key"));
        let text = RULES.text(&case.fields("fields"), &platform.key);
        let signer = platform.signer(sign_type(case.text("digest")));
        let signature = signer.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap();
        case.run().text(text.as_bytes()).signature(&signature).done();
    }
}

#[test]
fn tells_its_own_notices_from_others() {
    for case in vectors().of("notification") {
        let platform = platform(case.text("key"));
        let fields = read(case.text("body").as_bytes(), &MESSAGE_LIMITS)
            .unwrap()
            .into_fields();
        let text = RULES.text(&fields, &platform.key);
        let signer = platform.signer(sign_type(case.text("digest")));
        let verdict = signer.verify(text.as_bytes(), fields.get("sign").unwrap_or_default());
        assert_eq!(verdict.is_ok(), case.refused().is_none(), "{}", case.name());
    }
}
