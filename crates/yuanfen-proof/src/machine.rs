//! What the numbers were measured on.

use std::fs;
use std::process::Command;

/// The processor, how many of them, the compiler, and how busy it all was.
pub(crate) fn describe() -> String {
    let mut parts = Vec::new();
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    parts.extend(processor);
    if let Ok(count) = std::thread::available_parallelism() {
        parts.push(format!("{count} logical processors"));
    }
    parts.push(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    let compiler = Command::new("rustc").arg("--version").output().ok();
    parts.extend(compiler.and_then(|output| Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())));
    parts.extend(load().map(|load| format!("load {load}")));
    parts.join(", ")
}

/// The load average over the last minute.
fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next().map(str::to_owned)
}
