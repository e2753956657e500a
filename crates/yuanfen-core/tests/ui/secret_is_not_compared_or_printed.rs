//! A secret has no `==` and no `Display`.

use yuanfen_core::Secret;

fn main() {
    let (one, other) = (Secret::new(String::new()), Secret::new(String::new()));
    let _ = one == other;
    let _ = one.to_string();
}
