//! The bill itself: one block of rows, over and over, so that neither end holds more than the block.

/// The least length of a block, in bytes.
const BLOCK: usize = 256 * 1024;

/// Rows of a trade bill in the platform's form, each with other numbers.
pub(super) fn block() -> Vec<u8> {
    let mut rows = String::with_capacity(BLOCK + 512);
    let mut number: u64 = 0;
    // Numbers without a pattern that gzip could use, and the same in every process (Knuth's MMIX generator).
    let mut noise: u64 = 1;
    while rows.len() < BLOCK {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        number += 1;
        rows.push_str(&format!(
            "`2026-11-21 {:02}:{:02}:{:02},`wxd678efh567hg6787,`1900007291,`0,`,`4200001521{noise:020},`SHOP20261121{number:08},\
             `oUpF8u{noise:016x},`JSAPI,`SUCCESS,`OTHERS,`CNY,`{}.{:02},`0.00,`0,`0,`0.00,`0.00,`,`,`noodles,`,`0.00000,`0.60%\r\n",
            number / 3600 % 24,
            number / 60 % 60,
            number % 60,
            noise % 100,
            noise / 100 % 100,
        ));
    }
    rows.into_bytes()
}

/// How many blocks make a bill of at least so many bytes.
pub(super) fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(block_length()).max(1)
}

/// How many bytes so many blocks are.
pub(super) fn length(blocks: u64) -> u64 {
    blocks.saturating_mul(block_length())
}

fn block_length() -> u64 {
    u64::try_from(block().len()).unwrap_or(u64::MAX)
}
