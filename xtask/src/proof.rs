//! Spawns `yuanfen-proof`, which links everything so that this program need not.

use crate::failure::Failure;
use crate::process::Call;

/// # Errors
///
/// When `yuanfen-proof` does not build or does not exit with 0.
pub(crate) fn run(command: &str, arguments: &[String]) -> Result<(), Failure> {
    arguments
        .iter()
        .fold(
            Call::cargo("run --release -p yuanfen-proof --").arg(command),
            |call, argument| call.arg(argument),
        )
        .run()
}
