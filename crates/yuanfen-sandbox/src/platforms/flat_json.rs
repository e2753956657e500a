//! Flat JSON, written member by member: order, spelling of numbers are the platform's, byte for byte.

use serde_json::Value;

/// An object under construction. Names are constants and never repeat.
#[derive(Debug, Default)]
pub(super) struct FlatJson(String);

impl FlatJson {
    /// Adds a text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.bare(name, &Value::from(value).to_string());
    }

    /// Adds a number, a truth value or an object as it is spelled.
    pub(super) fn bare(&mut self, name: &str, literal: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(literal);
    }

    /// The whole object.
    pub(super) fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}
