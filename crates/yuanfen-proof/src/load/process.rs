//! What a process has used, as the kernel counts it.

use std::fs;
use std::time::Duration;

use crate::Error;

/// Of one process.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time in user and kernel.
    pub(crate) processor: Duration,
    /// `VmRSS` in bytes.
    pub(crate) resident: u64,
    /// `RssAnon` in bytes: what of it no other process shares.
    pub(crate) anonymous: u64,
}

/// `USER_HZ`, which is 100 on every Linux that programs see.
const TICK: Duration = Duration::from_millis(10);

impl Usage {
    /// # Errors
    /// When there is no such process, or no `/proc`.
    pub(crate) fn of(process: u32) -> Result<Self, Error> {
        let read = |name: &str| {
            fs::read_to_string(format!("/proc/{process}/{name}")).map_err(|_| "only Linux says what a process used")
        };
        let status = read("status")?;
        let held = |name| bytes(&status, name).ok_or("the kernel does not say how much memory is held");
        Ok(Self {
            processor: processor(&read("stat")?).ok_or("the kernel does not say what time was used")?,
            resident: held("VmRSS:")?,
            anonymous: held("RssAnon:")?,
        })
    }
}

fn processor(stat: &str) -> Option<Duration> {
    // The second field is a name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = |index: usize| fields.split(' ').nth(index)?.parse::<u32>().ok();
    Some(TICK * ticks(11)?.checked_add(ticks(12)?)?)
}

fn bytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_files_as_they_are() {
        // proc_pid_stat(5): field 14 is utime, field 15 stime.
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 17 0 0 20 0 1 0 100 0 0";
        assert_eq!(processor(stat), Some(Duration::from_millis(2670)));
        assert_eq!(bytes("Name:\tx\nVmRSS:\t    2048 kB\n", "VmRSS:"), Some(2 << 20));
        assert_eq!(bytes("Name:\tx\n", "VmRSS:"), None);
        let ours = Usage::of(std::process::id()).unwrap();
        assert!(ours.resident > 1 << 20);
        assert!(ours.anonymous > 0 && ours.anonymous < ours.resident);
    }
}
