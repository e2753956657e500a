//! A bill of any size over a socket to the disk: how long it takes beside hashing its bytes, and how much memory.

mod bill;
mod far_side;
mod memory;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use sha1::{Digest as _, Sha1};
use yuanfen::core::{Address, BaseUrl, ErrorKind, ProtocolErrorKind, TransportErrorKind};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{CheckWith, Client, DownloadError, HyperTransport};
use yuanfen::wechat_v3::ops::DownloadBill;
use yuanfen::wechat_v3::{Account, BillCheck, SigningIdentity};
use yuanfen_testkit::Vectors;

use crate::Error;
use crate::machine;

pub(crate) use far_side::Arguments as ServeArguments;
pub(crate) use far_side::serve;

use far_side::{FarSide, Way};

/// Whatever the length of the file, this process may never have held more. Half of it is the program itself.
const CEILING: u64 = 32 * 1024 * 1024;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How long the uncompressed bill is, at least: a number, or one with KiB, MiB or GiB
    #[arg(long, default_value = "2GiB", value_parser = bytes)]
    bytes: u64,
    /// Where the files are written; each is removed again
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What one download took.
struct Taken {
    on_disk: u64,
    download: Duration,
    hashing: Duration,
    before: u64,
    peak: u64,
}

/// Downloads the bill plain and as gzip, then one that was altered and one that breaks off; whether memory stayed below
/// its ceiling.
///
/// # Errors
/// When a whole bill is not obtained, or a broken one is, or leaves anything behind.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let blocks = bill::blocks(arguments.bytes);
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mut holds = true;
    println!(
        "{:<6} {:>15} {:>15} {:>10} {:>10} {:>8} {:>10} {:>10}",
        "kind", "bill, bytes", "on disk, bytes", "download", "SHA-1", "ratio", "RSS before", "RSS peak"
    );
    for gzip in [false, true] {
        let taken = measure(blocks, gzip, folder.path())?;
        holds &= taken.peak <= CEILING;
        println!(
            "{:<6} {:>15} {:>15} {:>10} {:>10} {:>6} × {:>6} KiB {:>6} KiB",
            if gzip { "gzip" } else { "plain" },
            bill::length(blocks),
            taken.on_disk,
            seconds(taken.download),
            seconds(taken.hashing),
            ratio(taken.download, taken.hashing),
            taken.before / 1024,
            taken.peak / 1024,
        );
    }
    for (gzip, way) in [
        (false, Way::LastByte),
        (true, Way::LastByte),
        (false, Way::Cut),
        (true, Way::Cut),
    ] {
        let problem = refused(blocks, gzip, way, folder.path())?;
        println!(
            "{} {way}: {problem}, and nothing is left",
            if gzip { "gzip" } else { "plain" }
        );
    }
    println!("\ncargo xtask bill-download: {}", machine::describe());
    println!(
        "the ratio is to SHA-1 over the same uncompressed bytes in memory, in this run; the peak may be {} KiB",
        CEILING / 1024
    );
    Ok(holds)
}

fn measure(blocks: u64, gzip: bool, folder: &Path) -> Result<Taken, Error> {
    let (sha1, hashing) = hash(blocks);
    let far_side = FarSide::start(blocks, gzip, Way::Straight)?;
    let client = client(&far_side)?;
    let path = folder.join("bill");
    memory::forget_peak()?;
    let before = memory::peak()?;
    let start = Instant::now();
    let on_disk = download(&client, &far_side.address()?, &sha1, &path)?;
    let download = start.elapsed();
    let peak = memory::peak()?;
    if std::fs::metadata(&path)?.len() != on_disk {
        return Err("the file has another length than the download says".into());
    }
    std::fs::remove_file(&path)?;
    Ok(Taken {
        on_disk,
        download,
        hashing,
        before,
        peak,
    })
}

/// How a bill that is not whole is refused.
fn refused(blocks: u64, gzip: bool, way: Way, folder: &Path) -> Result<&'static str, Error> {
    let (sha1, _) = hash(blocks);
    let far_side = FarSide::start(blocks, gzip, way)?;
    let Err(error) = download(&client(&far_side)?, &far_side.address()?, &sha1, &folder.join("bill")) else {
        return Err(format!("a bill was taken although it was {way}").into());
    };
    if let Some(left) = std::fs::read_dir(folder)?.next() {
        return Err(format!("a refused bill left {}", left?.path().display()).into());
    }
    match error.call().map(yuanfen::core::Error::kind) {
        Some(ErrorKind::Protocol(error)) if error.kind == ProtocolErrorKind::Digest => Ok("another digest"),
        Some(ErrorKind::Protocol(error)) if error.kind == ProtocolErrorKind::Format => Ok("it does not unpack"),
        Some(ErrorKind::Transport(error)) if error.kind == TransportErrorKind::Cut => Ok("it breaks off"),
        _ => Err(error.into()),
    }
}

/// The way a program goes: the account's call, signed, streamed through the check and to the disk.
fn download(client: &Client<Account>, address: &Address, sha1: &str, path: &Path) -> Result<u64, DownloadError> {
    let operation = DownloadBill::new(address.clone(), sha1);
    let check = CheckWith::new(BillCheck::new(sha1), BillCheck::push, BillCheck::finish);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| DownloadError::File {
        step: "created",
        path: path.to_owned(),
        source,
    })?;
    runtime.block_on(client.download(&operation, check, path))
}

fn client(far_side: &FarSide) -> Result<Client<Account>, Error> {
    let vectors = Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-wechat-v3"))?;
    let key = RsaSigningKey::parse(&vectors.key("doc_merchant_private").text)?;
    let identity = SigningIdentity::new("1900007291", "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", Arc::new(key))?;
    let account = Account::direct(
        identity,
        "wxd678efh567hg6787",
        ApiV3Key::new("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb")?,
    )?
    .with_base(BaseUrl::parse(&far_side.base())?);
    Ok(Client::new(account, HyperTransport::new()?))
}

/// The digest of the whole bill, and what it takes to compute nothing else.
fn hash(blocks: u64) -> (String, Duration) {
    let block = bill::block();
    let start = Instant::now();
    let mut sha1 = Sha1::new();
    for _ in 0..blocks {
        sha1.update(&block);
    }
    let digest = sha1.finalize();
    let taken = start.elapsed();
    (digest.iter().map(|byte| format!("{byte:02x}")).collect(), taken)
}

fn bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit: u64 = match unit {
        "" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "GiB" => 1024 * 1024 * 1024,
        _ => return Err("the unit is KiB, MiB, GiB or none".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "it does not begin with a number".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "it is too large".to_owned())
}

fn seconds(time: Duration) -> String {
    format!("{}.{:02} s", time.as_secs(), time.subsec_millis() / 10)
}

/// Rounded up to two places.
fn ratio(ours: Duration, raw: Duration) -> String {
    let hundredths = (ours.as_nanos() * 100).div_ceil(raw.as_nanos().max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_as_people_write_them() {
        assert_eq!(bytes("2GiB"), Ok(2 * 1024 * 1024 * 1024));
        assert_eq!(bytes("64KiB"), Ok(65536));
        assert_eq!(bytes("17"), Ok(17));
        for wrong in ["", "GiB", "2GB", "2 GiB", "-1", "99999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn writes_ratios_rounded_up() {
        let of = |ours, raw| ratio(Duration::from_nanos(ours), Duration::from_nanos(raw));
        assert_eq!(of(1_000, 1_000), "1.00");
        assert_eq!(of(1_001, 1_000), "1.01");
        assert_eq!(of(25, 10), "2.50");
    }
}
