//! What a provider's code means: one row of its table.

use super::fate::{Again, Fate};
use crate::Effect;

/// What a refusal is about, as far as a caller acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// Refused for good under these parameters.
    Declined,
    /// The thing exists or is done already.
    Already,
    /// No such order or refund (yet).
    NotFound,
    /// Too many calls; the same call later.
    Throttled,
    /// Not ready yet, as a bill in the morning; the same call later.
    NotYet,
    /// Nothing there, and nothing will be: the bill of a day without trade.
    Nothing,
    /// The payer has still to act.
    Pending,
    /// The request or the configuration is wrong.
    Configuration,
    /// The platform does not know its own outcome, or this version does not know the code.
    Unclear,
}

/// One row of a provider's code table: what a code means on one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeMeaning {
    /// What may have happened.
    pub fate: Fate,
    /// What it is about.
    pub kind: RefusalKind,
    /// Whether the same request may be sent again under its number.
    pub again: Again,
    /// What a person should read: what to do next.
    pub sentence: &'static str,
    /// Where the row is written.
    pub source: &'static str,
}

impl CodeMeaning {
    /// A row. Whether the request may be sent again follows from the fate and the kind:
    ///
    /// | Fate | Kind | [`Again`] |
    /// | --- | --- | --- |
    /// | not sent | any | `Now` |
    /// | refused or unknown | throttled, not yet | `Later` |
    /// | refused | configuration | `WhenMended` |
    /// | refused | any other | `No` |
    /// | unknown | any other | `ByEffect` |
    /// | already | any | `No` |
    ///
    /// Where the documents say otherwise of a code, [`with_again`](Self::with_again) says so.
    #[must_use]
    pub const fn new(fate: Fate, kind: RefusalKind, sentence: &'static str, source: &'static str) -> Self {
        Self {
            fate,
            kind,
            again: derived(fate, kind),
            sentence,
            source,
        }
    }

    /// The same row with another answer to whether the request may be sent again.
    #[must_use]
    pub const fn with_again(self, again: Again) -> Self {
        Self { again, ..self }
    }

    /// What is assumed of a code that no table has: a read was refused, a write has an unknown outcome.
    #[must_use]
    pub const fn unknown(effect: Effect) -> Self {
        let (fate, sentence) = match effect {
            Effect::Read => (
                Fate::Refused,
                "this code is not in the table; read the platform's message",
            ),
            Effect::Repeatable | Effect::QueryFirst => (
                Fate::Unknown,
                "this code is not in the table, so nothing is certain; query before anything else",
            ),
        };
        Self::new(fate, RefusalKind::Unclear, sentence, "no table has this code")
    }
}

const fn derived(fate: Fate, kind: RefusalKind) -> Again {
    match (fate, kind) {
        (Fate::NotSent, _) => Again::Now,
        (Fate::Already, _) => Again::No,
        (Fate::Refused | Fate::Unknown, RefusalKind::Throttled | RefusalKind::NotYet) => Again::Later,
        (Fate::Refused, RefusalKind::Configuration) => Again::WhenMended,
        (
            Fate::Refused,
            RefusalKind::Declined
            | RefusalKind::Already
            | RefusalKind::NotFound
            | RefusalKind::Nothing
            | RefusalKind::Pending
            | RefusalKind::Unclear,
        ) => Again::No,
        (Fate::Unknown, _) => Again::ByEffect,
    }
}
