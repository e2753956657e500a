//! Which keys a sandbox gets, and how a folder keeps its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen::core::Secret;
use yuanfen_sandbox::{KeySet, KeySetError};

use super::folder::{Folder, FolderError};

/// The secret that a folder's keys are made from, 32 bytes in base64.
pub(super) const SECRET_FILE: &str = "keys.secret";

/// Where the keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Published with the source.
    BuiltIn,
    /// From a number on the command line.
    Seed,
    /// Made for this folder, by this run.
    Fresh,
    /// Made for this folder, by an earlier run.
    Kept,
}

/// There are no keys to start with.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("the keys cannot be made")]
    Make(#[from] KeySetError),
    #[error("{0} does not hold 32 bytes in base64; remove it to have new keys made")]
    Secret(String),
}

/// From the seed if there is one, else the folder's own, else the built-in ones.
///
/// A folder keeps its keys: a developer who restarts the sandbox finds the shop's configuration still right, and the
/// authority that was once trusted still the one.
pub(super) fn choose(seed: Option<u64>, folder: Option<&Folder>) -> Result<(KeySet, Origin), KeysError> {
    let folder = match (seed, folder) {
        (Some(seed), _) => return Ok((KeySet::from_seed(seed)?, Origin::Seed)),
        (None, None) => return Ok((KeySet::built_in(), Origin::BuiltIn)),
        (None, Some(folder)) => folder,
    };
    if let Some(kept) = folder.read(SECRET_FILE)?.map(Secret::new) {
        let secret =
            read(kept.expose()).ok_or_else(|| KeysError::Secret(folder.path(SECRET_FILE).display().to_string()))?;
        return Ok((KeySet::from_secret(secret)?, Origin::Kept));
    }
    let secret = KeySet::new_secret()?;
    let text = Secret::new(STANDARD.encode(secret.expose()) + "\n");
    folder.put_secret(SECRET_FILE, text.expose().as_bytes())?;
    Ok((KeySet::from_secret(secret)?, Origin::Fresh))
}

fn read(text: &[u8]) -> Option<Secret<[u8; 32]>> {
    let bytes = Secret::new(STANDARD.decode(text.trim_ascii()).ok()?);
    <[u8; 32]>::try_from(bytes.expose().as_slice()).ok().map(Secret::new)
}
