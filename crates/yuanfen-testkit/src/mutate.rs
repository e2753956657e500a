//! Negative twins: every small change to a good message is refused, or changes nothing that a reader sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many octets of a body are changed when a message does not say otherwise.
const OCTETS: usize = 4096;

type Pairs = Vec<(String, String)>;
type Render = Box<dyn Fn(&[(String, String)]) -> Vec<u8>>;

/// A good message: named header texts and a body. Whatever is sent beside the body counts as a header here, a request
/// target as well.
pub struct Message {
    headers: Pairs,
    body: Vec<u8>,
    fields: Option<(Pairs, Render)>,
    octets: usize,
}

impl Message {
    /// A message with that body.
    #[must_use]
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: Vec::new(),
            body: body.into(),
            fields: None,
            octets: OCTETS,
        }
    }

    /// A message whose body is what `render` makes of the fields, so that the fields have twins of their own.
    #[must_use]
    pub fn of_fields<'a>(
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
        render: impl Fn(&[(String, String)]) -> Vec<u8> + 'static,
    ) -> Self {
        let fields: Pairs = owned(fields);
        let mut message = Self::new(render(&fields));
        message.fields = Some((fields, Box::new(render)));
        message
    }

    /// The message with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The message, of whose body at most so many octets are changed, evenly spread. Without this, 4096.
    #[must_use]
    pub const fn octets_at_most(mut self, octets: usize) -> Self {
        self.octets = octets;
        self
    }

    /// The message unchanged.
    #[must_use]
    pub fn original(&self) -> Mutant {
        self.mutant(None, self.headers.clone(), self.body.clone())
    }

    /// Every twin.
    pub fn mutants(&self) -> impl Iterator<Item = Mutant> {
        self.of_body().chain(self.of_headers()).chain(self.of_field_list())
    }

    fn of_body(&self) -> impl Iterator<Item = Mutant> {
        positions(self.body.len(), self.octets).flat_map(move |at| {
            OCTET_CHANGES.into_iter().filter_map(move |change| {
                let body = changed(&self.body, at, change)?;
                let mutation = Mutation {
                    place: Place::Body(at),
                    change,
                };
                Some(self.mutant(Some(mutation), self.headers.clone(), body))
            })
        })
    }

    fn of_headers(&self) -> impl Iterator<Item = Mutant> {
        (0..self.headers.len()).flat_map(move |index| {
            let name = self
                .headers
                .get(index)
                .map(|(name, _)| name.clone())
                .unwrap_or_default();
            let whole = pair_mutations(&self.headers, index).into_iter().map({
                let name = name.clone();
                move |(change, headers)| (Place::Header(name.clone()), change, headers)
            });
            let octets = self
                .header_octets(index)
                .map(move |(at, change, headers)| (Place::HeaderOctet(name.clone(), at), change, headers));
            whole.chain(octets).map(|(place, change, headers)| {
                self.mutant(Some(Mutation { place, change }), headers, self.body.clone())
            })
        })
    }

    fn header_octets(&self, index: usize) -> impl Iterator<Item = (usize, Change, Pairs)> {
        let value = self.headers.get(index).map_or("", |(_, value)| value);
        positions(value.len(), self.octets).flat_map(move |at| {
            OCTET_CHANGES.into_iter().filter_map(move |change| {
                // What is no text any more cannot stand in a header.
                let value = String::from_utf8(changed(value.as_bytes(), at, change)?).ok()?;
                Some((at, change, with_value(&self.headers, index, value)))
            })
        })
    }

    fn of_field_list(&self) -> impl Iterator<Item = Mutant> {
        self.fields.iter().flat_map(move |(fields, render)| {
            let mut added = fields.clone();
            added.push(("unheard_of".to_owned(), "1".to_owned()));
            let added = (Place::Field("unheard_of".to_owned()), Change::Added, added);
            (0..fields.len())
                .flat_map(move |index| {
                    let name = fields.get(index).map(|(name, _)| name.clone()).unwrap_or_default();
                    pair_mutations(fields, index)
                        .into_iter()
                        .map(move |(change, fields)| (Place::Field(name.clone()), change, fields))
                })
                .chain([added])
                .map(move |(place, change, fields)| {
                    self.mutant(Some(Mutation { place, change }), self.headers.clone(), render(&fields))
                })
        })
    }

    fn mutant(&self, mutation: Option<Mutation>, headers: Pairs, body: Vec<u8>) -> Mutant {
        Mutant {
            mutation,
            headers,
            body,
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("headers", &self.headers)
            .field("body", &String::from_utf8_lossy(&self.body))
            .field("fields", &self.fields.as_ref().map(|(fields, _)| fields))
            .field("octets", &self.octets)
            .finish()
    }
}

