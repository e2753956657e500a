//! Nonces, and the ambient that fixes them.

use std::sync::Arc;

use yuanfen_core::{Ambient, FixedAmbient, UnixTime, nonce_text};

struct Every(u8);

impl Ambient for Every {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(0)
    }

    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

#[test]
fn a_nonce_is_32_upper_case_letters_and_digits() {
    let ambient = FixedAmbient::at(0);
    let (first, second) = (nonce_text(&ambient), nonce_text(&ambient));
    assert_ne!(first, second);
    for nonce in [first, second] {
        assert_eq!(nonce.len(), 32);
        let of_alphabet = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        assert!(nonce.bytes().all(of_alphabet), "{nonce}");
    }
}

#[test]
fn each_symbol_of_a_nonce_stands_for_as_many_bytes_as_every_other() {
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for byte in 0..=u8::MAX {
        let nonce = nonce_text(&Every(byte));
        assert_eq!(nonce.len(), 32, "byte {byte} was dropped");
        *seen.entry(nonce).or_default() += 1;
    }
    assert_eq!(seen.len(), 32);
    assert!(seen.values().all(|count| *count == 8));
}

#[test]
fn a_fixed_ambient_repeats_itself_and_moves_only_when_told() {
    let (one, other) = (FixedAmbient::at(100), Arc::new(FixedAmbient::at(100)));
    assert_eq!(nonce_text(&one), nonce_text(&other));
    one.advance(-30);
    assert_eq!(one.now(), UnixTime::from_seconds(70));
    one.set(UnixTime::from_seconds(5));
    assert_eq!(Ambient::now(&&one), UnixTime::from_seconds(5));
    assert_eq!(other.now(), UnixTime::from_seconds(100));
}
