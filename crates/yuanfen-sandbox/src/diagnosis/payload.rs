//! Texts of one payload in base64 with a key at its end.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use yuanfen_sign::{SharedKey, keyed_text};

use super::{Divergence, Judge, Mistake, Suspect, explain};

/// What the text of a message is made of.
#[derive(Clone)]
pub(crate) struct Payload {
    /// The base64 once the form was read.
    pub(crate) payload: String,
    pub(crate) key: SharedKey,
}

impl Payload {
    /// What was signed instead, if a common mistake explains it.
    pub(crate) fn explain(&self, judge: &dyn Judge) -> Option<Divergence> {
        let payload = self.payload.as_str();
        let ours = keyed_text(payload.as_bytes(), &self.key);
        let mut suspects = vec![
            self.suspect(None, payload.as_bytes()),
            self.suspect(Some(Mistake::KeyTail), format!("{payload}&key=").as_bytes()),
            self.suspect(Some(Mistake::NamesAndValues), format!("req={payload}").as_bytes()),
            self.suspect(Some(Mistake::NamesAndValues), format!("req={payload}&key=").as_bytes()),
            self.suspect(
                Some(Mistake::PayloadRespelled),
                utf8_percent_encode(payload, NON_ALPHANUMERIC).to_string().as_bytes(),
            ),
            self.suspect(Some(Mistake::PayloadRespelled), payload.replace('+', " ").as_bytes()),
        ];
        if let Ok(inside) = STANDARD.decode(payload) {
            for engine in [STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                suspects.push(self.suspect(Some(Mistake::PayloadRespelled), engine.encode(&inside).as_bytes()));
            }
            // As encoders break lines that were made for mail.
            let lines: Vec<&[u8]> = payload.as_bytes().chunks(76).collect();
            for line_break in [&b"\r\n"[..], b"\n"] {
                suspects.push(self.suspect(Some(Mistake::PayloadRespelled), &lines.join(line_break)));
            }
            suspects.push(self.suspect(Some(Mistake::PayloadDecoded), &inside));
        }
        let mut with_line_break = self.suspect(Some(Mistake::KeyLineBreak), payload.as_bytes());
        with_line_break.text.push(b'\n');
        with_line_break.key_length = with_line_break.key_length.saturating_add(1);
        suspects.push(with_line_break);
        explain(&ours.redacted(), judge, suspects)
    }

    fn suspect(&self, mistake: Option<Mistake>, message: &[u8]) -> Suspect {
        let (text, key_length) = keyed_text(message, &self.key).into_parts();
        let mut suspect = Suspect::new(mistake.into_iter().collect(), text);
        suspect.key_length = key_length;
        suspect
    }
}
