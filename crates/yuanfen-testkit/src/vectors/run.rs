//! The staged runner: what a case expects against what came out, so that a failure names the case and the stage.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use serde_json::Value;
use yuanfen_core::Fields;

use super::Case;

/// The stages of a message, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The decoded flat message.
    Fields,
    /// The canonical text.
    Text,
    /// The signature.
    Signature,
    /// What is sent.
    Request,
    /// What a reader ends with.
    Decoded,
    /// The refusal.
    Refusal,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fields => "fields",
            Self::Text => "text",
            Self::Signature => "signature",
            Self::Request => "request",
            Self::Decoded => "decoded",
            Self::Refusal => "refusal",
        })
    }
}

/// One case under comparison.
///
/// Each method compares one stage with what the case has for it and panics with case and stage where they differ.
/// [`done`](Self::done) panics for stages of the case that were never compared, and so does dropping a run.
#[derive(Debug)]
#[must_use = "a run ends with `done` or `refused`"]
pub struct Run<'a> {
    case: Case<'a>,
    left: BTreeSet<Stage>,
}

impl<'a> Run<'a> {
    pub(super) fn new(case: Case<'a>) -> Self {
        let mut left = case.data.stages.present();
        if case.refused().is_some() {
            left.insert(Stage::Refusal);
        }
        Self { case, left }
    }

    /// The value of a step that must succeed.
    ///
    /// # Panics
    /// With case, stage and error when it did not.
    #[track_caller]
    pub fn at<T, E: fmt::Display>(&self, stage: Stage, result: Result<T, E>) -> T {
        result.unwrap_or_else(|error| panic!("{}, stage {stage}: {error}", self.case))
    }

    /// Compares the decoded flat message, order included.
    #[track_caller]
    pub fn fields(mut self, found: &Fields) -> Self {
        let wanted = self.wanted(Stage::Fields, self.case.expected_fields());
        let same = wanted
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .eq(found.iter());
        if !same {
            let found: Vec<_> = found.iter().collect();
            self.differs(Stage::Fields, &wanted, &found);
        }
        self
    }

    /// Compares the canonical text.
    #[track_caller]
    pub fn text(mut self, found: impl AsRef<[u8]>) -> Self {
        let wanted = self.wanted(Stage::Text, self.case.expected_text());
        let found = found.as_ref();
        if wanted != found {
            let at = wanted.iter().zip(found).take_while(|(a, b)| a == b).count();
            self.fails(
                Stage::Text,
                format_args!(
                    "octet {at} differs\n  wanted: {}\n   found: {}",
                    String::from_utf8_lossy(wanted),
                    String::from_utf8_lossy(found)
                ),
            );
        }
        self
    }

    /// Compares the signature, in its spelling on the wire.
    #[track_caller]
    pub fn signature(mut self, found: &str) -> Self {
        let wanted = self.wanted(Stage::Signature, self.case.expected_signature());
        if wanted != found {
            self.differs(Stage::Signature, &wanted, &found);
        }
        self
    }

    /// Compares what is sent: of the request, the parts that the case states.
    #[track_caller]
    pub fn request(mut self, found: &http::Request<Bytes>) -> Self {
        let wanted = self.wanted(Stage::Request, self.case.expected_request());
        if let Some(method) = &wanted.method
            && method != found.method().as_str()
        {
            self.differs(Stage::Request, method, found.method());
        }
        if let Some(target) = &wanted.target {
            let whole = found.uri().to_string();
            let relative = found.uri().path_and_query().map_or("", |target| target.as_str());
            if *target != whole && target != relative {
                self.differs(Stage::Request, target, &whole);
            }
        }
        for (name, value) in &wanted.headers {
            let values: Vec<_> = found
                .headers()
                .get_all(name)
                .iter()
                .map(|value| value.as_bytes())
                .collect();
            if values != [value.as_bytes()] {
                let values: Vec<_> = values.into_iter().map(String::from_utf8_lossy).collect();
                self.differs(Stage::Request, &(name, value), &values);
            }
        }
        if let Some(body) = &wanted.body
            && body.as_slice() != found.body().as_ref()
        {
            self.differs(
                Stage::Request,
                &String::from_utf8_lossy(body),
                &String::from_utf8_lossy(found.body()),
            );
        }
        self
    }

    /// Compares what a reader ends with.
    #[track_caller]
    pub fn decoded(mut self, found: &Value) -> Self {
        let wanted = self.wanted(Stage::Decoded, self.case.expected_decoded());
        if wanted != found {
            self.differs(Stage::Decoded, wanted, found);
        }
        self
    }

    /// Hands out what a reader should end with, to a comparison of the test's own.
    #[track_caller]
    pub fn decoded_with(mut self, compare: impl FnOnce(&'a Value)) -> Self {
        compare(self.wanted(Stage::Decoded, self.case.expected_decoded()));
        self
    }

    /// Ends the run of a case that is refused: the result must be an error, and `reason` of it the case's word.
    #[track_caller]
    pub fn refused<T, E>(mut self, result: Result<T, E>, reason: impl FnOnce(&E) -> String) {
        let wanted = self.wanted(Stage::Refusal, self.case.refused());
        match result {
            Ok(_) => self.fails(Stage::Refusal, format_args!("accepted; `{wanted}` was wanted")),
            Err(error) => {
                let found = reason(&error);
                if found != wanted {
                    self.differs(Stage::Refusal, &wanted, &found);
                }
            }
        }
        self.done();
    }

    /// Ends the run.
    ///
    /// # Panics
    /// When the case has a stage that was not compared.
    #[track_caller]
    pub fn done(mut self) {
        let left = std::mem::take(&mut self.left);
        assert!(left.is_empty(), "{}: not compared: {left:?}", self.case);
    }

    #[track_caller]
    fn wanted<T>(&mut self, stage: Stage, wanted: Option<T>) -> T {
        self.left.remove(&stage);
        wanted.unwrap_or_else(|| self.fails(stage, format_args!("the case does not have this stage")))
    }

    #[track_caller]
    fn differs(&self, stage: Stage, wanted: &dyn fmt::Debug, found: &dyn fmt::Debug) -> ! {
        self.fails(stage, format_args!("\n  wanted: {wanted:?}\n   found: {found:?}"))
    }

    #[track_caller]
    fn fails(&self, stage: Stage, what: fmt::Arguments<'_>) -> ! {
        panic!("{}, stage {stage}: {what}", self.case)
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.left.is_empty() {
            panic!("{}: not compared: {:?}", self.case, self.left);
        }
    }
}
