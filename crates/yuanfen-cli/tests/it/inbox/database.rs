//! Which database is looked into, and that a look changes nothing.

use std::time::{Duration, Instant};

use yuanfen_inbox::SqliteStore;

use super::shop::{Shop, block_on};
use crate::program::{Folder, command, stderr, stdout};

fn inbox_of(url: &str) -> std::process::Output {
    command().args(["inbox", "list", "--database", url]).output().unwrap()
}

#[test]
fn a_database_has_to_be_named() {
    let output = command()
        .args(["inbox", "list"])
        .env_remove("YUANFEN_INBOX")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--database or in YUANFEN_INBOX"),
        "{}",
        stderr(&output)
    );
    let output = inbox_of("mysql://shop:hunter2@localhost/shop");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("sqlite:FILE or postgres://"),
        "{}",
        stderr(&output)
    );
    assert!(!stderr(&output).contains("hunter2"));
}

#[test]
fn an_argument_goes_before_the_environment() {
    let shop = Shop::sqlite();
    let output = command()
        .args(["inbox", "--database", &shop.url, "list", "--json"])
        .env("YUANFEN_INBOX", "sqlite:/nowhere/else.db")
        .output()
        .unwrap();
    assert_eq!(stdout(&output).lines().count(), 6, "{}", stderr(&output));
}

#[test]
fn no_message_has_the_password() {
    let url = "postgres://shop:hunter2@127.0.0.1:1/shop";
    let began = Instant::now();
    let outputs = [
        inbox_of(url),
        command()
            .args(["inbox", "health"])
            .env("YUANFEN_INBOX", url)
            .output()
            .unwrap(),
        command()
            .args(["inbox", "--help"])
            .env("YUANFEN_INBOX", url)
            .output()
            .unwrap(),
        command()
            .args(["inbox", "show"])
            .env("YUANFEN_INBOX", url)
            .output()
            .unwrap(),
    ];
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "a server that is not there is not waited for"
    );
    for output in &outputs {
        for text in [stdout(output), stderr(output)] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
    let text = stderr(&outputs[0]);
    assert_eq!(outputs[0].status.code(), Some(2));
    assert!(text.contains("the database shop of 127.0.0.1:1"), "{text}");
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    let folder = Folder::new();
    let file = folder.path().join("shop.db");
    let output = inbox_of(&format!("sqlite:{}", file.display()));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("there is no file"), "{}", stderr(&output));
    assert!(!file.exists());
}

#[test]
fn a_file_that_is_no_inbox_is_named_and_left_as_it_is() {
    let folder = Folder::new();
    for (name, contents, words) in [
        (
            "notes.txt",
            "not a database, but long enough to be looked at\n".repeat(40),
            "not a database",
        ),
        ("empty.db", String::new(), "no inbox in it"),
    ] {
        let file = folder.put(name, &contents);
        let output = inbox_of(&format!("sqlite:{}", file.display()));
        assert_eq!(output.status.code(), Some(2), "{name}");
        let text = stderr(&output);
        assert!(text.contains(name) && text.contains(words), "{text}");
        assert_eq!(std::fs::read(&file).unwrap(), contents.as_bytes(), "{name}");
    }
}

#[test]
fn tables_of_a_later_version_ask_for_that_version() {
    let folder = Folder::new();
    let file = folder.path().join("shop.db");
    block_on(async {
        let store = SqliteStore::open(&file).await.unwrap();
        let later = "insert into yuanfen_inbox_schema (version, description, success, checksum, execution_time) \
                     values (99, 'later', true, x'00', 0)";
        sqlx::query(later).execute(store.pool()).await.unwrap();
    });
    let output = inbox_of(&format!("sqlite:{}", file.display()));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("schema 99"), "{}", stderr(&output));
}
