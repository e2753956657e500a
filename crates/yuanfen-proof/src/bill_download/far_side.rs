//! The far side in a process of its own, so that its memory is not counted: it serves one bill, over and over.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use clap::{Args, ValueEnum};
use flate2::{Compress, Compression, Crc, FlushCompress};
use yuanfen::core::Address;

use super::bill;
use crate::Error;

/// What is served, as the process is told.
#[derive(Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    blocks: u64,
    #[arg(long)]
    gzip: bool,
    #[arg(long)]
    way: Way,
}

/// What becomes of the bill on its way.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Way {
    Straight,
    /// The last byte of its content is another one.
    LastByte,
    /// The connection ends in the middle.
    Cut,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Straight => "whole",
            Self::LastByte => "altered in its last byte",
            Self::Cut => "cut off in the middle",
        })
    }
}

/// The process. It ends when this is dropped.
pub(super) struct FarSide {
    process: Child,
    port: u16,
}

impl FarSide {
    pub(super) fn start(blocks: u64, gzip: bool, way: Way) -> Result<Self, Error> {
        let way = way.to_possible_value().ok_or("there is no such way")?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve-bill", "--blocks", &blocks.to_string(), "--way", way.get_name()])
            .args(gzip.then_some("--gzip"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("the far side has no output")?;
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        // From here on it is ended with this value, whatever it wrote.
        let mut far_side = Self { process, port: 0 };
        read?;
        far_side.port = line.trim().parse()?;
        Ok(far_side)
    }

    /// The platform's address.
    pub(super) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where its bill is.
    pub(super) fn address(&self) -> Result<Address, Error> {
        let address = format!(
            "{}/v3/billdownload/file?token=6XIv5TUPto7pByrTQKhd6kwvyKLG2uY2",
            self.base()
        );
        Ok(Address::parse("download_url", &address)?)
    }
}

impl Drop for FarSide {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Says on which port, then serves until the standard input ends: when whoever started this is gone.
///
/// # Errors
/// When there is no port, or standard input cannot be read.
pub(crate) fn serve(arguments: &Arguments) -> Result<bool, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let file = BillFile::new(arguments);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever asked may stop reading; the next one is served all the same.
            drop(stream.and_then(|stream| file.answer(&stream)));
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(true)
}

/// A bill as a file: a start, the same block over and over, an end.
struct BillFile {
    start: Vec<u8>,
    block: Vec<u8>,
    blocks: u64,
    end: Vec<u8>,
    way: Way,
}

impl BillFile {
    fn new(arguments: &Arguments) -> Self {
        let Arguments { blocks, gzip, way } = *arguments;
        let plain = bill::block();
        // The last block is in the end, so that it can differ.
        let mut last = plain.clone();
        if let (Way::LastByte, Some(byte)) = (way, last.last_mut()) {
            *byte ^= 1;
        }
        let repeated = blocks.saturating_sub(1);
        if !gzip {
            return Self {
                start: Vec::new(),
                block: plain,
                blocks: repeated,
                end: last,
                way,
            };
        }
        let mut crc = Crc::new();
        for _ in 0..repeated {
            crc.update(&plain);
        }
        crc.update(&last);
        let mut end = deflated(&last);
        // An empty block that says it is the last, then what gzip ends with. The length is modulo 2^32 there.
        end.extend([0x03, 0x00]);
        end.extend(crc.sum().to_le_bytes());
        end.extend(crc.amount().to_le_bytes());
        Self {
            start: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255],
            block: deflated(&plain),
            blocks: repeated,
            end,
            way,
        }
    }

    fn length(&self) -> u64 {
        let of = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX);
        of(&self.start) + of(&self.block) * self.blocks + of(&self.end)
    }

    fn answer(&self, mut stream: &TcpStream) -> io::Result<()> {
        let mut request = BufReader::new(stream);
        let mut line = String::new();
        while request.read_line(&mut line)? > 2 {
            line.clear();
        }
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            self.length()
        )?;
        stream.write_all(&self.start)?;
        let whole = match self.way {
            Way::Cut => self.blocks / 2,
            Way::Straight | Way::LastByte => self.blocks,
        };
        for _ in 0..whole {
            stream.write_all(&self.block)?;
        }
        match self.way {
            Way::Cut => stream.write_all(self.end.split_at(self.end.len() / 2).0),
            Way::Straight | Way::LastByte => stream.write_all(&self.end),
        }
    }
}

/// Deflate blocks that stand alone: they refer to nothing before them and end on a byte, so they can be repeated.
fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::default(), false);
    // Deflate grows what it cannot pack by a few bytes in a thousand.
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 64 + 1024);
    let status = compress.compress_vec(plain, &mut packed, FlushCompress::Full);
    debug_assert!(status.is_ok() && compress.total_in() == u64::try_from(plain.len()).unwrap_or(0));
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gzip_file_is_one_that_others_unpack() {
        for way in [Way::Straight, Way::LastByte] {
            let file = BillFile::new(&Arguments {
                blocks: 3,
                gzip: true,
                way,
            });
            let mut packed = file.start.clone();
            for _ in 0..file.blocks {
                packed.extend(&file.block);
            }
            packed.extend(&file.end);
            assert_eq!(u64::try_from(packed.len()).unwrap(), file.length());
            let mut plain = Vec::new();
            let mut reader = flate2::bufread::GzDecoder::new(packed.as_slice());
            reader.read_to_end(&mut plain).unwrap();
            assert!(reader.into_inner().is_empty(), "one member, nothing after it");
            let whole = bill::block().repeat(3);
            assert_eq!(plain.len(), whole.len());
            assert_eq!(plain == whole, matches!(way, Way::Straight));
        }
    }
}
