//! No trait makes a `Verified` out of a plain value.

fn main() {
    let _forged: yuanfen_core::Verified<u32> = 100_u32.into();
}
