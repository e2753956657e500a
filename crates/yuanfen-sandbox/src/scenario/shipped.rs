//! The scenarios that ship: their files and pages, built in.

use super::{Scenario, ScenarioError};

/// Name, file, page.
macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        const SHIPPED: &[(&str, &str, &str)] = &[
            $((
                $name,
                include_str!(concat!("../../scenarios/", $name, ".json")),
                include_str!(concat!("../../scenarios/", $name, ".md")),
            )),+
        ];
    };
}

shipped![
    "reply-lost-after-placing",
    "reply-lost-after-payment",
    "notice-before-reply",
    "notices-lost",
    "notices-duplicated-and-reordered",
    "notice-with-another-amount",
    "certificate-rotated",
    "public-key-mode-switched",
    "signature-probes",
    "clock-skewed",
    "day-of-5xx",
    "refund-answer-cut",
    "system-error-on-refund",
    "till-reversal-lost",
    "close-races-with-payment",
    "bill-not-ready",
    "bill-damaged",
    "refund-without-balance",
    "starpos-unknown-state",
    "fshows-number-taken",
    "mpgateway-1002-before-0000",
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _, _)| *name)
}

pub(super) fn named(name: &str) -> Result<Scenario, ScenarioError> {
    let found = SHIPPED.iter().find(|(known, _, _)| *known == name);
    let (_, file, page) = found.ok_or_else(|| ScenarioError::Unknown { name: name.to_owned() })?;
    let scenario = Scenario::from_json(file)?;
    Ok(Scenario {
        page: Some(page),
        ..scenario
    })
}
