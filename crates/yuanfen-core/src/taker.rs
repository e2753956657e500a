//! One way of reading: typed values pulled out of a record, and the rest kept.

use crate::{Extra, FieldError, Fields, ValueError};

/// A value as it travels. It is not `Display`: how money prints for people and how it travels are different questions.
pub trait WireText: Sized {
    /// What it is in JSON.
    const JSON: JsonForm = JsonForm::Text;

    /// Reads it from its text.
    ///
    /// # Errors
    /// Says what is wrong with the text; the text itself is not part of the error.
    fn read(text: &str) -> Result<Self, ValueError>;

    /// Writes its text behind what is there.
    fn write(&self, out: &mut String);

    /// Its text.
    fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// What a value is in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonForm {
    /// A text; a bare number is an error.
    Text,
    /// A bare number; a quoted one is an error.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A text or a bare number.
    Either,
    /// A text, a bare number or a boolean.
    Scalar,
}

/// A value that a platform sends quoted or bare as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain adapter")]
pub struct Loose<T>(pub T);

impl<T: WireText> WireText for Loose<T> {
    const JSON: JsonForm = JsonForm::Scalar;

    fn read(text: &str) -> Result<Self, ValueError> {
        T::read(text).map(Self)
    }

    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

/// A number that a platform sends in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain adapter")]
pub struct Quoted<T>(pub T);

impl<T: WireText> WireText for Quoted<T> {
    const JSON: JsonForm = JsonForm::Text;

    fn read(text: &str) -> Result<Self, ValueError> {
        T::read(text).map(Self)
    }

    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

impl WireText for String {
    fn read(text: &str) -> Result<Self, ValueError> {
        Ok(text.to_owned())
    }

    fn write(&self, out: &mut String) {
        out.push_str(self);
    }
}

impl WireText for bool {
    const JSON: JsonForm = JsonForm::Boolean;

    fn read(text: &str) -> Result<Self, ValueError> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ValueError::Form {
                expected: "`true` or `false`",
            }),
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl WireText for $integer {
            const JSON: JsonForm = JsonForm::Number;

            fn read(text: &str) -> Result<Self, ValueError> {
                // `parse` alone would take a plus sign, which no platform writes.
                if text.starts_with('+') {
                    return Err(ValueError::NotInteger);
                }
                text.parse().map_err(|_| ValueError::NotInteger)
            }

            fn write(&self, out: &mut String) {
                use std::fmt::Write as _;
                _ = write!(out, "{self}");
            }
        }
    )+};
}

integers!(i64, u64, i32, u32, u16, u8);

/// Pulls typed values out of flat [`Fields`] and keeps the rest.
///
/// An empty value counts as absent, as it does in every signing rule of the five platforms. Errors name the field.
///
/// ```
/// use yuanfen_core::{Fen, Fields, Taker};
/// let fields = Fields::try_from(&[("total_fee", "100"), ("coupon_fee_0", "3"), ("new_field", "x")][..])?;
/// let mut taker = Taker::new(&fields);
/// let total: Fen = taker.need("total_fee")?;
/// let coupon: Option<Fen> = taker.numbered("coupon_fee", 0)?;
/// assert_eq!((total, coupon), (Fen::new(100), Some(Fen::new(3))));
/// assert_eq!(taker.rest().get("new_field"), Some("x"));
/// # Ok::<(), yuanfen_core::FieldError>(())
/// ```
#[derive(Debug)]
pub struct Taker<'a> {
    fields: &'a Fields,
    claimed: Vec<bool>,
    /// Where the name of a family's member is put together, so that each does not cost an allocation.
    member: String,
}

impl<'a> Taker<'a> {
    /// Over these fields, none claimed yet.
    #[must_use]
    pub fn new(fields: &'a Fields) -> Self {
        Self {
            fields,
            claimed: vec![false; fields.len()],
            member: String::new(),
        }
    }

    /// The raw text of a field, claimed.
    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        let index = self.fields.position(name)?;
        if let Some(claimed) = self.claimed.get_mut(index) {
            *claimed = true;
        }
        self.fields.at(index).map(|(_, value)| value)
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// When it is absent, empty, or not of its type.
    pub fn need<T: WireText>(&mut self, name: &str) -> Result<T, FieldError> {
        self.maybe(name)?
            .ok_or_else(|| FieldError::new(name, ValueError::Missing))
    }

