//! Texts of lines, as WeChat APIv3 signs calls.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use yuanfen_sign::line_text;

use super::respell::respellings;
use super::{Divergence, Mistake, Rsa, Suspect, explain};

/// What the text of a call is made of, as it arrived.
#[derive(Clone)]
pub(crate) struct Lines {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    /// `Host` as sent.
    pub(crate) host: Option<String>,
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    /// The bytes that are signed.
    pub(crate) body: Vec<u8>,
    /// The bytes that came.
    pub(crate) sent: Vec<u8>,
}

/// A line and what is odd about it.
type Odd = (Mistake, Vec<u8>);

/// What no browser and no SDK escapes in a path or a query.
const BARE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b'?')
    .remove(b'&')
    .remove(b'=');
/// The same by the habits of JavaScript.
const BARE_IN_JAVASCRIPT: &AsciiSet = &BARE.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

impl Lines {
    /// What was signed instead, if a common mistake explains it.
    pub(crate) fn explain(&self, judge: &Rsa) -> Option<Divergence> {
        let ours = self.text(self.target.as_bytes(), &self.body);
        let shown = String::from_utf8_lossy(&ours).into_owned();
        let (targets, bodies) = (self.targets(), self.bodies());
        let right = std::iter::once(Suspect::new(Vec::new(), ours));
        let by_target = targets
            .iter()
            .map(|(mistake, target)| Suspect::new(vec![*mistake], self.text(target, &self.body)));
        let by_body = bodies
            .iter()
            .map(|(mistake, body)| Suspect::new(vec![*mistake], self.text(self.target.as_bytes(), body)));
        let by_both = targets.iter().flat_map(|(mistake, target)| {
            bodies
                .iter()
                .map(|(other, body)| Suspect::new(vec![*mistake, *other], self.text(target, body)))
        });
        let suspects = right
            .chain(by_target)
            .chain(by_body)
            .chain(self.shapes())
            .chain(by_both);
        explain(&shown, judge, suspects)
    }

    fn text(&self, target: &[u8], body: &[u8]) -> Vec<u8> {
        self.lines(self.method.as_bytes(), target, body)
    }

    fn lines(&self, method: &[u8], target: &[u8], body: &[u8]) -> Vec<u8> {
        line_text(&[method, target, self.timestamp.as_bytes(), self.nonce.as_bytes(), body])
    }

    fn targets(&self) -> Vec<Odd> {
        let target = self.target.as_str();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let with_query = |path: &str| query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let mut odd: Vec<(Mistake, String)> = Vec::new();
        for host in self.host.as_deref().into_iter().chain(["api.mch.weixin.qq.com"]) {
            odd.push((Mistake::WholeAddress, format!("https://{host}{target}")));
            odd.push((Mistake::WholeAddress, format!("http://{host}{target}")));
            odd.push((Mistake::WholeAddress, format!("{host}{target}")));
        }
        odd.push((Mistake::QueryLeftOut, path.to_owned()));
        let unescaped = percent_decode_str(target).decode_utf8_lossy().into_owned();
        odd.push((Mistake::TargetUnescaped, unescaped.clone()));
        for set in [BARE, BARE_IN_JAVASCRIPT] {
            odd.push((Mistake::TargetEscaped, utf8_percent_encode(&unescaped, set).to_string()));
        }
        odd.push((Mistake::TargetEscaped, target.replace('+', "%20")));
        odd.push((Mistake::TargetEscaped, target.replace("%20", "+")));
        odd.push((Mistake::TargetSlash, target.trim_start_matches('/').to_owned()));
        odd.push((Mistake::TargetSlash, with_query(&format!("{path}/"))));
        odd.push((Mistake::TargetSlash, with_query(path.trim_end_matches('/'))));
        odd.push((Mistake::TargetSlash, format!("/{target}")));
        if let Some(rest) = target.strip_prefix("/v3") {
            odd.push((Mistake::TargetShortened, rest.to_owned()));
        }
        odd.retain(|(_, odd)| odd != target);
        odd.into_iter()
            .map(|(mistake, target)| (mistake, target.into_bytes()))
            .collect()
    }

    fn bodies(&self) -> Vec<Odd> {
        if self.body.is_empty() {
            return ["{}", "null", "[]", "\"\""]
                .map(|body| (Mistake::BodyInvented, body.as_bytes().to_vec()))
                .to_vec();
        }
        let mut odd = vec![(Mistake::BodyLeftOut, Vec::new())];
        let trimmed = self.body.trim_ascii();
        odd.push((Mistake::BodyTrimmed, trimmed.to_vec()));
        odd.push((Mistake::BodyTrimmed, [&self.body[..], b"\n"].concat()));
        if self.sent != self.body {
            odd.push((Mistake::UploadWhole, self.sent.clone()));
        }
        let respelled = respellings(trimmed);
        odd.extend(respelled.into_iter().map(|body| (Mistake::BodyRespelled, body)));
        odd.retain(|(_, body)| *body != self.body);
        odd
    }

    /// Right lines in a wrong frame.
    fn shapes(&self) -> Vec<Suspect> {
        let target = self.target.as_bytes();
        let ours = self.text(target, &self.body);
        let with_breaks = |spelling: &[u8]| {
            let lines = ours.split_inclusive(|byte| *byte == b'\n');
            let respelled = lines.map(|line| match line.strip_suffix(b"\n") {
                Some(line) => [line, spelling].concat(),
                None => line.to_vec(),
            });
            respelled.collect::<Vec<_>>().concat()
        };
        let (timestamp, nonce) = (self.timestamp.as_bytes(), self.nonce.as_bytes());
        let method = self.method.as_bytes();
        let mut suspects = vec![
            Suspect::new(
                vec![Mistake::LastLineBreak],
                ours.strip_suffix(b"\n").unwrap_or(&ours).to_vec(),
            ),
            Suspect::new(vec![Mistake::LineBreakSpelling], with_breaks(b"\r\n")),
            Suspect::new(vec![Mistake::LineBreakSpelling], with_breaks(b"\\n")),
            Suspect::new(
                vec![Mistake::LinesSwapped],
                line_text(&[method, target, nonce, timestamp, &self.body]),
            ),
            Suspect::new(
                vec![Mistake::LinesSwapped],
                line_text(&[target, method, timestamp, nonce, &self.body]),
            ),
            // As answers and notices are signed.
            Suspect::new(vec![Mistake::LinesSwapped], line_text(&[timestamp, nonce, &self.body])),
        ];
        if self.body.is_empty() {
            // Four lines, where a fifth stands for the empty body.
            suspects.push(Suspect::new(
                vec![Mistake::BodyLeftOut],
                line_text(&[method, target, timestamp, nonce]),
            ));
        }
        let lower = self.method.to_ascii_lowercase();
        for other in ["GET", "POST", lower.as_str()] {
            suspects.push(Suspect::new(
                vec![Mistake::MethodSpelling],
                self.lines(other.as_bytes(), target, &self.body),
            ));
        }
        suspects.retain(|suspect| suspect.text != ours);
        suspects
    }
}
