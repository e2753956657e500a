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

shipped!["reply-lost-after-placing"];

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
