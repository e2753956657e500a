#![doc = include_str!("../../yuanfen/docs/vectors.md")]

mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use yuanfen_core::{FieldError, Fields};

use crate::origin::{Origin, OriginError, RawOrigin};

pub use run::{Run, Stage};

/// The cases and keys of one vector file or of a folder of them.
#[derive(Debug, Default)]
pub struct Vectors {
    keys: BTreeMap<String, Key>,
    cases: Vec<CaseData>,
}

/// A key of a vector file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// `pem` or `text`: the key.
    pub text: String,
    /// `serial`: the serial of the certificate, where it has one.
    pub serial: Option<String>,
    /// `origin`: where it comes from.
    pub origin: Origin,
}

/// What is sent: the `request` stage. Absent members are not compared.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RequestStage {
    /// `method`.
    pub method: Option<String>,
    /// `target`: path and query, or the whole address where a browser is sent there.
    pub target: Option<String>,
    /// `headers`: those that the case is about.
    pub headers: Vec<(String, String)>,
    /// `body`.
    pub body: Option<Vec<u8>>,
}

#[derive(Debug)]
struct CaseData {
    file: String,
    name: String,
    kind: String,
    origin: Origin,
    input: Map<String, Value>,
    stages: Stages,
    refused: Option<Refused>,
}

#[derive(Debug, Default)]
struct Stages {
    fields: Option<Vec<(String, String)>>,
    text: Option<Vec<u8>>,
    signature: Option<String>,
    request: Option<RequestStage>,
    decoded: Option<Value>,
}

