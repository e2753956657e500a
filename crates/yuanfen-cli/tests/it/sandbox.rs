//! `sandbox` by itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use yuanfen_testkit::Value;

use crate::program::{Folder, command, run, stderr};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Who may do what with the file.
#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
fn writes_credentials_that_work_once_it_listens() {
    let folder = Folder::new();
    // Left by an earlier run, readable by all.
    std::fs::write(folder.path().join("fshows-merchant-key.pem"), "an older one").unwrap();
    let mut running = Running(
        command()
            .args([
                "sandbox",
                "--listen",
                "127.0.0.1:0",
                "--dir",
                folder.path().to_str().unwrap(),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("sandbox at http://127.0.0.1:"), "{line}");

    let path = folder.path().join("credentials.json");
    let until = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        assert!(Instant::now() < until, "no credentials came");
        std::thread::sleep(Duration::from_millis(20));
    }
    let credentials: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(credentials["schema"], 1);
    let base = credentials["wechat_v2"]["base_url"].as_str().unwrap();
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    stream
        .write_all(
            b"POST /pay/orderquery HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 11\r\n\r\n<xml></xml>",
        )
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("return_code"), "{answer}");
    for (section, member) in [
        ("wechat_v3", "merchant_private_key_path"),
        ("wechat_v3", "merchant_certificate_path"),
        ("wechat_v3", "platform_certificate_path"),
        ("wechat_v3", "platform_public_key_path"),
        ("wechat_v3_provider", "provider_private_key_path"),
        ("wechat_v3_provider", "provider_certificate_path"),
        ("fshows", "merchant_private_key_path"),
        ("fshows", "platform_public_key_path"),
    ] {
        let relative = credentials[section][member].as_str().unwrap();
        let text = std::fs::read_to_string(folder.path().join(relative)).unwrap();
        assert!(text.starts_with("-----BEGIN "), "{section}.{member}");
        #[cfg(unix)]
        if member.contains("private_key") {
            assert_eq!(mode(&folder.path().join(relative)), 0o600, "{section}.{member}");
        }
    }
    let provider = &credentials["wechat_v3_provider"];
    assert_eq!(
        provider["sub_merchants"],
        serde_json::json!([
            { "sub_mchid": "1900000111", "sub_appid": "wx8d2e3f4a5b6c7d8e" },
            { "sub_mchid": "1900000112" },
        ])
    );
    assert_eq!(provider["sp_mchid"], credentials["wechat_v2_provider"]["mch_id"]);
    assert_ne!(provider["apiv3_key"], credentials["wechat_v3"]["apiv3_key"]);
    assert_ne!(provider["provider_serial"], credentials["wechat_v3"]["merchant_serial"]);
    // The shared keys are in this one.
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn listens_on_loopback_only() {
    let output = run(["sandbox", "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("loopback"), "{}", stderr(&output));
}
