//! Texts of names and values, with a key at their end or without one.

use std::borrow::Cow;

use encoding_rs::GBK;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use yuanfen_core::Fields;
use yuanfen_sign::{Blanks, Empties, NameOrder, PairRules, Render, SharedKey, Tail, keyed_text};

use super::respell::respellings;
use super::{Divergence, Judge, Mistake, Suspect, explain, ones_and_twos};

/// What the text of a message is made of.
#[derive(Clone)]
pub(crate) struct Pairs {
    pub(crate) rules: PairRules,
    pub(crate) fields: Fields,
    /// The key at the text's end, where one is there.
    pub(crate) key: Option<SharedKey>,
    /// A field whose value is JSON that may have been written twice.
    pub(crate) json: Option<&'static str>,
}

/// How a text is put together.
#[derive(Clone, Copy)]
struct Style<'a> {
    rules: PairRules,
    /// Unsorted, as the fields came.
    as_sent: bool,
    value: Option<fn(&str) -> Cow<'_, str>>,
    left_out: Option<&'a str>,
    json: Option<&'a str>,
    key_line_break: bool,
    gbk: bool,
}

/// One thing that is done otherwise.
type Deviation = (Mistake, fn(&mut Style<'_>));

const DEVIATIONS: &[Deviation] = &[
    (Mistake::KeyLineBreak, |style| style.key_line_break = true),
    (Mistake::KeyTail, |style| style.rules.tail = Tail::KeyField),
    (Mistake::KeyTail, |style| style.rules.tail = Tail::BareKey),
    (Mistake::KeyTail, |style| style.rules.tail = Tail::None),
    (Mistake::EmptyValues, |style| style.rules.empties = Empties::Keep),
    (Mistake::EmptyValues, |style| style.rules.empties = Empties::Drop),
    (Mistake::FieldOrder, |style| style.as_sent = true),
    (Mistake::FieldOrder, |style| style.rules.order = NameOrder::LowerCased),
    (Mistake::FieldOrder, |style| style.rules.order = NameOrder::Bytes),
    (Mistake::NamesAndValues, |style| {
        style.rules.render = Render::NameEqualsValue;
    }),
    (Mistake::NamesAndValues, |style| style.rules.render = Render::ValuesOnly),
    (Mistake::Spaces, |style| style.rules.blanks = Blanks::Keep),
    (Mistake::Spaces, |style| style.rules.blanks = Blanks::Remove),
    (Mistake::ValuesTrimmed, |style| {
        style.value = Some(|value| value.trim().into());
    }),
    (Mistake::ValuesInXml, |style| style.value = Some(in_xml)),
    (Mistake::ValuesEscaped, |style| style.value = Some(escaped)),
    (Mistake::ValuesEscaped, |style| style.value = Some(escaped_as_form)),
    (Mistake::CharsetGbk, |style| style.gbk = true),
];

impl Pairs {
    /// What was signed instead, if a common mistake explains it.
    pub(crate) fn explain(&self, judge: &dyn Judge) -> Option<Divergence> {
        let ours = self.key.as_ref().map_or_else(
            || self.rules.keyless_text(&self.fields),
            |key| self.rules.text(&self.fields, key),
        );
        let right = Style {
            rules: self.rules,
            as_sent: false,
            value: None,
            left_out: None,
            json: None,
            key_line_break: false,
            gbk: false,
        };
        let by_field = self.fields.iter().map(|(name, _)| {
            let style = Style {
                left_out: Some(name),
                ..right
            };
            Suspect {
                field: Some(name.to_owned()),
                ..self.suspect(style, vec![Mistake::FieldLeftOut])
            }
        });
        let by_json = self.json_spellings().into_iter().map(|json| {
            let style = Style {
                json: Some(&json),
                ..right
            };
            Suspect {
                field: self.json.map(str::to_owned),
                ..self.suspect(style, vec![Mistake::BodyRespelled])
            }
        });
        let by_habit = ones_and_twos(DEVIATIONS).map(|deviations| {
            let mut style = right;
            for (_, deviate) in &deviations {
                deviate(&mut style);
            }
            self.suspect(style, deviations.iter().map(|(mistake, _)| *mistake).collect())
        });
        let suspects = std::iter::once(self.suspect(right, Vec::new()))
            .chain(by_field)
            .chain(by_habit)
            .chain(by_json);
        explain(&ours.redacted(), judge, suspects)
    }

    fn json_spellings(&self) -> Vec<String> {
        let json = self.json.and_then(|name| self.fields.get(name));
        let spellings = json.map(|json| respellings(json.as_bytes())).unwrap_or_default();
        spellings
            .into_iter()
            .filter_map(|spelling| String::from_utf8(spelling).ok())
            .collect()
    }

    fn suspect(&self, style: Style<'_>, mut mistakes: Vec<Mistake>) -> Suspect {
        // Two ways to one and the same habit are one mistake.
        mistakes.dedup();
        let (text, key_length) = self.text(style);
        let mut suspect = Suspect::new(mistakes, text);
        suspect.key_length = key_length;
        if style.key_line_break && key_length > 0 {
            suspect.text.push(b'\n');
            suspect.key_length = key_length.saturating_add(1);
        }
        suspect
    }

    /// The text, and how many bytes of key are at its end.
    fn text(&self, style: Style<'_>) -> (Vec<u8>, usize) {
        let rules = style.rules;
        let mut pairs: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(self.fields.len());
        for (name, value) in self.fields.iter() {
            if rules.left_out.contains(&name) || style.left_out == Some(name) {
                continue;
            }
            let value = match style.json {
                Some(json) if self.json == Some(name) => json,
                _ => value,
            };
            if rules.empties == Empties::Keep || !value.is_empty() {
                pairs.push((name, style.value.map_or(Cow::Borrowed(value), |spell| spell(value))));
            }
        }
        if !style.as_sent {
            match rules.order {
                NameOrder::LowerCased => pairs.sort_by_key(|(name, _)| (name.to_ascii_lowercase(), *name)),
                _ => pairs.sort_by_key(|(name, _)| *name),
            }
        }
        let mut text = match rules.render {
            Render::ValuesOnly => pairs.iter().map(|(_, value)| &**value).collect(),
            _ => {
                let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                pairs.join("&")
            }
        };
        if rules.tail == Tail::KeyField {
            text.push_str(if text.is_empty() { "key=" } else { "&key=" });
        }
        if rules.blanks == Blanks::Remove {
            text.retain(|character| character != ' ');
        }
        let message = if style.gbk {
            GBK.encode(&text).0
        } else {
            Cow::Borrowed(text.as_bytes())
        };
        match self.key.as_ref().filter(|_| rules.tail != Tail::None) {
            Some(key) => keyed_text(&message, key).into_parts(),
            None => (message.into_owned(), 0),
        }
    }
}

fn in_xml(value: &str) -> Cow<'_, str> {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .into()
}

fn escaped(value: &str) -> Cow<'_, str> {
    const BARE: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(value, BARE).to_string().into()
}

fn escaped_as_form(value: &str) -> Cow<'_, str> {
    escaped(value).replace("%20", "+").into()
}
