//! Who gets in at the admin API's port, byte by byte: hosts, foreign pages, tokens, methods and bodies.

use std::net::SocketAddr;

use yuanfen_core::Secret;
use yuanfen_sandbox::{Sandbox, SandboxBuilder, SandboxError};

use crate::shop::{clock, raw};

const TOKEN: &str = "a-token-of-this-test";

async fn start(builder: SandboxBuilder) -> Sandbox {
    builder.clock(clock()).start().await.unwrap()
}

/// What is answered to these lines and this body; `HOST` in them stands for the address.
async fn ask(sandbox: &Sandbox, lines: &[&str], body: &str) -> String {
    let mut request = lines.join("\r\n").replace("HOST", &sandbox.admin_address().to_string());
    request.push_str("\r\nconnection: close\r\n");
    if !body.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    let request = format!("{request}\r\n{body}");
    let answer = raw(sandbox.admin_address(), request.as_bytes()).await;
    String::from_utf8(answer).unwrap()
}

async fn status(sandbox: &Sandbox, lines: &[&str], body: &str) -> u16 {
    status_of(&ask(sandbox, lines, body).await)
}

fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn answers_for_its_own_address_and_no_other_host() {
    let sandbox = start(Sandbox::builder()).await;
    let port = sandbox.admin_address().port();
    let state = |host: String| {
        let sandbox = &sandbox;
        async move {
            let lines = ["GET /api/state HTTP/1.1".to_owned(), format!("host: {host}")];
            ask(sandbox, &[&lines[0], &lines[1]], "").await
        }
    };
    for own in ["127.0.0.1", "localhost", "LocalHost", "[::1]", "127.8.9.10"] {
        let answer = state(format!("{own}:{port}")).await;
        assert_eq!(status_of(&answer), 200, "{own}: {answer}");
    }
    let other = port.wrapping_add(1);
    for foreign in [
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{other}"),
        format!("localhost.evil.example:{port}"),
        format!("localhost:{port}@evil.example:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("192.0.2.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.1:{port}"),
        String::new(),
        "a b".to_owned(),
    ] {
        let answer = state(foreign.clone()).await;
        // hyper itself says 400 to a host that is none.
        assert!([400, 403].contains(&status_of(&answer)), "{foreign}: {answer}");
        assert!(!answer.contains("revision"), "{foreign}: {answer}");
    }
    let refused = state(format!("evil.example:{port}")).await;
    let body = refused.split("\r\n\r\n").nth(1).unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(
        body["error"].as_str().unwrap().starts_with("the `Host` is not"),
        "{body}"
    );
}

#[tokio::test]
async fn wants_one_host_and_the_same_in_an_absolute_target() {
    let sandbox = start(Sandbox::builder()).await;
    let target = format!("GET http://{}/api/state HTTP/1.1", sandbox.admin_address());
    assert_eq!(status(&sandbox, &[&target, "host: HOST"], "").await, 200);
    for wrong in [
        &["GET /api/state HTTP/1.1", "accept: */*"][..],
        &["GET /api/state HTTP/1.1", "host: HOST", "host: HOST"],
        &["GET http://evil.example/api/state HTTP/1.1", "host: HOST"],
        &["GET /api/state HTTP/1.0"],
    ] {
        assert_eq!(status(&sandbox, wrong, "").await, 403, "{wrong:?}");
    }
}

#[tokio::test]
async fn does_nothing_that_a_foreign_page_sends() {
    let sandbox = start(Sandbox::builder()).await;
    let own = [
        "POST /api/public-key-mode HTTP/1.1",
        "host: HOST",
        "content-type: application/json",
    ];
    let on = "{\"on\":true}";
    let with = |line: &'static str| [own[0], own[1], own[2], line];
    for foreign in [
        "origin: http://evil.example",
        "origin: null",
        "origin: http://localhost:1",
        "origin: ftp://HOST",
        "origin: HOST",
        "origin: http://HOST/",
        "origin: ",
        "sec-fetch-site: cross-site",
        "sec-fetch-site: same-site",
    ] {
        assert_eq!(status(&sandbox, &with(foreign), on).await, 403, "{foreign}");
    }
    let twice = [
        own[0],
        own[1],
        own[2],
        "origin: http://HOST",
        "origin: http://evil.example",
    ];
    assert_eq!(status(&sandbox, &twice, on).await, 403);
    assert!(sandbox.wechat_v3().platform_serial.len() == 40);
    for own in [
        "origin: http://HOST",
        "origin: https://HOST",
        "sec-fetch-site: same-origin",
        "sec-fetch-site: none",
    ] {
        assert_eq!(status(&sandbox, &with(own), on).await, 200, "{own}");
    }
}

#[tokio::test]
async fn a_page_of_this_machine_may_link_to_it_and_no_more() {
    let sandbox = start(Sandbox::builder()).await;
    let site = "sec-fetch-site: same-site";
    let link = [
        "GET /api/state HTTP/1.1",
        "host: HOST",
        site,
        "sec-fetch-mode: navigate",
        "sec-fetch-dest: document",
    ];
    assert_eq!(status(&sandbox, &link, "").await, 200);
    let framed = [
        link[0],
        link[1],
        site,
        "sec-fetch-mode: navigate",
        "sec-fetch-dest: iframe",
    ];
    assert_eq!(status(&sandbox, &framed, "").await, 403);
    let script = [
        link[0],
        link[1],
        site,
        "sec-fetch-mode: no-cors",
        "sec-fetch-dest: script",
    ];
    assert_eq!(status(&sandbox, &script, "").await, 403);
}

#[tokio::test]
async fn takes_json_alone_and_not_too_much_of_it() {
    let sandbox = start(Sandbox::builder()).await;
    let put = ["PUT /api/faults HTTP/1.1", "host: HOST"];
    let with = |line: &'static str| [put[0], put[1], line];
    for kind in [
        "content-type: application/json",
        "content-type: Application/JSON; charset=utf-8",
    ] {
        assert_eq!(status(&sandbox, &with(kind), "[]").await, 200, "{kind}");
    }
    for kind in [
        "content-type: text/plain",
        "content-type: application/x-www-form-urlencoded",
        "content-type: multipart/form-data; boundary=x",
        "content-type: application/jsonp",
        "content-type: ",
        "accept: */*",
    ] {
        assert_eq!(status(&sandbox, &with(kind), "[]").await, 415, "{kind}");
    }
    let empty = ["POST /api/platform-certificate/rotate HTTP/1.1", "host: HOST"];
    assert_eq!(status(&sandbox, &empty, "").await, 200);
    let long = format!("[{}]", " ".repeat(1 << 20));
    let answer = ask(&sandbox, &with("content-type: application/json"), &long).await;
    assert_eq!(status_of(&answer), 413, "{answer}");
    assert!(
        answer.ends_with("{\"error\":\"the body has more than 1 MiB\"}\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn says_which_methods_a_path_takes() {
    let sandbox = start(Sandbox::builder()).await;
    for (call, allow) in [
        ("DELETE /api/state", "GET"),
        ("HEAD /api/state", "GET"),
        ("OPTIONS /api/settings", "GET, PUT"),
        ("PATCH /api/bills", "GET, POST"),
        ("GET /api/orders/wechat-v3/A1/pay", "POST"),
    ] {
        let first = format!("{call} HTTP/1.1");
        let answer = ask(&sandbox, &[&first, "host: HOST"], "").await;
        assert_eq!(
            (status_of(&answer), header(&answer, "allow")),
            (405, Some(allow)),
            "{call}"
        );
    }
    for nowhere in [
        "/api",
        "/api/",
        "/api/state/",
        "//api/state",
        "/api/orders/wechat-v3",
        "/sandbox/orders",
        "/api/%ff",
    ] {
        let first = format!("GET {nowhere} HTTP/1.1");
        assert_eq!(status(&sandbox, &[&first, "host: HOST"], "").await, 404, "{nowhere}");
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=%2B5",
        "before=-1",
        "before=",
        "page=2",
        "limit=1&limit=2",
        "limit=%zz",
    ] {
        let first = format!("GET /api/exchanges?{query} HTTP/1.1");
        assert_eq!(status(&sandbox, &[&first, "host: HOST"], "").await, 400, "{query}");
    }
}

#[tokio::test]
async fn every_answer_tells_the_browser_to_be_careful() {
    let sandbox = start(Sandbox::builder()).await;
    for lines in [
        &["GET /api/state HTTP/1.1", "host: HOST"][..],
        &["GET /nowhere HTTP/1.1", "host: HOST"],
        &["GET /api/state HTTP/1.1", "host: evil.example"],
        &["GET /api/events HTTP/1.0", "host: evil.example"],
    ] {
        let answer = ask(&sandbox, lines, "").await;
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"));
        assert_eq!(header(&answer, "cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(header(&answer, "access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn with_a_token_nobody_gets_in_without() {
    let sandbox = start(Sandbox::builder().admin_token(Secret::new(TOKEN.to_owned()))).await;
    let state = ["GET /api/state HTTP/1.1", "host: HOST"];
    let with = |line: String| {
        let sandbox = &sandbox;
        async move { status(sandbox, &[state[0], state[1], &line], "").await }
    };
    let refused = ask(&sandbox, &state, "").await;
    assert_eq!(
        (status_of(&refused), header(&refused, "www-authenticate")),
        (401, Some("Bearer"))
    );
    assert_eq!(with(format!("authorization: Bearer {TOKEN}")).await, 200);
    assert_eq!(with(format!("authorization: bearer {TOKEN}")).await, 200);
    for wrong in [
        format!("authorization: Bearer {TOKEN}x"),
        format!("authorization: Bearer {}", &TOKEN[1..]),
        format!("authorization: Basic {TOKEN}"),
        format!("authorization: {TOKEN}"),
        "authorization: Bearer ".to_owned(),
        format!("cookie: yuanfen-sandbox-{}={TOKEN}", sandbox.admin_address().port()),
    ] {
        assert_eq!(with(wrong.clone()).await, 401, "{wrong}");
    }
    // A foreign page is refused before the token is looked at.
    let foreign = [state[0], "host: evil.example"];
    assert_eq!(status(&sandbox, &foreign, "").await, 403);
}

#[tokio::test]
async fn a_browser_comes_with_the_token_once_and_stays_with_a_cookie() {
    let sandbox = start(Sandbox::builder().admin_token(Secret::new(TOKEN.to_owned()))).await;
    let first = format!("GET /?token={TOKEN} HTTP/1.1");
    let answer = ask(&sandbox, &[&first, "host: HOST"], "").await;
    assert_eq!((status_of(&answer), header(&answer, "location")), (303, Some("/")));
    let cookie = header(&answer, "set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let shown = format!("cookie: theme=dark; {pair}");
    assert_eq!(
        status(&sandbox, &["GET /api/state HTTP/1.1", "host: HOST", &shown], "").await,
        200
    );
    let stolen = start(Sandbox::builder().admin_token(Secret::new(TOKEN.to_owned()))).await;
    assert_eq!(
        status(&stolen, &["GET /api/state HTTP/1.1", "host: HOST", &shown], "").await,
        401
    );
    for wrong in [
        "GET /?token=x HTTP/1.1",
        "GET /api/state?token=TOKEN HTTP/1.1",
        "POST /?token=TOKEN HTTP/1.1",
    ] {
        let wrong = wrong.replace("TOKEN", TOKEN);
        assert_eq!(status(&sandbox, &[&wrong, "host: HOST"], "").await, 401, "{wrong}");
    }
}

#[tokio::test]
async fn listens_beyond_loopback_only_with_a_token_and_under_names_it_was_told() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let refused = Sandbox::builder().admin_listen(everywhere).start().await;
    assert!(
        matches!(refused, Err(SandboxError::AdminWithoutToken(_))),
        "{refused:?}"
    );
    for weak in [
        "",
        "short",
        "fifteen-letters",
        "sixteen letters.",
        "sixteen-letters\u{e9}!",
    ] {
        let refused = Sandbox::builder()
            .admin_token(Secret::new(weak.to_owned()))
            .start()
            .await;
        assert!(matches!(refused, Err(SandboxError::AdminToken)), "{weak}");
    }
    let refused = Sandbox::builder().admin_name("not a host").start().await;
    assert!(matches!(refused, Err(SandboxError::AdminName(_))), "{refused:?}");

    let builder = Sandbox::builder()
        .admin_listen(everywhere)
        .admin_name("sandbox")
        .admin_name("pay.test:8443")
        .admin_token(Secret::new(TOKEN.to_owned()));
    let printed = format!("{builder:?}");
    assert!(!printed.contains(TOKEN), "{printed}");
    let sandbox = start(builder).await;
    let port = sandbox.admin_address().port();
    assert_eq!(sandbox.admin_url(), format!("http://127.0.0.1:{port}"));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    for (host, status) in [
        (format!("sandbox:{port}"), 200),
        ("Sandbox:1".to_owned(), 200),
        ("sandbox".to_owned(), 200),
        ("pay.test:8443".to_owned(), 200),
        // An address is no name that could be made to point here.
        (format!("192.0.2.1:{port}"), 200),
        ("pay.test".to_owned(), 403),
        (format!("evil.example:{port}"), 403),
        ("192.0.2.1:1".to_owned(), 403),
    ] {
        let call = format!(
            "GET /api/state HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
        );
        let answer = String::from_utf8(raw(address, call.as_bytes()).await).unwrap();
        assert_eq!(status_of(&answer), status, "{host}");
    }
}
