//! Every byte of a good call of the three aggregators, changed: refused, or the same but for the case of hex.

use http::Request;
use serde_json::Value;
use yuanfen_sandbox::FarSide;

use crate::{fshows, mpgateway, shop, starpos};

/// Sends a body and all its mutants, and counts those that are taken.
fn taken(far_side: &FarSide, target: &str, body: &str, is_taken: impl Fn(&[u8]) -> bool) -> usize {
    let send = |body: &[u8]| {
        let request = Request::post(format!("https://sandbox.example{target}"))
            .body(bytes::Bytes::copy_from_slice(body))
            .unwrap();
        is_taken(far_side.answer(&request).unwrap().body())
    };
    assert!(send(body.as_bytes()), "the call itself is not taken");
    let mut taken = 0;
    for place in 0..body.len() {
        for bit in [0x01, 0x20] {
            let mut mutant = body.as_bytes().to_vec();
            mutant[place] ^= bit;
            if send(&mutant) {
                assert!(
                    mutant.eq_ignore_ascii_case(body.as_bytes()),
                    "taken with byte {place} changed: {}",
                    String::from_utf8_lossy(&mutant)
                );
                taken += 1;
            }
        }
    }
    taken
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[test]
fn of_a_starpos_lookup_only_another_case_of_the_digest_is_taken() {
    let taken = taken(&shop::far_side(), starpos::LOOK_UP, starpos::V1, |reply| {
        json(reply)["returnCode"] == "000000"
    });
    let digest = "dc9745a8b653c52ebd121fa17003f4c4";
    assert_eq!(taken, digest.bytes().filter(u8::is_ascii_alphabetic).count());
}

#[test]
fn of_an_mpgateway_order_only_another_case_of_hex_is_taken() {
    let taken = taken(&shop::far_side(), mpgateway::SUBMIT, mpgateway::V1, |reply| {
        // A second order of that number is refused, but its signature held: only then is the refusal signed.
        json(reply)["sign"] != ""
    });
    let digest = "0ecf66aae8f63d9e7ce1742fb1df6424";
    // And the last digit of the two `%3D`.
    assert_eq!(taken, digest.bytes().filter(u8::is_ascii_alphabetic).count() + 2);
}

#[test]
fn of_an_fshows_order_only_another_case_of_escapes_is_taken() {
    let taken = taken(&shop::far_side(), fshows::GATEWAY, fshows::T1A, |reply| {
        let reply = json(reply);
        reply["success"] == true || reply["error_code"] == "-206"
    });
    let escapes = fshows::T1A.split('%').skip(1);
    let letters = escapes.map(|rest| rest.bytes().take(2).filter(u8::is_ascii_alphabetic).count());
    assert_eq!(taken, letters.sum::<usize>());
}