/// Why a vector file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("vector file `{file}`, {place}: {problem}")]
#[non_exhaustive]
pub struct VectorError {
    /// The file, or `(text)` where it was not read from one.
    pub file: String,
    /// The case or key.
    pub place: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a vector file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file or folder cannot be read.
    #[error("cannot be read")]
    Io(#[source] std::io::Error),
    /// Not JSON of the documented shape; an unknown member is among these.
    #[error("not of the documented shape: {0}")]
    Shape(#[source] serde_json::Error),
    /// The origin does not count.
    #[error(transparent)]
    Origin(OriginError),
    /// Neither keys nor cases, or no file in the folder.
    #[error("holds nothing")]
    Nothing,
    /// A name that another case or key of the folder has.
    #[error("the name is taken")]
    Taken,
    /// A required text is empty.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// Neither stages nor a refusal: nothing is expected.
    #[error("expects nothing: neither `stages` nor `expect`")]
    ExpectsNothing,
    /// A refusal that is not a word in kebab case.
    #[error("`{0}` is not a reason in kebab case")]
    Reason(String),
    /// A value of another form than the format has.
    #[error("`{member}` is not {form}")]
    Value {
        /// The member.
        member: String,
        /// What the format has there.
        form: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    about: String,
    #[serde(default)]
    keys: BTreeMap<String, RawKey>,
    #[serde(default)]
    cases: Vec<RawCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    pem: Option<String>,
    text: Option<String>,
    serial: Option<String>,
    origin: RawOrigin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: String,
    kind: String,
    origin: RawOrigin,
    #[serde(default)]
    input: Map<String, Value>,
    stages: Option<RawStages>,
    expect: Option<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStages {
    fields: Option<Vec<(String, String)>>,
    text: Option<Value>,
    signature: Option<String>,
    request: Option<RawRequest>,
    decoded: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    method: Option<String>,
    target: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    refused: String,
    because: Option<String>,
}

impl Vectors {
    /// Reads the text of one file, as `include_str!` gives it.
    ///
    /// # Errors
    /// When the text is not of the documented shape, or an origin does not count.
    pub fn load(text: &str) -> Result<Self, VectorError> {
        Self::default().and(text)
    }

    /// Adds the text of another file: the cases of a subject to the keys of its folder.
    ///
    /// # Errors
    /// As [`load`](Self::load), and when a name is taken.
    pub fn and(mut self, text: &str) -> Result<Self, VectorError> {
        self.take("(text)", text)?;
        Ok(self)
    }

    /// Reads every `tests/vectors/*.json` of the crate at that path: `Vectors::of_crate(env!("CARGO_MANIFEST_DIR"))`.
    ///
    /// # Errors
    /// When the folder has no such file, when one cannot be read, and as [`load`](Self::load).
    pub fn of_crate(manifest_directory: impl AsRef<Path>) -> Result<Self, VectorError> {
        let folder = manifest_directory.as_ref().join("tests/vectors");
        let io = |path: &Path, error| VectorError {
            file: path.display().to_string(),
            place: "the whole".to_owned(),
            problem: Problem::Io(error),
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(|error| io(&folder, error))? {
            let path = entry.map_err(|error| io(&folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut vectors = Self::default();
        for path in &paths {
            let text = std::fs::read_to_string(path).map_err(|error| io(path, error))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            vectors.take(&name, &text)?;
        }
        if vectors.cases.is_empty() {
            return Err(VectorError {
                file: folder.display().to_string(),
                place: "the whole".to_owned(),
                problem: Problem::Nothing,
            });
        }
        Ok(vectors)
    }

    fn take(&mut self, file: &str, text: &str) -> Result<(), VectorError> {
        let fail = |place: &str, problem| VectorError {
            file: file.to_owned(),
            place: place.to_owned(),
            problem,
        };
        let raw: RawFile = serde_json::from_str(text).map_err(|error| fail("the whole", Problem::Shape(error)))?;
        if raw.about.trim().is_empty() {
            return Err(fail("the whole", Problem::Empty("about")));
        }
        if raw.keys.is_empty() && raw.cases.is_empty() {
            return Err(fail("the whole", Problem::Nothing));
        }
        for (name, key) in raw.keys {
            let place = format!("key `{name}`");
            let key = Key::read(key).map_err(|problem| fail(&place, problem))?;
            if self.keys.insert(name, key).is_some() {
                return Err(fail(&place, Problem::Taken));
            }
        }
        let mut names: BTreeSet<String> = self.cases.iter().map(|case| case.name.clone()).collect();
        for case in raw.cases {
            let place = format!("case `{}`", case.name);
            let case = CaseData::read(file, case).map_err(|problem| fail(&place, problem))?;
            if !names.insert(case.name.clone()) {
                return Err(fail(&place, Problem::Taken));
            }
            self.cases.push(case);
        }
        Ok(())
    }

    /// Every case, file by file, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Case<'_>> {
        self.cases.iter().map(|data| Case { vectors: self, data })
    }

    /// The cases of a kind.
    ///
    /// # Panics
    /// When there is none: a test over no cases would pass without testing.
    #[must_use]
    #[track_caller]
    pub fn of(&self, kind: &str) -> Vec<Case<'_>> {
        let cases: Vec<_> = self.iter().filter(|case| case.kind() == kind).collect();
        assert!(
            !cases.is_empty(),
            "no case of kind `{kind}`; there are {:?}",
            self.kinds()
        );
        cases
    }

    /// The kinds that the cases have.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<&str> {
        self.cases.iter().map(|case| case.kind.as_str()).collect()
    }

    /// The case of that name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn case(&self, name: &str) -> Case<'_> {
        self.iter()
            .find(|case| case.name() == name)
            .unwrap_or_else(|| panic!("no case `{name}`"))
    }

    /// The key of that name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn key(&self, name: &str) -> &Key {
        self.keys.get(name).unwrap_or_else(|| panic!("no key `{name}`"))
    }

    /// Every key with its name.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.keys.iter().map(|(name, key)| (name.as_str(), key))
    }
}

impl Key {
    fn read(raw: RawKey) -> Result<Self, Problem> {
        let text = match (raw.pem, raw.text) {
            (Some(text), None) | (None, Some(text)) => text,
            _ => {
                return Err(Problem::Value {
                    member: "pem".to_owned(),
                    form: "there alone, or `text` in its place",
                });
            }
        };
        if text.is_empty() {
            return Err(Problem::Empty("pem"));
        }
        Ok(Self {
            text,
            serial: raw.serial,
            origin: raw.origin.try_into().map_err(Problem::Origin)?,
        })
    }
}

impl CaseData {
    fn read(file: &str, raw: RawCase) -> Result<Self, Problem> {
        for (member, text) in [("name", &raw.name), ("kind", &raw.kind)] {
            if text.trim().is_empty() {
                return Err(Problem::Empty(member));
            }
        }
        let origin = raw.origin.try_into().map_err(Problem::Origin)?;
        if let Some(expect) = &raw.expect {
            let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if expect.refused.is_empty() || !expect.refused.bytes().all(kebab) {
                return Err(Problem::Reason(expect.refused.clone()));
            }
            if expect.because.as_ref().is_some_and(|text| text.trim().is_empty()) {
                return Err(Problem::Empty("because"));
            }
        }
        let stages = raw.stages.map(Stages::read).transpose()?.unwrap_or_default();
        if stages.present().is_empty() && raw.expect.is_none() {
            return Err(Problem::ExpectsNothing);
        }
        Ok(Self {
            file: file.to_owned(),
            name: raw.name,
            kind: raw.kind,
            origin,
            input: raw.input,
            stages,
            refused: raw.expect,
        })
    }
}

impl Stages {
    fn read(raw: RawStages) -> Result<Self, Problem> {
        let octets = |member: &str, value: Option<Value>| match value {
            None => Ok(None),
            Some(value) => octets_of(&value).map(Some).ok_or_else(|| Problem::Value {
                member: member.to_owned(),
                form: "text, or octets in hex or base64",
            }),
        };
        let request = match raw.request {
            None => None,
            Some(request) => Some(RequestStage {
                method: request.method,
                target: request.target,
                headers: request.headers,
                body: octets("body", request.body)?,
            }),
        };
        Ok(Self {
            fields: raw.fields,
            text: octets("text", raw.text)?,
            signature: raw.signature,
            request,
            decoded: raw.decoded,
        })
    }

    fn present(&self) -> BTreeSet<Stage> {
        [
            (Stage::Fields, self.fields.is_some()),
            (Stage::Text, self.text.is_some()),
            (Stage::Signature, self.signature.is_some()),
            (Stage::Request, self.request.is_some()),
            (Stage::Decoded, self.decoded.is_some()),
        ]
        .into_iter()
        .filter_map(|(stage, present)| present.then_some(stage))
        .collect()
    }
}

/// Text, `{"hex": …}` or `{"base64": …}` as octets; nothing else is.
fn octets_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Object(object) if object.len() == 1 => match object.iter().next() {
            Some((name, Value::String(text))) if name == "hex" => unhex(text),
            Some((name, Value::String(text))) if name == "base64" => STANDARD.decode(text).ok(),
            _ => None,
        },
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// One case, with the keys of its folder at hand.
///
/// The accessors of input members panic with the case's name when the member is absent or of another form, so that a
/// misspelled member cannot turn a test into one that tests nothing.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    vectors: &'a Vectors,
    data: &'a CaseData,
}

impl<'a> Case<'a> {
    /// `name`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.data.name
    }

