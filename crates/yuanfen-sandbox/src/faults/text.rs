//! Rules as one line of text, for command lines: the fault, and members that narrow it.

use std::fmt;
use std::str::FromStr;

use super::{FaultKindError, FaultPlan, FaultPlanError, FaultRule};

/// What is wrong with a rule or plan that was given as text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaultTextError {
    /// It does not begin with a fault.
    #[error(transparent)]
    Kind(#[from] FaultKindError),
    /// A member is not known, has no value, or a value that it does not take.
    #[error("`{given}`: {problem}")]
    Member {
        /// What was given.
        given: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A rule could never strike, or the JSON is not a plan's.
    #[error(transparent)]
    Plan(#[from] FaultPlanError),
}

impl fmt::Display for FaultRule {
    /// `lose-reply platform=wechat-v3 operation=refund skip=1 times=1`: the fault, and the members that are set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(platform) = self.platform {
            write!(f, " platform={platform}")?;
        }
        if let Some(account) = self.account {
            write!(f, " account={account}")?;
        }
        for (name, text) in [
            ("operation", &self.operation),
            ("order_no", &self.order_no),
            ("order_no_prefix", &self.order_no_prefix),
        ] {
            if let Some(text) = text {
                write!(f, " {name}={text}")?;
            }
        }
        if self.skip > 0 {
            write!(f, " skip={}", self.skip)?;
        }
        if let Some(times) = self.times {
            write!(f, " times={times}")?;
        }
        if let Some(permille) = self.permille {
            write!(f, " permille={permille}")?;
        }
        Ok(())
    }
}

impl FromStr for FaultRule {
    type Err = FaultTextError;

    /// Reads what `Display` writes. Whether the rule can strike is looked at when it becomes part of a plan.
    fn from_str(text: &str) -> Result<Self, FaultTextError> {
        let mut words = text.split_whitespace();
        let mut rule = Self::new(words.next().unwrap_or_default().parse()?);
        for given in words {
            let wrong = |problem: String| FaultTextError::Member {
                given: given.to_owned(),
                problem,
            };
            let (name, value) = given
                .split_once('=')
                .ok_or_else(|| wrong("a member is written name=value".to_owned()))?;
            match name {
                "platform" => rule.platform = Some(value.parse().map_err(|error| wrong(format!("{error}")))?),
                "account" => rule.account = Some(value.parse().map_err(|error| wrong(format!("{error}")))?),
                "operation" => rule.operation = Some(value.to_owned()),
                "order_no" => rule.order_no = Some(value.to_owned()),
                "order_no_prefix" => rule.order_no_prefix = Some(value.to_owned()),
                "skip" => rule.skip = value.parse().map_err(|error| wrong(format!("{error}")))?,
                "times" => rule.times = Some(value.parse().map_err(|error| wrong(format!("{error}")))?),
                "permille" => rule.permille = Some(value.parse().map_err(|error| wrong(format!("{error}")))?),
                _ => {
                    return Err(wrong(
                        "members are platform, account, operation, order_no, order_no_prefix, skip, times, permille"
                            .to_owned(),
                    ));
                }
            }
        }
        Ok(rule)
    }
}

impl fmt::Display for FaultPlan {
    /// The rules with `; ` between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.rules.iter().enumerate() {
            let before = if index == 0 { "" } else { "; " };
            write!(f, "{before}{rule}")?;
        }
        Ok(())
    }
}

impl FromStr for FaultPlan {
    type Err = FaultTextError;

    /// Reads what `Display` writes, or JSON where the text begins with `[`.
    fn from_str(text: &str) -> Result<Self, FaultTextError> {
        if text.trim_start().starts_with('[') {
            return Ok(Self::from_json(text)?);
        }
        let rules = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
        let rules: Vec<FaultRule> = rules.map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self::try_from(rules)?)
    }
}
