//! libFuzzer's door to [`yuanfen_fuzz::notify_open_v3`]; without it, a program that replays files.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| yuanfen_fuzz::notify_open_v3(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    yuanfen_fuzz::replay_arguments(yuanfen_fuzz::notify_open_v3)
}