    /// `kind`.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        &self.data.kind
    }

    /// The file it stands in.
    #[must_use]
    pub fn file(&self) -> &'a str {
        &self.data.file
    }

    /// `origin`.
    #[must_use]
    pub const fn origin(&self) -> &'a Origin {
        &self.data.origin
    }

    /// The reason for which the input must be refused, if it must.
    #[must_use]
    pub fn refused(&self) -> Option<&'a str> {
        self.data.refused.as_ref().map(|expect| expect.refused.as_str())
    }

    /// The sentence that goes with the refusal.
    #[must_use]
    pub fn because(&self) -> Option<&'a str> {
        self.data.refused.as_ref().and_then(|expect| expect.because.as_deref())
    }

    /// Whether the input has that member.
    #[must_use]
    pub fn has(&self, member: &str) -> bool {
        self.data.input.contains_key(member)
    }

    /// The member as it stands.
    #[must_use]
    #[track_caller]
    pub fn value(&self, member: &str) -> &'a Value {
        self.data
            .input
            .get(member)
            .unwrap_or_else(|| panic!("{self}: the input has no `{member}`"))
    }

    /// The member as text: a text, or the key that it names.
    #[must_use]
    #[track_caller]
    pub fn text(&self, member: &str) -> &'a str {
        match self.value(member) {
            Value::String(text) => text,
            _ => &self.vectors.key(self.key_name(member)).text,
        }
    }

    /// [`text`](Self::text), where the member is there.
    #[must_use]
    #[track_caller]
    pub fn maybe_text(&self, member: &str) -> Option<&'a str> {
        self.has(member).then(|| self.text(member))
    }

    /// The name of the key that the member stands for.
    #[must_use]
    #[track_caller]
    pub fn key_name(&self, member: &str) -> &'a str {
        let value = self.value(member);
        match value
            .get("key")
            .filter(|_| value.as_object().is_some_and(|object| object.len() == 1))
        {
            Some(Value::String(name)) => name,
            _ => panic!("{self}: `{member}` is neither text nor the name of a key"),
        }
    }

    /// The key that the member stands for.
    #[must_use]
    #[track_caller]
    pub fn key(&self, member: &str) -> &'a Key {
        self.vectors.key(self.key_name(member))
    }

    /// The member as octets: text, hex, base64 or a key.
    #[must_use]
    #[track_caller]
    pub fn bytes(&self, member: &str) -> Vec<u8> {
        octets_of(self.value(member)).unwrap_or_else(|| self.text(member).as_bytes().to_vec())
    }

    /// [`bytes`](Self::bytes), where the member is there.
    #[must_use]
    #[track_caller]
    pub fn maybe_bytes(&self, member: &str) -> Option<Vec<u8>> {
        self.has(member).then(|| self.bytes(member))
    }

    /// The member as an integer, written as a number or as text.
    #[must_use]
    #[track_caller]
    pub fn number(&self, member: &str) -> i64 {
        match self.value(member) {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
        .unwrap_or_else(|| panic!("{self}: `{member}` is not an integer"))
    }

    /// The member as a list of texts.
    #[must_use]
    #[track_caller]
    pub fn texts(&self, member: &str) -> Vec<&'a str> {
        self.value(member)
            .as_array()
            .and_then(|list| list.iter().map(Value::as_str).collect())
            .unwrap_or_else(|| panic!("{self}: `{member}` is not a list of texts"))
    }

    /// The member as ordered pairs.
    #[must_use]
    #[track_caller]
    pub fn pairs(&self, member: &str) -> Vec<(&'a str, &'a str)> {
        let pair = |entry: &'a Value| match entry.as_array().map(Vec::as_slice) {
            Some([Value::String(name), Value::String(value)]) => Some((name.as_str(), value.as_str())),
            _ => None,
        };
        self.value(member)
            .as_array()
            .and_then(|list| list.iter().map(pair).collect())
            .unwrap_or_else(|| panic!("{self}: `{member}` is not a list of [name, value] pairs"))
    }

    /// The member as [`Fields`].
    #[must_use]
    #[track_caller]
    pub fn fields(&self, member: &str) -> Fields {
        to_fields(self.pairs(member)).unwrap_or_else(|error| panic!("{self}: `{member}`: {error}"))
    }

    /// The `fields` stage.
    #[must_use]
    pub fn expected_fields(&self) -> Option<&'a [(String, String)]> {
        self.data.stages.fields.as_deref()
    }

    /// The `text` stage.
    #[must_use]
    pub fn expected_text(&self) -> Option<&'a [u8]> {
        self.data.stages.text.as_deref()
    }

    /// The `signature` stage.
    #[must_use]
    pub fn expected_signature(&self) -> Option<&'a str> {
        self.data.stages.signature.as_deref()
    }

    /// The `request` stage.
    #[must_use]
    pub const fn expected_request(&self) -> Option<&'a RequestStage> {
        self.data.stages.request.as_ref()
    }

    /// The `decoded` stage.
    #[must_use]
    pub const fn expected_decoded(&self) -> Option<&'a Value> {
        self.data.stages.decoded.as_ref()
    }

    /// Starts the staged comparison.
    pub fn run(&self) -> Run<'a> {
        Run::new(*self)
    }
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "case `{}` of {}", self.name(), self.file())
    }
}

/// Pairs as [`Fields`].
///
/// # Errors
/// Refuses duplicate and empty names.
pub fn to_fields<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Fields, FieldError> {
    let mut fields = Fields::new();
    for (name, value) in pairs {
        fields.push(name, value)?;
    }
    Ok(fields)
}