    /// A value that may be absent or empty.
    ///
    /// # Errors
    /// When it is there and not of its type.
    pub fn maybe<T: WireText>(&mut self, name: &str) -> Result<Option<T>, FieldError> {
        match self.text(name) {
            None | Some("") => Ok(None),
            Some(text) => T::read(text)
                .map(Some)
                .map_err(|problem| FieldError::new(name, problem)),
        }
    }

    /// The member of a numbered family, such as `coupon_fee_0`, that may be absent or empty.
    ///
    /// # Errors
    /// When it is there and not of its type.
    pub fn numbered<T: WireText>(&mut self, family: &str, index: u32) -> Result<Option<T>, FieldError> {
        let mut member = std::mem::take(&mut self.member);
        member.clear();
        member.push_str(family);
        member.push('_');
        index.write(&mut member);
        let value = self.maybe(&member);
        self.member = member;
        value
    }

    /// The numbers under which any of these families has a member, ascending, each once. Holes are tolerated;
    /// nothing is allocated by a count that a message announces.
    #[must_use]
    pub fn indices(&self, families: &[&str]) -> Vec<u32> {
        let mut found: Vec<u32> = self
            .fields
            .iter()
            // Most names end in a letter, which settles it for all families at once.
            .filter(|(name, _)| name.ends_with(|last: char| last.is_ascii_digit()))
            .filter_map(|(name, _)| families.iter().find_map(|family| index_in(name, family)))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Everything unclaimed, in order.
    #[must_use]
    pub fn rest(self) -> Extra {
        let mut extra = Extra::new();
        for ((name, value), claimed) in self.fields.iter().zip(&self.claimed) {
            if !claimed {
                extra.push(name, value);
            }
        }
        extra
    }
}

/// `coupon_fee_12` in the family `coupon_fee` is 12; `coupon_fee_0_1`, `coupon_fee_` and `coupon_fee_01` are not in it.
fn index_in(name: &str, family: &str) -> Option<u32> {
    let digits = name.strip_prefix(family)?.strip_prefix('_')?;
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if canonical { digits.parse().ok() } else { None }
}

#[cfg(feature = "json")]
pub use json::JsonTaker;

#[cfg(feature = "json")]
mod json {
    use std::borrow::Cow;

    use super::{JsonForm, WireText};
    use crate::object::unquote;
    use crate::{Extra, FieldError, Object, ValueError};

    /// Pulls typed values out of a JSON [`Object`] and keeps the rest.
    ///
    /// `null` and the empty text count as absent. A number where a text is meant, and the reverse, is an error that
    /// names the path, except for types that take both.
    ///
    /// ```
    /// use yuanfen_core::{Fen, JsonTaker, Limits, Object};
    /// let order = Object::parse(br#"{"amount":{"total":100,"currency":"CNY"}}"#, &Limits::DEFAULT)?;
    /// let mut taker = JsonTaker::new(&order);
    /// let total: Fen = taker.nested("amount", |amount| amount.need("total"))?;
    /// assert_eq!(total, Fen::new(100));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Debug)]
    pub struct JsonTaker<'a> {
        object: &'a Object,
        claimed: Vec<bool>,
    }

    impl<'a> JsonTaker<'a> {
        /// Over this object, nothing claimed yet.
        #[must_use]
        pub fn new(object: &'a Object) -> Self {
            Self {
                object,
                claimed: vec![false; object.len()],
            }
        }

        /// The raw JSON text of a member, claimed; `None` where it is absent or `null`.
        pub fn raw(&mut self, name: &str) -> Option<&'a str> {
            let (index, raw) = self.object.find(name)?;
            if let Some(claimed) = self.claimed.get_mut(index) {
                *claimed = true;
            }
            Some(raw).filter(|raw| *raw != "null")
        }

        /// A value that must be there.
        ///
        /// # Errors
        /// When it is absent, `null`, empty, of another JSON type, or not of its type.
        pub fn need<T: WireText>(&mut self, name: &str) -> Result<T, FieldError> {
            self.maybe(name)?
                .ok_or_else(|| FieldError::new(name, ValueError::Missing))
        }

        /// A value that may be absent, `null` or empty.
        ///
        /// # Errors
        /// When it is there and of another JSON type, or not of its type.
        pub fn maybe<T: WireText>(&mut self, name: &str) -> Result<Option<T>, FieldError> {
            let Some(raw) = self.raw(name) else { return Ok(None) };
            read_json(raw).map_err(|problem| FieldError::new(name, problem))
        }

