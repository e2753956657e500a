//! The most memory that this process has held at once, as the kernel counts it.

use std::fs;

use crate::Error;

/// `VmHWM` of this process in bytes: its resident memory where it was largest.
pub(super) fn peak() -> Result<u64, Error> {
    let status = fs::read_to_string("/proc/self/status").map_err(|_| "only Linux says how much memory was held")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("the kernel does not say how much memory was held")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Starts counting anew from what is held now.
pub(super) fn forget_peak() -> Result<(), Error> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}