fn owned<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Pairs {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// At most `limit` positions below `len`, evenly spread, the first among them.
fn positions(len: usize, limit: usize) -> impl Iterator<Item = usize> {
    let step = len.div_ceil(limit.max(1)).max(1);
    (0..len).step_by(step).take(limit)
}

const OCTET_CHANGES: [Change; 4] = [Change::LowBit, Change::Case, Change::Deleted, Change::Repeated];

/// The text with one octet changed, where that makes another text.
fn changed(text: &[u8], at: usize, change: Change) -> Option<Vec<u8>> {
    let (before, rest) = text.split_at_checked(at)?;
    let (octet, after) = rest.split_first()?;
    let middle: &[u8] = match change {
        Change::LowBit => &[octet ^ 1],
        Change::Case if octet.is_ascii_alphabetic() => &[octet ^ 0x20],
        Change::Deleted => &[],
        Change::Repeated => &[*octet, *octet],
        _ => return None,
    };
    Some([before, middle, after].concat())
}

/// The changes to one pair as a whole: removed, emptied, altered, and given twice with two values, in both orders.
fn pair_mutations(pairs: &Pairs, index: usize) -> Vec<(Change, Pairs)> {
    let Some((name, value)) = pairs.get(index) else {
        return Vec::new();
    };
    let mut removed = pairs.clone();
    removed.remove(index);
    let other = other_value(value);
    let twin = |value: &str| (name.clone(), value.to_owned());
    let mut before = pairs.clone();
    before.insert(index, twin(&other));
    let mut after = pairs.clone();
    after.insert(index.saturating_add(1), twin(&other));
    let mut mutations = vec![
        (Change::Removed, removed),
        (Change::Altered, with_value(pairs, index, other)),
        (Change::DoubledBefore, before),
        (Change::DoubledAfter, after),
    ];
    if !value.is_empty() {
        mutations.push((Change::Emptied, with_value(pairs, index, String::new())));
    }
    mutations
}

fn with_value(pairs: &Pairs, index: usize, value: String) -> Pairs {
    let mut pairs = pairs.clone();
    if let Some(pair) = pairs.get_mut(index) {
        pair.1 = value;
    }
    pairs
}

/// A value of the same length and look: another last digit, or another last character.
fn other_value(value: &str) -> String {
    let mut other = value.to_owned();
    let replacement = match other.pop() {
        Some('1') | None => '2',
        Some(digit) if digit.is_ascii_digit() => '1',
        Some('x') => 'y',
        Some(_) => 'x',
    };
    other.push(replacement);
    other
}

/// What was changed, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Mutation {
    /// What was changed.
    pub place: Place,
    /// How.
    pub change: Change,
}

/// What a mutation changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Place {
    /// The octet of the body at that index.
    Body(usize),
    /// The header of that name.
    Header(String),
    /// The octet at that index of the value of that header.
    HeaderOctet(String, usize),
    /// The field of that name.
    Field(String),
}

/// How a mutation changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The lowest bit of an octet, flipped.
    LowBit,
    /// A letter in the other case.
    Case,
    /// An octet less.
    Deleted,
    /// An octet twice.
    Repeated,
    /// A header or field less.
    Removed,
    /// A value emptied.
    Emptied,
    /// Another value.
    Altered,
    /// Twice, first with another value.
    DoubledBefore,
    /// Twice, second with another value.
    DoubledAfter,
    /// A field more, at the end.
    Added,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Body(at) => write!(f, "octet {at} of the body")?,
            Place::Header(name) => write!(f, "header `{name}`")?,
            Place::HeaderOctet(name, at) => write!(f, "octet {at} of header `{name}`")?,
            Place::Field(name) => write!(f, "field `{name}`")?,
        }
        f.write_str(match self.change {
            Change::LowBit => ": lowest bit flipped",
            Change::Case => ": in the other case",
            Change::Deleted => ": deleted",
            Change::Repeated => ": repeated",
            Change::Removed => ": removed",
            Change::Emptied => ": emptied",
            Change::Altered => ": another value",
            Change::DoubledBefore => ": twice, first with another value",
            Change::DoubledAfter => ": twice, second with another value",
            Change::Added => ": added",
        })
    }
}

/// A twin of a message, or the message itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mutant {
    /// What was changed; nothing in the original.
    pub mutation: Option<Mutation>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Mutant {
    /// The first value of that header; names are compared as they are written.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }

    /// The headers and body as a response of that status. `None` where a header can no longer stand in HTTP.
    #[must_use]
    pub fn response(&self, status: u16) -> Option<http::Response<bytes::Bytes>> {
        let mut builder = http::Response::builder().status(status);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        builder.body(self.body.clone().into()).ok()
    }

    /// The headers and body as a POST to `target`. `None` where a header can no longer stand in HTTP.
    #[must_use]
    pub fn request(&self, target: &str) -> Option<http::Request<bytes::Bytes>> {
        let mut builder = http::Request::post(target);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        builder.body(self.body.clone().into()).ok()
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mutation {
            None => f.write_str("the message unchanged"),
            Some(mutation) => mutation.fmt(f),
        }
    }
}

/// What a reader made of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a message is opened or it is not")]
pub enum Outcome<T> {
    /// Refused, and the word for why.
    Refused(String),
    /// Opened into this.
    Opened(T),
}

