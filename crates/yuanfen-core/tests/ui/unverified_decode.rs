//! What nothing proves does not pass for what a signature proves.

use yuanfen_core::{Unsigned, Verified};

fn deliver(_paid: &Verified<u32>) {}

fn main() {
    let answer = Unsigned::new(100);
    deliver(&answer);
}
