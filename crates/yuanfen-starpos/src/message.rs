//! What an operation encodes into.

use yuanfen_core::{BuildError, Fields, Rule, ValueError, WireText};

use crate::Account;

/// An endpoint and the fields of a call: no signature.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// The path behind the base, such as `/pubSigQry.json`.
    pub path: &'static str,
    /// The fields, in the order they are sent.
    pub fields: Fields,
    /// How it is signed.
    pub signed_as: SignedAs,
}

/// Which signature fields a message gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignedAs {
    /// `signType` and `signValue`.
    TypeAndValue,
    /// `signValue` alone.
    ValueOnly,
    /// Neither.
    Nothing,
}

impl Message {
    /// A call of that endpoint with those fields.
    #[must_use]
    pub const fn new(path: &'static str, fields: Fields, signed_as: SignedAs) -> Self {
        Self {
            path,
            fields,
            signed_as,
        }
    }
}

/// Writes fields, each checked against its rule on the way.
#[derive(Debug, Default)]
pub(crate) struct Writer(Fields);

impl Writer {
    /// Begins a call of the family with `opSys` (sheet, section 5.1), all of whose fields are signed: who calls, for whom.
    pub(crate) fn of_server(account: &Account) -> Result<Self, BuildError> {
        let mut writer = Self::default();
        // 3 is a server that talks to the gateway directly.
        writer.constant("opSys", "3")?;
        writer.constant("characterSet", account.encoding.character_set())?;
        writer.constant("orgNo", &account.organization)?;
        writer.constant("mercId", &account.merchant)?;
        writer.constant("trmNo", &account.terminal)?;
        Ok(writer)
    }

    /// A value whose type is its rule.
    pub(crate) fn put(&mut self, field: &'static str, value: &impl WireText) -> Result<(), BuildError> {
        self.push(field, &value.to_text())
    }

    /// A constant.
    pub(crate) fn constant(&mut self, field: &'static str, value: &str) -> Result<(), BuildError> {
        self.push(field, value)
    }

    /// A text under its rule.
    pub(crate) fn text(&mut self, rule: &Rule, value: &str) -> Result<(), BuildError> {
        rule.check(value)?;
        self.push(rule.field, value)
    }

    /// A text under its rule that may be left out.
    pub(crate) fn maybe(&mut self, rule: &Rule, value: Option<&str>) -> Result<(), BuildError> {
        value.map_or(Ok(()), |value| self.text(rule, value))
    }

    fn push(&mut self, field: &'static str, value: &str) -> Result<(), BuildError> {
        // The only way to fail is a name pushed twice, which is a mistake in this crate, caught by its tests.
        self.0.push(field, value).map_err(|_| BuildError::Value {
            field,
            problem: ValueError::Duplicate,
        })
    }

    pub(crate) fn into_message(self, path: &'static str, signed_as: SignedAs) -> Message {
        Message::new(path, self.0, signed_as)
    }
}