impl<T> Outcome<T> {
    /// The outcome that a result is, with the word for its error.
    pub fn of<E>(result: Result<T, E>, reason: impl FnOnce(&E) -> String) -> Self {
        match result {
            Ok(opened) => Self::Opened(opened),
            Err(error) => Self::Refused(reason(&error)),
        }
    }
}

/// What became of the twins.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    refused: BTreeMap<String, usize>,
    same: Vec<Mutation>,
}

impl Tally {
    /// How many twins were refused for that reason.
    #[must_use]
    pub fn refused(&self, reason: &str) -> usize {
        self.refused.get(reason).copied().unwrap_or(0)
    }

    /// The counts by reason.
    #[must_use]
    pub const fn by_reason(&self) -> &BTreeMap<String, usize> {
        &self.refused
    }

    /// The reasons that occurred.
    #[must_use]
    pub fn reasons(&self) -> BTreeSet<&str> {
        self.refused.keys().map(String::as_str).collect()
    }

    /// The twins that were opened into the same.
    #[must_use]
    pub fn same(&self) -> &[Mutation] {
        &self.same
    }

    /// States for which reasons twins were refused: these, each at least once, and no other.
    ///
    /// # Panics
    /// With the counts, when the reasons are others.
    #[track_caller]
    pub fn expect_reasons(&self, reasons: &[&str]) {
        let wanted: BTreeSet<&str> = reasons.iter().copied().collect();
        assert!(
            wanted == self.reasons(),
            "refused for {:?}, not for {wanted:?}",
            self.refused
        );
    }

    /// States which twins were opened into the same: those for which `allowed` holds.
    ///
    /// # Panics
    /// With the mutation, when another was.
    #[track_caller]
    pub fn expect_same_only(&self, allowed: impl Fn(&Mutation) -> bool) {
        let other = self.same.iter().find(|mutation| !allowed(mutation));
        assert!(
            other.is_none(),
            "opened into the same: {}",
            other.map(ToString::to_string).unwrap_or_default()
        );
    }
}

/// Opens every twin of a message: each must be refused, or yield exactly what the message yields.
///
/// The tally says which, so that the test can state it.
///
/// # Panics
/// When the message itself is refused, when a twin is opened into something else, and when opening panics, each time
/// with the description of the twin.
#[track_caller]
pub fn expect_twins<T: PartialEq + fmt::Debug>(message: &Message, open: impl Fn(&Mutant) -> Outcome<T>) -> Tally {
    expect_twins_but(message, open, &[])
}

/// A known weakness of a protocol: twins that it cannot tell from the message, though a reader can.
///
/// StarPos, for one, signs the values alone, so a changed name of an optional field goes unnoticed.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "written as a literal in tests")]
pub struct Weakness {
    /// Why the protocol cannot notice.
    pub why: &'static str,
    /// The twins that this explains.
    pub explains: fn(&Mutation) -> bool,
}

impl fmt::Debug for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

/// As [`expect_twins`], but for twins that a known weakness of the protocol explains.
///
/// # Panics
/// As [`expect_twins`], and when a weakness explains no twin: then it is no weakness, and must go.
#[track_caller]
pub fn expect_twins_but<T: PartialEq + fmt::Debug>(
    message: &Message,
    open: impl Fn(&Mutant) -> Outcome<T>,
    weaknesses: &[Weakness],
) -> Tally {
    let original = match attempt(&message.original(), &open) {
        Outcome::Opened(opened) => opened,
        Outcome::Refused(reason) => panic!("the message unchanged: refused for `{reason}`"),
    };
    let mut tally = Tally::default();
    let mut used = BTreeSet::new();
    for mutant in message.mutants() {
        let Some(mutation) = mutant.mutation.clone() else {
            continue;
        };
        match attempt(&mutant, &open) {
            Outcome::Refused(reason) => {
                let count = tally.refused.entry(reason).or_default();
                *count = count.saturating_add(1);
            }
            Outcome::Opened(opened) if opened == original => tally.same.push(mutation),
            Outcome::Opened(opened) => match weaknesses.iter().find(|weakness| (weakness.explains)(&mutation)) {
                Some(weakness) => _ = used.insert(weakness.why),
                None => panic!("{mutant}: opened into something else\n  wanted: {original:?}\n   found: {opened:?}"),
            },
        }
    }
    for weakness in weaknesses {
        assert!(
            used.contains(weakness.why),
            "no twin shows the weakness `{}`",
            weakness.why
        );
    }
    tally
}

#[track_caller]
fn attempt<T>(mutant: &Mutant, open: &impl Fn(&Mutant) -> Outcome<T>) -> Outcome<T> {
    match catch_unwind(AssertUnwindSafe(|| open(mutant))) {
        Ok(outcome) => outcome,
        Err(payload) => {
            let said = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied())
                .unwrap_or("no text");
            panic!("{mutant}: opening it panicked: {said}")
        }
    }
}
