//! How a fuzzer's bytes become fields.

use yuanfen_core::Fields;

/// Texts between bytes 0xFF, which are in no UTF-8; `None` where one is none.
pub(crate) fn texts(data: &[u8]) -> Option<Vec<&str>> {
    data.split(|byte| *byte == 0xFF)
        .map(|piece| std::str::from_utf8(piece).ok())
        .collect()
}

/// Names and values in turn; a name that is empty or comes again is left out.
pub(crate) fn fields(texts: &[&str]) -> Fields {
    let mut fields = Fields::new();
    for pair in texts.chunks_exact(2) {
        if !pair[0].is_empty() && fields.get(pair[0]).is_none() {
            fields.push(pair[0], pair[1]).expect("a new name");
        }
    }
    fields
}
