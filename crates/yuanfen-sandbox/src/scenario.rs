//! A bad day as a file: what goes wrong, under which agreements, from which moment on.

mod shipped;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::{Place, read_json};
use crate::{ClockError, FarSide, FaultPlan, FaultPlanError, FaultRule, Settings};

/// The form of file that is read.
const SCHEMA: u32 = 1;

/// A bad day: a fault plan with its seed, what is agreed with the platforms, and what to tell people of it.
///
/// As a file it is a JSON object (`#[serde(deny_unknown_fields)]` all through):
///
/// | Member | |
/// | --- | --- |
/// | `schema` | `1` |
/// | `name` | lower-case letters, digits and hyphens |
/// | `title`, `summary` | `{"en": "…", "zh": "…"}`: one line, and a few sentences |
/// | `seed` | a number from 0 to 2⁶⁴−1, from which numbers and odds come; 0 where absent |
/// | `starts_at` | a time of day in Beijing such as `08:30`, to which the clock is moved ahead at start; where absent it stays |
/// | `settings` | what is agreed with the platforms, as [`Settings`] has it; nothing where absent |
/// | `faults` | the rules of a [`FaultPlan`] |
///
/// Those that ship are in the crate's folder `scenarios`, each with a page that says what a correct shop does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it is about, in a line.
    pub title: Bilingual,
    /// What happens, in a few sentences.
    pub summary: Bilingual,
    /// Where numbers and odds come from.
    pub seed: u64,
    /// The time of day, since midnight in Beijing, to which the clock is moved ahead at start; where absent it stays.
    pub starts_at: Option<Duration>,
    /// What is agreed with the platforms.
    pub settings: Settings,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// What happens, what the shop sees, and what a correct shop does about it: Markdown, in English and then in
    /// Chinese. Only those that ship have a page.
    pub page: Option<&'static str>,
}

/// The same in two languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Bilingual {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// Why a text is no scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A member is missing, not known, or not of its form.
    #[error("{}{problem}", Place(path))]
    Member {
        /// Where: `faults[2].operation`. Empty where the text is no JSON object.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// None of that name ships.
    #[error("no scenario is called `{name}`; there are {}", shipped::names().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
}

/// A scenario as the file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    name: String,
    title: Bilingual,
    summary: Bilingual,
    #[serde(default)]
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_at: Option<String>,
    #[serde(default)]
    settings: Settings,
    faults: Vec<FaultRule>,
}

impl Scenario {
    /// Reads a scenario's file.
    ///
    /// # Errors
    /// [`ScenarioError::Member`], with the path to what is wrong.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, ScenarioError> {
        let file: File = read_json(json.as_ref()).map_err(|(path, problem)| ScenarioError::Member { path, problem })?;
        let wrong = |path: &str, problem: &str| ScenarioError::Member {
            path: path.to_owned(),
            problem: problem.to_owned(),
        };
        if file.schema != SCHEMA {
            return Err(wrong("schema", "the form of file that is read is 1"));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if file.name.is_empty() || !file.name.bytes().all(plain) {
            return Err(wrong("name", "a name is of lower-case letters, digits and hyphens"));
        }
        let starts_at = file
            .starts_at
            .as_deref()
            .map(|text| read_time(text).ok_or_else(|| wrong("starts_at", "a time of day is written 08:30")));
        Ok(Self {
            name: file.name,
            title: file.title,
            summary: file.summary,
            seed: file.seed,
            starts_at: starts_at.transpose()?,
            settings: file.settings,
            faults: FaultPlan::try_from(file.faults)?,
            page: None,
        })
    }

    /// The scenario as its file has it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File {
            schema: SCHEMA,
            name: self.name.clone(),
            title: self.title.clone(),
            summary: self.summary.clone(),
            seed: self.seed,
            starts_at: self.starts_at.map(write_time),
            settings: self.settings.clone(),
            faults: self.faults.rules.clone(),
        };
        // Texts, numbers and lists under names that are texts: there is nothing that JSON cannot say.
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// One that ships.
    ///
    /// # Errors
    /// [`ScenarioError::Unknown`] where none has that name.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        shipped::named(name)
    }

    /// What those that ship are called, in the order of the table in the manual.
    pub fn names() -> impl Iterator<Item = &'static str> {
        shipped::names()
    }

    /// All that ship.
    pub fn all() -> impl Iterator<Item = Self> {
        // A test reads every file that ships.
        shipped::names().filter_map(|name| Self::named(name).ok())
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;
/// Beijing is eight hours ahead of the epoch's time, without summer time since 1991.
const BEIJING: u64 = 8 * HOUR;

fn read_time(text: &str) -> Option<Duration> {
    let two_digits = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| digits)
    };
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then(|| Duration::from_secs(hours * HOUR + minutes * MINUTE))
}

fn write_time(since_midnight: Duration) -> String {
    let seconds = since_midnight.as_secs();
    format!("{:02}:{:02}", seconds / HOUR % 24, seconds / MINUTE % 60)
}

/// How long from a moment until it is that time of day in Beijing.
fn until(time: Duration, since_epoch: Duration) -> Duration {
    let of_day = Duration::from_secs(since_epoch.as_secs().saturating_add(BEIJING) % DAY);
    let whole = Duration::from_secs(since_epoch.as_secs());
    let past = since_epoch.saturating_sub(whole).saturating_add(of_day);
    match time.checked_sub(past) {
        Some(left) => left,
        None => time.saturating_add(Duration::from_secs(DAY)).saturating_sub(past),
    }
}

impl From<FaultPlanError> for ScenarioError {
    fn from(error: FaultPlanError) -> Self {
        Self::Member {
            path: format!("faults{}", error.path),
            problem: error.problem,
        }
    }
}

impl FarSide {
    /// Puts a scenario's agreements and fault plan in place, the counts of its rules from nothing, its odds from its
    /// seed. The clock and the numbers that platforms make up stay as they are:
    /// [`SandboxBuilder::scenario`](crate::SandboxBuilder::scenario) starts them anew.
    pub fn play(&self, scenario: Scenario) {
        self.apply_settings(&scenario.settings);
        self.put_scenario(scenario);
    }

    /// The same at the start, from the scenario's time of day on.
    pub(crate) fn begin(&self, scenario: Scenario) -> Result<(), ClockError> {
        if let Some(time) = scenario.starts_at {
            self.clock().advance(until(time, self.clock().since_epoch()))?;
        }
        self.play(scenario);
        Ok(())
    }
}
