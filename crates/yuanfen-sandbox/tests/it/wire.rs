//! Calls as bytes over a socket, for the three aggregators.

use std::fmt::Write as _;
use std::net::SocketAddr;

use yuanfen_sandbox::Sandbox;

use crate::shop::{clock, raw};

/// What came back.
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub async fn sandbox() -> Sandbox {
    Sandbox::builder().clock(clock()).seed(3).start().await.unwrap()
}

pub async fn post(address: SocketAddr, target: &str, content_type: &str, body: &[u8]) -> Reply {
    let head = format!(
        "POST {target} HTTP/1.1\r\nhost: sandbox\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: \
         close\r\n\r\n",
        body.len()
    );
    send(address, &[head.as_bytes(), body].concat()).await
}

pub async fn get(address: SocketAddr, target: &str) -> Reply {
    let head = format!("GET {target} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\r\n");
    send(address, head.as_bytes()).await
}

async fn send(address: SocketAddr, request: &[u8]) -> Reply {
    let answer = raw(address, request).await;
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("the connection was cut");
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: answer[end + 4..].to_vec(),
    }
}

/// Percent-escapes everything but letters and digits.
pub fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}

/// Undoes `application/x-www-form-urlencoded`, by hand.
pub fn form(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let (mut out, mut bytes) = (Vec::new(), text.bytes());
        while let Some(byte) = bytes.next() {
            out.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                _ => byte,
            });
        }
        String::from_utf8(out).unwrap()
    };
    text.split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The value of the one field of that name.
pub fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    let mut found = form.iter().filter(|(candidate, _)| candidate == name);
    let (_, value) = found.next().unwrap_or_else(|| panic!("no `{name}`"));
    assert!(found.next().is_none(), "`{name}` stands twice");
    value
}
