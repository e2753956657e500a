//! What may have happened, and what to do about it.

use std::fmt;

use crate::Effect;

/// What may have happened on the far side. Ordered so that the larger of two attempts' fates is the fate of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// Nothing was sent.
    NotSent,
    /// The platform refused it for good.
    Refused,
    /// It may have happened or not.
    Unknown,
    /// It has happened already.
    Already,
}

impl Fate {
    /// The fate of several attempts together: the larger one. A refusal after a timeout does not prove that the first
    /// attempt did nothing, while "already there" settles it.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        self.max(other)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotSent => "nothing was sent",
            Self::Refused => "nothing was done",
            Self::Unknown => "it may have been done",
            Self::Already => "it is done already",
        })
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Do not send this again; mend what is wrong.
    Stop,
    /// Send the identical request again, same number, same parameters.
    Repeat,
    /// The same later.
    RepeatLater,
    /// Ask what became of it before anything else; never repeat blindly.
    QueryFirst,
    /// It is there: ask for it.
    Query,
}

impl Advice {
    /// The table: fate, effect, and whether the platform said "later".
    #[must_use]
    pub const fn of(fate: Fate, effect: Effect, later: bool) -> Self {
        match (fate, effect) {
            (Fate::NotSent, _) => Self::Repeat,
            (Fate::Refused, _) if later => Self::RepeatLater,
            (Fate::Refused, _) => Self::Stop,
            (Fate::Already, _) => Self::Query,
            (Fate::Unknown, Effect::Read | Effect::Repeatable) if later => Self::RepeatLater,
            (Fate::Unknown, Effect::Read | Effect::Repeatable) => Self::Repeat,
            (Fate::Unknown, Effect::QueryFirst) => Self::QueryFirst,
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stop => "mend the request, do not repeat it",
            Self::Repeat => "repeat the identical request",
            Self::RepeatLater => "repeat the identical request later",
            Self::QueryFirst => "query before anything else, never repeat blindly",
            Self::Query => "query it",
        })
    }
}
