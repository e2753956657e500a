//! yuanfen-cli.

fn main() {}
