//! What a code means on every call where no other row says otherwise, and on the call for certificates.

use yuanfen_core::{Fate, RefusalKind};

use super::{Operations, Row, STATUSES, THROTTLED, mend, row};

const EVERY: Operations = &[];
const CERTIFICATES: Operations = &["download_certificates"];

const fn unclear(code: &'static str, sentence: &'static str) -> Row {
    row(EVERY, code, Fate::Unknown, RefusalKind::Unclear, sentence, STATUSES)
}

const fn throttled(code: &'static str) -> Row {
    Row {
        operations: EVERY,
        code,
        meaning: THROTTLED,
    }
}

pub(super) const ROWS: &[Row] = &[
    mend(
        CERTIFICATES,
        "RESOURCE_NOT_EXISTS",
        "this merchant has no platform certificates: use public-key mode, with the key and the PUB_KEY_ID_ of the merchant \
         console",
        "v3 sheet, section 6.1",
    ),
    mend(
        EVERY,
        "PARAM_ERROR",
        "a parameter is wrong: the answer's detail names it",
        STATUSES,
    ),
    mend(
        EVERY,
        "INVALID_REQUEST",
        "the request is not allowed as it is: read the platform's message, and query what it is about",
        STATUSES,
    ),
    mend(
        EVERY,
        "SIGN_ERROR",
        "the platform did not accept the signature: check clock, merchant number, certificate serial and private key, then \
         compare the text with `yuanfen sign`",
        "v3 sheet, section 4.3",
    ),
    mend(
        EVERY,
        "NO_AUTH",
        "this merchant may not use this call: apply for it in the merchant console",
        STATUSES,
    ),
    mend(
        EVERY,
        "APPID_MCHID_NOT_MATCH",
        "app id and merchant number are not bound to each other",
        STATUSES,
    ),
    mend(
        EVERY,
        "MCH_NOT_EXISTS",
        "the platform does not know this merchant number",
        STATUSES,
    ),
    throttled("FREQUENCY_LIMITED"),
    throttled("FREQUENCY_LIMIT_EXCEED"),
    throttled("RATELIMIT_EXCEEDED"),
    unclear(
        "SYSTEM_ERROR",
        "the platform failed and does not say what was done: query, or repeat with the same parameters",
    ),
    unclear(
        "BANK_ERROR",
        "the bank failed and does not say what was done: query, or repeat with the same parameters",
    ),
    unclear(
        "SERVICE_UNAVAILABLE",
        "the platform is not available and does not say what was done: query, or repeat with the same parameters",
    ),
];
