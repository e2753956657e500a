//! libFuzzer's door to [`yuanfen_fuzz::fen_text`]; without it, a program that replays files.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| yuanfen_fuzz::fen_text(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    yuanfen_fuzz::replay_arguments(yuanfen_fuzz::fen_text)
}
