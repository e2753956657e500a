//! Plans that are read: each rule must be of the right form and able to strike.

use std::fmt;

use serde::de::DeserializeOwned;

use super::{FaultPlan, FaultRule, Moment};
use crate::Platform;

/// What is wrong with a plan, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{problem}", Place(path))]
#[non_exhaustive]
pub struct FaultPlanError {
    /// The member, with the rule's index counted from 0: `[2].operation`. Empty where the text is no JSON list.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A path with what stands behind it, or nothing.
pub(crate) struct Place<'a>(pub(crate) &'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            path => write!(f, "`{path}`: "),
        }
    }
}

/// Reads JSON; an error comes with the path to the member.
pub(crate) fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, (String, String)> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        (path, error.into_inner().to_string())
    })?;
    deserializer.end().map_err(|error| (String::new(), error.to_string()))?;
    Ok(read)
}

impl FaultPlan {
    /// Reads a plan: a JSON list of rules.
    ///
    /// # Errors
    /// Names the rule and its member where the JSON is not of this form, a name is not known, or a rule could never
    /// strike.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, FaultPlanError> {
        let rules: Vec<FaultRule> =
            read_json(json.as_ref()).map_err(|(path, problem)| FaultPlanError { path, problem })?;
        Self::try_from(rules)
    }
}

impl TryFrom<Vec<FaultRule>> for FaultPlan {
    type Error = FaultPlanError;

    /// Takes rules that can strike.
    fn try_from(rules: Vec<FaultRule>) -> Result<Self, FaultPlanError> {
        for (index, rule) in rules.iter().enumerate() {
            rule.check().map_err(|(member, problem)| FaultPlanError {
                path: format!("[{index}].{member}"),
                problem,
            })?;
        }
        Ok(Self { rules })
    }
}

impl FaultRule {
    /// Whether it can strike at all.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if let (Some(platform), Some(account)) = (self.platform, self.account)
            && platform != account.platform
        {
            return Err(("account", format!("`{account}` is not on {platform}")));
        }
        if self.order_no.as_deref() == Some("") {
            return Err(("order_no", "no order has an empty number".to_owned()));
        }
        if self.order_no.is_some() && self.order_no_prefix.is_some() {
            let problem = "a rule has either `order_no` or `order_no_prefix`".to_owned();
            return Err(("order_no_prefix", problem));
        }
        if self.times == Some(0) {
            return Err(("times", "a rule that hits no call has no effect".to_owned()));
        }
        if self.permille.is_some_and(|permille| !(1..=1000).contains(&permille)) {
            return Err(("permille", "odds are from 1 to 1000 in a thousand".to_owned()));
        }
        let only = self.platform.or(self.account.map(|account| account.platform));
        let platforms: Vec<Platform> = match only {
            Some(platform) => vec![platform],
            None => Platform::ALL.to_vec(),
        };
        let able: Vec<Platform> = platforms
            .into_iter()
            .filter(|platform| self.kind.is_on(*platform))
            .collect();
        if able.is_empty() {
            let problem = match only {
                Some(platform) => format!("`{}` does not happen on {platform}", self.kind),
                None => format!("`{}` happens on no platform", self.kind),
            };
            return Err(("kind", problem));
        }
        match &self.operation {
            Some(operation) => self
                .check_operation(operation, &able)
                .map_err(|problem| ("operation", problem)),
            None => Ok(()),
        }
    }

    fn check_operation(&self, operation: &str, platforms: &[Platform]) -> Result<(), String> {
        let mut names = platforms.iter().flat_map(|platform| platform.operations());
        if !names.any(|name| *name == operation) {
            let known = platforms
                .iter()
                .map(|platform| format!("on {platform} {}", platform.operations().join(", ")));
            let known = known.collect::<Vec<_>>().join("; ");
            return Err(format!("no such operation as `{operation}`; known are {known}"));
        }
        let is_notice = operation.ends_with("-notice");
        let fits = |moment: &Moment| is_notice != (*moment == Moment::Call);
        if self.kind.moments().iter().any(fits) {
            Ok(())
        } else {
            let (strikes, named) = if is_notice {
                ("calls", "a notice")
            } else {
                ("notices", "a call")
            };
            Err(format!(
                "`{}` strikes {strikes}, and `{operation}` is {named}",
                self.kind
            ))
        }
    }
}
