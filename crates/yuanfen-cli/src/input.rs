//! Keys and messages from files, or from standard input once.

use std::io::Read as _;
use std::path::Path;

use yuanfen::core::Secret;

/// Something could not be read or does not fit the route.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("cannot read {what} from {path}")]
    Read {
        what: &'static str,
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("standard input can be read once: give the key or the message as a file")]
    StandardInputTwice,
    #[error("the key file is not text")]
    KeyNotText,
    #[error("{what} in {path} is not text")]
    NotText { what: &'static str, path: String },
    #[error("{0}")]
    Option(&'static str),
}

/// Refuses `-` for both.
pub(crate) fn check_standard_input(key: &Path, message: &Path) -> Result<(), InputError> {
    if is_standard_input(key) && is_standard_input(message) {
        Err(InputError::StandardInputTwice)
    } else {
        Ok(())
    }
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The key's text, without one newline at its end.
pub(crate) fn read_key(path: &Path) -> Result<Secret<String>, InputError> {
    let bytes = read("the key", path)?;
    let mut text = String::from_utf8(bytes).map_err(|_| InputError::KeyNotText)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Secret::new(text))
}

/// The message's bytes, every one of them.
pub(crate) fn read_message(path: &Path) -> Result<Vec<u8>, InputError> {
    read("the message", path)
}

/// A text that holds no secret.
pub(crate) fn read_text(what: &'static str, path: &Path) -> Result<String, InputError> {
    String::from_utf8(read(what, path)?).map_err(|_| InputError::NotText {
        what,
        path: path.display().to_string(),
    })
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, InputError> {
    let failed = |source| InputError::Read {
        what,
        path: path.display().to_string(),
        source,
    };
    if is_standard_input(path) {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(failed)
}
