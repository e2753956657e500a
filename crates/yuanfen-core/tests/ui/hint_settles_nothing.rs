//! A notice that nothing proves cannot be handed on as one that settles.

use yuanfen_core::{Notice, Unsigned};

fn main() {
    let _notice: Notice<u32> = Notice::Settles(Unsigned::new(100));
}
