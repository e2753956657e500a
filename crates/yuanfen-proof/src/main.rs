//! yuanfen-proof.

fn main() {}
