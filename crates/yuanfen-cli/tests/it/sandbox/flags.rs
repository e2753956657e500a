//! What is asked of it, what it prints, what it refuses, and how it ends.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use super::Running;
use crate::program::{Folder, command, run, stderr, stdout};

/// It refuses these arguments, and says so in these words.
fn refuses(arguments: &[&str], words: &str) {
    let output = run(["sandbox"].iter().chain(arguments));
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
}

#[test]
fn refuses_what_would_open_it_to_others() {
    refuses(&["--listen", "0.0.0.0:0"], "loopback");
    refuses(&["--admin-listen", "0.0.0.0:0"], "token");
    let folder = Folder::new();
    let short = folder.put("token", "tooshort\n");
    let short = short.to_str().unwrap();
    refuses(
        &["--admin-listen", "0.0.0.0:0", "--admin-token-file", short],
        "at least 16",
    );
}

#[test]
fn says_what_is_wrong_with_an_argument() {
    refuses(&["--listen", "http://127.0.0.1"], "a port such as 8080");
    refuses(&["--scenario", "no-such-day"], "there are ");
    refuses(
        &["--scenario", "./no-such-file.json"],
        "cannot read the scenario from ./no-such-file.json",
    );
    refuses(
        &["--platform-host", "alipay=x.example"],
        "no such platform; there are wechat-v2, ",
    );
    refuses(&["--platform-host", "fshows"], "mpgateway=pay.example");
    refuses(&["--tls-name", "https://x.example"], "scheme");
    refuses(&["--notify-ca", "/no/such/file"], "cannot read the authority");
    let folder = Folder::new();
    let path = folder.path().to_str().unwrap();
    folder.put("keys.secret", "5ec7e7");
    refuses(&["--dir", path], "32 bytes in base64; remove it");
    let plan = folder.put("plan.json", "{\"schema\":2}");
    refuses(&["--scenario", plan.to_str().unwrap()], "missing field");
}

#[test]
fn a_port_that_is_taken_leaves_no_credentials() {
    let folder = Folder::new();
    // Of an earlier run: whoever waits for it must not take it for this one's.
    let stale = folder.put("credentials.json", "{}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let words = format!("cannot listen on 127.0.0.1:{port}");
    for flag in ["--tls-listen", "--proxy-listen", "--admin-listen"] {
        refuses(&[flag, &port], &words);
    }
    refuses(&["--listen", &port, "--dir", folder.path().to_str().unwrap()], &words);
    assert!(!stale.exists());
    assert!(!folder.path().join("ca.pem").exists());
}

#[test]
fn a_bare_number_is_a_port_on_loopback() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let running = Running::start(["--listen", &port.to_string(), "--admin-listen", "localhost:0"]);
    assert_eq!(running.addresses["base_url"], format!("http://127.0.0.1:{port}"));
    assert_eq!(running.addresses["keys"], "built-in");
    assert!(running.addresses["credentials"].is_null());
}

#[test]
fn names_of_its_own_are_in_the_list() {
    let arguments = [
        "--tls-name",
        "sandbox",
        "--platform-host",
        "mpgateway=pay.example",
        "--notify-plain-http",
    ];
    let running = Running::start(arguments);
    let names = running.addresses["tls"]["server_names"].as_array().unwrap();
    for name in ["api.mch.weixin.qq.com", "sandbox", "pay.example"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    let warnings = running.addresses["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.as_str().unwrap().contains("plain HTTP"))
    );
}

#[test]
fn a_banner_says_where_everything_is() {
    let mut child = command()
        .args(["sandbox", "--scenario", "reply-lost-after-placing"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text = String::new();
    for line in lines.by_ref() {
        text += &line.unwrap();
        text.push('\n');
        if text.contains("Ctrl-C") {
            break;
        }
    }
    drop(child.kill());
    drop(child.wait());
    assert!(text.starts_with("sandbox at http://127.0.0.1:"), "{text}");
    for part in [
        "TLS ",
        "HTTPS_PROXY=http://127.0.0.1:",
        "console ",
        "the built-in ones",
        "reply-lost-after-placing: ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn lists_the_scenarios_that_ship() {
    let output = run(["sandbox", "--scenario", "list"]);
    assert!(output.status.success());
    assert!(
        stdout(&output).contains("reply-lost-after-placing"),
        "{}",
        stdout(&output)
    );
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_it_cleanly() {
    for signal in ["INT", "TERM"] {
        assert_eq!(Running::start([]).terminate(signal).code(), Some(0), "{signal}");
    }
}
