//! JSON objects that keep every member's own text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::taker::kind_of;
use crate::{FieldError, Fields, LimitExceeded, Limits, ValueError};

/// A JSON object as ordered names and raw JSON texts, duplicate names refused.
///
/// Generic JSON values lose text (`0.00030`, long integers, order, duplicates); this does not. One level is read at a
/// time, so nesting costs no stack. `Debug` prints names and lengths, never values.
///
/// All text lives in one buffer; names and values are slices of it, so reading an object costs a few allocations whatever
/// its number of members.
#[derive(Clone)]
pub struct Object {
    text: String,
    members: Vec<Member>,
}

/// Where a member's name starts, where its value starts, and where that ends.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    middle: usize,
    end: usize,
}

/// Why bytes are not a JSON object within the limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// No JSON, or no object.
    #[error("not a JSON object (line {line}, column {column})")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 (byte {position})")]
    NotUtf8 {
        /// The first byte that is not.
        position: usize,
    },
    /// The same name twice, or no name.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// More than is read from a stranger.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl Object {
    /// Reads an object.
    ///
    /// # Errors
    /// When the bytes are no UTF-8, no JSON object, beyond the limits, or hold a name twice.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ObjectError> {
        LimitExceeded::check("bytes", bytes.len(), limits.bytes)?;
        let text = std::str::from_utf8(bytes).map_err(|error| ObjectError::NotUtf8 {
            position: error.valid_up_to(),
        })?;
        Self::read(text, limits)
    }

    fn read(text: &str, limits: &Limits) -> Result<Self, ObjectError> {
        let mut exceeded = None;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = InOrder {
            limits,
            length: text.len(),
            exceeded: &mut exceeded,
        }
        .deserialize(&mut deserializer)
        .and_then(|object| deserializer.end().map(|()| object));
        let object = match (object, exceeded) {
            (_, Some(limit)) => return Err(limit.into()),
            (Ok(object), None) => object,
            (Err(error), None) => {
                return Err(ObjectError::Syntax {
                    line: error.line(),
                    column: error.column(),
                });
            }
        };
        let mut names: Vec<&str> = object.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[left, right]| left == right) {
            return Err(FieldError::new(*name, ValueError::Duplicate).into());
        }
        if names.first().is_some_and(|name| name.is_empty()) {
            return Err(FieldError::new("", ValueError::Unnamed).into());
        }
        Ok(object)
    }

    /// An object inside another, whose JSON is known to be well formed and whose size is bounded by the other's.
    pub(crate) fn nested(raw: &str) -> Result<Self, FieldError> {
        const BOUNDED_ALREADY: Limits = Limits {
            bytes: usize::MAX,
            depth: usize::MAX,
            fields: usize::MAX,
            name_len: usize::MAX,
            value_len: usize::MAX,
        };
        Self::read(raw, &BOUNDED_ALREADY).map_err(|error| match error {
            ObjectError::Field(problem) => problem,
            // What is left to go wrong in a well-formed object is an escaped lone surrogate in a name.
            ObjectError::Syntax { .. } if raw.starts_with('{') => FieldError::new(
                "",
                ValueError::Form {
                    expected: "Unicode text",
                },
            ),
            ObjectError::Syntax { .. } | ObjectError::NotUtf8 { .. } | ObjectError::Limit(_) => FieldError::new(
                "",
                ValueError::WrongType {
                    expected: "an object",
                    found: kind_of(raw),
                },
            ),
        })
    }

    /// The raw JSON text of a member.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.find(name).map(|(_, raw)| raw)
    }

    /// A member's place and its raw JSON text.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &str)> {
        let text = self.text.as_bytes();
        let index = self
            .members
            .iter()
            .position(|member| text.get(member.start..member.middle) == Some(name.as_bytes()))?;
        let member = self.members.get(index)?;
        Some((index, self.text.get(member.middle..member.end)?))
    }

    /// Names and raw JSON texts in their order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.members.iter().map(|member| {
            let name = self.text.get(member.start..member.middle).unwrap_or_default();
            let raw = self.text.get(member.middle..member.end).unwrap_or_default();
            (name, raw)
        })
    }

    /// How many members there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The same as flat fields: texts unquoted, numbers and booleans with their literal text, `null` as the empty
    /// text.
    ///
    /// # Errors
    /// When a member is an object or a list.
    pub fn to_fields(&self) -> Result<Fields, FieldError> {
        let mut fields = Fields::with_capacity(
            self.iter()
                .map(|(name, raw)| name.len().saturating_add(raw.len()))
                .sum(),
            self.len(),
        );
        for (name, raw) in self.iter() {
            let value = match raw.as_bytes().first() {
                Some(b'"') => unquote(raw).map_err(|problem| FieldError::new(name, problem))?,
                Some(b'{' | b'[') => {
                    let problem = ValueError::WrongType {
                        expected: "a single value",
                        found: kind_of(raw),
                    };
                    return Err(FieldError::new(name, problem));
                }
                Some(b'n') => Cow::Borrowed(""),
                _ => Cow::Borrowed(raw),
            };
            fields.push(name, &value)?;
        }
        Ok(fields)
    }
}

/// The text behind a JSON string.
pub(crate) fn unquote(raw: &str) -> Result<Cow<'_, str>, ValueError> {
    if let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        // Bytes are searched for faster than characters, and a ciphertext is long.
        && ![b'\\', b'"'].iter().any(|special| inner.as_bytes().contains(special))
    {
        return Ok(Cow::Borrowed(inner));
    }
    // What is left to go wrong in a well-formed string is an escaped lone surrogate.
    serde_json::from_str(raw).map(Cow::Owned).map_err(|_| ValueError::Form {
        expected: "Unicode text",
    })
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, raw) in self.iter() {
            map.entry(&name, &format_args!("{} bytes", raw.len()));
        }
        map.finish()
    }
}

/// Reads members one by one and stops at the first limit, before a stranger's message is held in memory as a whole.
struct InOrder<'a> {
    limits: &'a Limits,
    /// Bytes of the whole text: more than its names and values have together.
    length: usize,
    exceeded: &'a mut Option<LimitExceeded>,
}

impl<'de> DeserializeSeed<'de> for InOrder<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for InOrder<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object {
            text: String::with_capacity(self.length),
            members: Vec::with_capacity(USUAL_MEMBERS),
        };
        loop {
            let start = object.text.len();
            let Some(()) = map.next_key_seed(NameInto(&mut object.text))? else {
                return Ok(object);
            };
            let middle = object.text.len();
            let raw = map.next_value::<&RawValue>()?.get();
            let count = object.members.len().saturating_add(1);
            let checked = LimitExceeded::check("name length", middle.saturating_sub(start), self.limits.name_len)
                .and_then(|()| LimitExceeded::check("value length", raw.len(), self.limits.value_len))
                .and_then(|()| LimitExceeded::check("fields", count, self.limits.fields));
            if let Err(limit) = checked {
                *self.exceeded = Some(limit);
                return Err(A::Error::custom(limit));
            }
            object.text.push_str(raw);
            object.members.push(Member {
                start,
                middle,
                end: object.text.len(),
            });
        }
    }
}

/// Room for the members of most messages.
const USUAL_MEMBERS: usize = 16;

/// Puts a member's name, unescaped, behind what is there.
struct NameInto<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for NameInto<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        self.0.push_str(name);
        Ok(())
    }
}
