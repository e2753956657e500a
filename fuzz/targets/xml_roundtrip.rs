//! libFuzzer's door to [`yuanfen_fuzz::xml_roundtrip`]; without it, a program that replays files.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| yuanfen_fuzz::xml_roundtrip(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    yuanfen_fuzz::replay_arguments(yuanfen_fuzz::xml_roundtrip)
}