        /// The first of several spellings of one name that is there and not empty. Later spellings stay unclaimed, so
        /// one that is there as well shows in the [`rest`](Self::rest).
        ///
        /// # Errors
        /// When it is there and of another JSON type, or not of its type.
        pub fn maybe_any<T: WireText>(&mut self, names: &[&str]) -> Result<Option<T>, FieldError> {
            for name in names {
                if let Some(value) = self.maybe(name)? {
                    return Ok(Some(value));
                }
            }
            Ok(None)
        }

        /// An object that must be there, read by a function. Its leftovers are the function's business.
        ///
        /// # Errors
        /// When it is absent, not an object, or the function refuses it; the path leads through the name.
        pub fn nested<T>(
            &mut self,
            name: &str,
            read: impl FnOnce(&mut JsonTaker<'_>) -> Result<T, FieldError>,
        ) -> Result<T, FieldError> {
            self.maybe_nested(name, read)?
                .ok_or_else(|| FieldError::new(name, ValueError::Missing))
        }

        /// An object that may be absent or `null`, read by a function.
        ///
        /// # Errors
        /// When it is there and not an object, or the function refuses it; the path leads through the name.
        pub fn maybe_nested<T>(
            &mut self,
            name: &str,
            read: impl FnOnce(&mut JsonTaker<'_>) -> Result<T, FieldError>,
        ) -> Result<Option<T>, FieldError> {
            let Some(raw) = self.raw(name) else { return Ok(None) };
            let object = Object::nested(raw).map_err(|problem| problem.within(name))?;
            read(&mut JsonTaker::new(&object))
                .map(Some)
                .map_err(|problem| problem.within(name))
        }

        /// A list of objects, each read by a function; absent and `null` give an empty list.
        ///
        /// # Errors
        /// When it is not a list of objects, or the function refuses one; the path has its number.
        pub fn list<T>(
            &mut self,
            name: &str,
            mut read: impl FnMut(&mut JsonTaker<'_>) -> Result<T, FieldError>,
        ) -> Result<Vec<T>, FieldError> {
            let Some(raw) = self.raw(name) else {
                return Ok(Vec::new());
            };
            let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(raw).map_err(|_| {
                let problem = ValueError::WrongType {
                    expected: "a list",
                    found: kind_of(raw),
                };
                FieldError::new(name, problem)
            })?;
            let mut read_one = |raw: &str| {
                let object = Object::nested(raw)?;
                read(&mut JsonTaker::new(&object))
            };
            items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    read_one(item.get()).map_err(|problem| problem.within(&format!("[{index}]")).within(name))
                })
                .collect()
        }

        /// Everything unclaimed, in order, as raw JSON text.
        #[must_use]
        pub fn rest(&mut self) -> Extra {
            let mut extra = Extra::new();
            for ((name, raw), claimed) in self.object.iter().zip(&self.claimed) {
                if !claimed {
                    extra.push(name, raw);
                }
            }
            extra
        }
    }

    fn read_json<T: WireText>(raw: &str) -> Result<Option<T>, ValueError> {
        // Absent whatever the type: platforms write "" for a number they do not have.
        if raw == "\"\"" {
            return Ok(None);
        }
        let found = kind_of(raw);
        let (accepted, expected) = match T::JSON {
            JsonForm::Text => (found == TEXT, "a text"),
            JsonForm::Number => (found == NUMBER, "a number"),
            JsonForm::Boolean => (found == BOOLEAN, "a boolean"),
            JsonForm::Either => (found == TEXT || found == NUMBER, "a text or a number"),
            JsonForm::Scalar => (found == TEXT || found == NUMBER || found == BOOLEAN, "a single value"),
        };
        if !accepted {
            return Err(ValueError::WrongType { expected, found });
        }
        let text = if found == TEXT {
            unquote(raw)?
        } else {
            Cow::Borrowed(raw)
        };
        T::read(&text).map(Some)
    }

    const TEXT: &str = "a text";
    const NUMBER: &str = "a number";
    const BOOLEAN: &str = "a boolean";

    pub(crate) fn kind_of(raw: &str) -> &'static str {
        match raw.as_bytes().first() {
            Some(b'"') => TEXT,
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => BOOLEAN,
            Some(b'n') => "null",
            _ => NUMBER,
        }
    }
}

#[cfg(feature = "json")]
pub(crate) use json::kind_of;
