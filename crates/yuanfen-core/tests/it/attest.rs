//! Verified cannot be made without a verifier; a draft shows nothing.

use bytes::Bytes;
use yuanfen_core::{Draft, SignatureError, Unsigned, Verified, Verify};

/// Holds one signature over one text to be good.
struct Only(&'static [u8], &'static str);

impl Verify for Only {
    fn verify(&self, text: &[u8], signature: &str) -> Result<(), SignatureError> {
        match (text == self.0, signature == self.1) {
            (true, true) => Ok(()),
            (false, _) => Err(SignatureError::Mismatch),
            (true, false) => Err(SignatureError::Malformed { part: "sign" }),
        }
    }
}

#[test]
fn only_what_the_verifier_accepts_becomes_verified() {
    let verifier = Only(b"text", "good");
    let verified = Verified::check(&verifier, b"text", "good", 7).unwrap();
    assert_eq!(verified.get(), &7);
    assert_eq!(verified.into_inner(), 7);
    assert_eq!(
        Verified::check(&verifier, b"text!", "good", 7),
        Err(SignatureError::Mismatch)
    );
    let malformed = SignatureError::Malformed { part: "sign" };
    assert_eq!(Verified::check(&verifier, b"text", "bad", 7), Err(malformed));
}

#[test]
fn the_first_of_several_texts_that_holds_decides() {
    let verifier = Only(b"b", "good");
    let check = |texts: &[&[u8]], signature| Verified::check_any(&verifier, texts, signature, "value");
    assert_eq!(check(&[b"a", b"b", b"c"], "good").unwrap().into_inner(), "value");
    assert_eq!(check(&[b"a", b"c"], "good"), Err(SignatureError::Mismatch));
    assert_eq!(check(&[], "good"), Err(SignatureError::Mismatch));
    assert_eq!(
        check(&[b"a", b"b"], "bad"),
        Err(SignatureError::Malformed { part: "sign" })
    );
}

#[test]
fn typing_keeps_the_proof_or_fails() {
    let verified = || Verified::check(&Only(b"t", "s"), b"t", "s", "12").unwrap();
    let typed: Verified<u8> = verified().try_map(str::parse).unwrap();
    assert_eq!(typed.into_inner(), 12);
    assert!(verified().try_map(|_| Err::<u8, _>("no")).is_err());
    assert_eq!(Unsigned::new(5).get(), &5);
    assert_eq!(Unsigned::new(5).into_inner(), 5);
}

#[test]
fn what_does_not_prove_its_origin_does_not_compile_as_if_it_did() {
    // Offline: trybuild checks against this workspace's lock file.
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

#[test]
fn a_draft_masks_its_key() {
    let draft =
        |text: &[u8], key_length| Draft::new(text.to_vec(), key_length, |_| Ok(http::Request::new(Bytes::new())));
    let drafted = draft(b"a=1&key=planted-key", 11);
    assert_eq!(drafted.redacted_text(), "a=1&key=<key>");
    assert_eq!(drafted.text(), b"a=1&key=planted-key");
    assert_eq!(format!("{drafted:?}"), "Draft { text: 19 bytes, signed: true, .. }");
    // A key that is said to be longer than the text hides all of it.
    assert_eq!(draft(b"planted-key", 12).redacted_text(), "<key>");
    assert_eq!(draft(b"POST\n/v3/pay\n", 0).redacted_text(), "POST\n/v3/pay\n");
    assert_eq!(draft(b"\xff\x00a\xe4\xb8\xadKEY", 3).redacted_text(), "\\xff\0a中<key>");
    // A key that begins inside a character takes none of it along.
    assert_eq!(draft("a中".as_bytes(), 2).redacted_text(), "a\\xe4<key>");
}

#[test]
fn an_unsigned_draft_wants_no_signature() {
    let draft = Draft::unsigned(http::Request::new(Bytes::from_static(b"planted-body")));
    assert!(!draft.wants_signature());
    assert_eq!((draft.text(), draft.redacted_text()), (&b""[..], String::new()));
    assert!(!format!("{draft:?}").contains("planted"));
    assert_eq!(draft.finish("ignored").unwrap().body(), "planted-body");
}
