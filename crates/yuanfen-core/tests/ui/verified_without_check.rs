//! A `Verified` comes out of a check and from nowhere else.

fn main() {
    let _forged = yuanfen_core::Verified("paid");
}
