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

/// Whether the same request, with the same parameters, may be sent again under the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Again {
    /// Not under this number: the same would be refused again, or it is done already.
    No,
    /// At once.
    Now,
    /// After a pause.
    Later,
    /// Only after a query has said what became of it.
    AfterQuery,
    /// Once what the sentence names is mended: a field, a key, a permission, the merchant's balance. A refund keeps its
    /// number even then.
    WhenMended,
    /// As the call itself allows, for a code that leaves open what was done: at once where the call reads or is answered
    /// again under its number, after a query where it is not.
    ByEffect,
}

impl Again {
    /// The answer for one call: with that fate, all attempts joined, and that effect. Never [`Again::ByEffect`].
    ///
    /// What may have been done is asked about before it is sent again, and what is there is not sent again, whatever
    /// the code's row says.
    #[must_use]
    pub const fn on(self, fate: Fate, effect: Effect) -> Self {
        match (self, fate, effect) {
            (_, Fate::Already, _) => Self::No,
            (Self::Now | Self::Later | Self::ByEffect, Fate::Unknown, Effect::QueryFirst) => Self::AfterQuery,
            (Self::ByEffect, Fate::Refused, _) => Self::No,
            (Self::ByEffect, Fate::NotSent | Fate::Unknown, _) => Self::Now,
            (Self::No | Self::Now | Self::Later | Self::AfterQuery | Self::WhenMended, _, _) => self,
        }
    }
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::No => "never again under this number",
            Self::Now => "again at once",
            Self::Later => "again later",
            Self::AfterQuery => "again only after a query",
            Self::WhenMended => "again under the same number when it is mended",
            Self::ByEffect => "again as the call allows",
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
    /// The table: fate, effect, and whether the request may be sent again, first made to agree with the two others by
    /// [`Again::on`].
    #[must_use]
    pub const fn of(fate: Fate, effect: Effect, again: Again) -> Self {
        match (fate, again.on(fate, effect), effect) {
            (Fate::Already, _, _) => Self::Query,
            (_, Again::Now | Again::ByEffect, _) => Self::Repeat,
            (_, Again::Later, _) => Self::RepeatLater,
            (_, Again::AfterQuery, _) => Self::QueryFirst,
            // Sending the same again cannot help; what is left is to ask what became of earlier attempts.
            (Fate::Unknown, Again::No | Again::WhenMended, Effect::Repeatable | Effect::QueryFirst) => Self::QueryFirst,
            (_, Again::No | Again::WhenMended, _) => Self::Stop,
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
