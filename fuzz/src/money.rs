use yuanfen_core::{Fen, PayAmount};

/// Exactly the decimals that are whole fen are read; what is written is read back as it was, in its one spelling.
pub fn fen_text(data: &[u8]) {
    if let Some(number) = data.first_chunk() {
        let fen = Fen::new(i64::from_le_bytes(*number));
        let text = fen.yuan().to_string();
        assert_eq!(Fen::from_yuan_text(&text), Ok(fen), "{text}");
        assert_eq!(Fen::from_fen_text(&fen.get().to_string()), Ok(fen));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let yuan = Fen::from_yuan_text(text);
    assert_eq!(yuan.ok().map(Fen::get), whole_fen(text), "{text}");
    if let Ok(fen) = yuan {
        let written = fen.yuan().to_string();
        assert_eq!(Fen::from_yuan_text(&written), Ok(fen), "{text}");
        let (_, fraction) = written.split_once('.').expect("a point");
        assert_eq!(fraction.len(), 2, "{written}");
    }
    let plain = !text.contains('.');
    assert_eq!(
        Fen::from_fen_text(text).ok().map(Fen::get),
        digits(text)
            .filter(|_| plain)
            .and_then(|(whole, _)| whole.try_into().ok()),
        "{text}"
    );
    if let Ok(amount) = PayAmount::from_yuan_text(text) {
        assert!((1..=PayAmount::MAX.get()).contains(&amount.fen().get()), "{text}");
    }
}

/// The number of fen by another road: all digits as one wide integer, then scaled.
fn whole_fen(text: &str) -> Option<i64> {
    let (number, scale) = digits(text)?;
    let fen = match scale {
        0 => number.checked_mul(100)?,
        1 => number.checked_mul(10)?,
        2 => number,
        _ => {
            let below = 10_i128.checked_pow(scale - 2)?;
            (number % below == 0).then_some(number / below)?
        }
    };
    fen.try_into().ok()
}

/// All digits as one integer, and how many of them stand behind the point. Zeros at the end of a long fraction are
/// dropped first, so that it fits.
fn digits(text: &str) -> Option<(i128, u32)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (unsigned, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let all = format!("{}{fraction}", whole.trim_start_matches('0'));
    let magnitude: i128 = if all.is_empty() { 0 } else { all.parse().ok()? };
    let number = if text.starts_with('-') { -magnitude } else { magnitude };
    Some((number, fraction.len().try_into().ok()?))
}
