//! The server that other tests stand on. Without PostgreSQL on the machine these are skipped, and a line says so.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use yuanfen_testkit::PostgresServer;

/// Where a test's child writes what it has started; by this it knows that it is the child.
const REPORT: &str = "YUANFEN_TEST_REPORT";

/// A server of the test's own, where there is PostgreSQL.
fn start() -> Option<PostgresServer> {
    PostgresServer::shared().map(|_| PostgresServer::start().unwrap())
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn path(name: &str) -> PathBuf {
    env::temp_dir().join(format!("yuanfen-testkit-{}-{name}", process::id()))
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_server_keeps_what_it_commits() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.create_database();
    for (setting, expected) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("max_connections", "200"),
        ("listen_addresses", "127.0.0.1"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(server.psql(&url, &format!("show {setting}")), expected, "{setting}");
    }
}

#[test]
fn two_databases_do_not_see_each_other() {
    let Some(server) = PostgresServer::shared() else { return };
    let (one, other) = (server.create_database(), server.create_database());
    assert_ne!(one, other);
    server.psql(&one, "create table orders (number text)");
    let tables = "select count(*) from pg_tables where tablename = 'orders'";
    assert_eq!(server.psql(&one, tables), "1");
    assert_eq!(server.psql(&other, tables), "0");
}

#[test]
fn what_is_committed_survives_a_kill_and_what_is_not_does_not() {
    let Some(server) = start() else { return };
    let (url, port) = (server.create_database(), server.port());
    server.psql(
        &url,
        "create table orders (number text); insert into orders values ('paid')",
    );

    thread::scope(|scope| {
        // A transaction that is open at the kill.
        let waiting = "begin; insert into orders values ('open'); select pg_sleep(60); commit";
        scope.spawn(|| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| server.psql(&url, waiting))).unwrap_err()
        });
        wait_until("the transaction is open", || {
            let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
            server.psql(&url, sleeping) == "1"
        });
        server.kill_immediately();
    });
    assert!(!answers(port));

    server.restart();
    assert_eq!(server.port(), port);
    assert_eq!(server.psql(&url, "select number from orders"), "paid");
    // The log of the cluster knows that it was no orderly end.
    let log = fs::read_to_string(server.folder().join("log")).unwrap();
    assert!(log.contains("database system was not properly shut down"), "{log}");

    // One that runs is stopped first.
    server.restart();
    assert_eq!(server.psql(&url, "select number from orders"), "paid");
}

#[test]
fn two_servers_run_at_once_and_leave_nothing_behind() {
    let (Some(one), Some(other)) = (start(), start()) else {
        return;
    };
    assert_ne!(one.port(), other.port());
    let url = one.create_database();
    let databases = "select count(*) from pg_database where datname like 'test_%'";
    assert_eq!(one.psql(&one.url(), databases), "1");
    assert_eq!(other.psql(&other.url(), databases), "0");

    let (port, folder) = (other.port(), other.folder().to_owned());
    assert!(folder.join("data").is_dir());
    drop(other);
    assert!(!answers(port));
    assert!(!folder.exists());
    assert_eq!(one.psql(&url, "select 1"), "1");
}

#[test]
fn a_folder_that_is_kept_goes_on_with_its_data() {
    if PostgresServer::shared().is_none() {
        return;
    }
    let folder = path("kept");
    let server = PostgresServer::start_in(&folder).unwrap();
    let url = server.create_database();
    server.psql(&url, "create table orders as select 'paid' as number");
    let (port, name) = (server.port(), url.rsplit('/').next().unwrap().to_owned());
    drop(server);
    assert!(!answers(port));

    let server = PostgresServer::start_in(&folder).unwrap();
    assert_eq!(server.psql(&server.url_of(&name), "select number from orders"), "paid");
    assert_ne!(server.create_database(), server.url_of(&name));
    let log = fs::read_to_string(server.folder().join("log")).unwrap();
    assert!(!log.contains("not properly shut down"), "{log}");
    drop(server);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    if PostgresServer::shared().is_none() {
        return;
    }
    let folder = path("foreign");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("ledger"), "1230").unwrap();
    let refused = std::panic::catch_unwind(|| PostgresServer::start_in(&folder)).unwrap_err();
    let message = refused.downcast_ref::<String>().unwrap();
    assert!(message.ends_with("holds something that is no cluster"), "{message}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_server_ends_with_its_owner_even_when_that_is_killed() {
    if let Some(report) = env::var_os(REPORT) {
        own_a_server(Path::new(&report));
    }
    if PostgresServer::shared().is_none() {
        return;
    }
    let report = path("report");
    let mut owner = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "postgres::a_server_ends_with_its_owner_even_when_that_is_killed",
        ])
        .env(REPORT, &report)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the child has a server", || report.exists());
    let said = fs::read_to_string(&report).unwrap();
    let (port, folder) = said.split_once(' ').unwrap();
    let (port, folder) = (port.parse().unwrap(), PathBuf::from(folder));
    let first_line = |text: String| text.lines().next().unwrap().to_owned();
    let server = first_line(fs::read_to_string(folder.join("data/postmaster.pid")).unwrap());
    assert!(answers(port));

    // SIGKILL: nothing in the child runs any more.
    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_until("the folder is deleted", || !folder.exists());
    assert!(!answers(port));
    assert!(!Path::new("/proc").join(&server).exists(), "process {server} is there");
    fs::remove_file(&report).unwrap();
}

/// The child: starts a server, says where, and waits to be killed.
fn own_a_server(report: &Path) -> ! {
    let server = PostgresServer::start().unwrap();
    let unfinished = report.with_extension("unfinished");
    fs::write(&unfinished, format!("{} {}", server.port(), server.folder().display())).unwrap();
    fs::rename(&unfinished, report).unwrap();
    loop {
        thread::park();
    }
}
