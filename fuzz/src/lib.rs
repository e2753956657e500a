#![doc = include_str!("../README.md")]

mod envelope;
mod form;
mod input;
mod json;
mod money;
mod notify;
mod pairs;
mod xml;

pub use envelope::envelope_open;
pub use form::form_read;
pub use json::json_object;
pub use money::fen_text;
pub use notify::{notify_open_v2, notify_open_v3};
pub use pairs::pairs_canonical;
pub use xml::{xml_read, xml_roundtrip};

/// What must hold for every input; it panics where something does not.
pub type Target = fn(&[u8]);

/// Every target under its name, which is also the name of its binary and of its folder of seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("envelope_open", envelope_open),
    ("fen_text", fen_text),
    ("form_read", form_read),
    ("json_object", json_object),
    ("notify_open_v2", notify_open_v2),
    ("notify_open_v3", notify_open_v3),
    ("pairs_canonical", pairs_canonical),
    ("xml_read", xml_read),
    ("xml_roundtrip", xml_roundtrip),
];

/// Sends every file that the command line names through a target, so that a finding can be looked at without nightly.
///
/// # Errors
/// When a file cannot be read.
///
/// # Panics
/// When the target does not hold.
pub fn replay_arguments(target: Target) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        target(&std::fs::read(path)?);
    }
    Ok(())
}
