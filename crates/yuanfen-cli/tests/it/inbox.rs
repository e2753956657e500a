//! `inbox`: what people see of an inbox, and what they decide. Every test runs on SQLite and on PostgreSQL.

mod database;
mod shop;

use yuanfen_testkit::Value;

use self::shop::{ACCOUNT, Shop};
use crate::program::{stderr, stdout};

fn on_both(test: fn(&Shop)) {
    test(&Shop::sqlite());
    #[cfg(unix)]
    if let Some(shop) = Shop::postgres() {
        test(&shop);
    }
}

/// What `--json` printed, one value a line.
fn rows(shop: &Shop, arguments: &[&str]) -> Vec<Value> {
    let output = shop.inbox(arguments.iter().copied().chain(["--json"]));
    stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ids(shop: &Shop, arguments: &[&str]) -> Vec<i64> {
    let rows = rows(shop, arguments);
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn lists_what_is_stored_and_what_is_asked_for() {
    on_both(|shop| {
        assert_eq!(ids(shop, &["list"]), [1, 2, 3, 4, 5, 6]);
        assert_eq!(ids(shop, &["list", "--state", "parked"]), [2, 3, 4]);
        assert_eq!(ids(shop, &["list", "--order", "A5"]), [5]);
        assert_eq!(ids(shop, &["list", "--contradicted"]), [1, 4]);
        assert_eq!(ids(shop, &["list", "--contradicted", "--state", "done"]), [1]);
        assert_eq!(ids(shop, &["list", "--route", "starpos"]), [6]);
        assert_eq!(ids(shop, &["list", "--route", "mpgateway"]), [0_i64; 0]);
        assert_eq!(ids(shop, &["list", "--account", ACCOUNT, "--after", "3"]), [4, 5, 6]);
        let parked = rows(shop, &["list", "--state", "parked"]);
        let reasons: Vec<&str> = parked.iter().map(|row| row["parked_for"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["mismatch", "handler", "conflict"]);
        assert_eq!(parked[0]["received_at"], "2025-11-22T10:00:00+08:00");
        assert_eq!(parked[0]["facts"]["amount_fen"], 100);
        assert_eq!(parked[0]["key"], format!("wechat-v3/{ACCOUNT}/order-paid/A2"));
    });
}

#[test]
fn prints_a_table_for_people_and_where_the_next_page_begins() {
    on_both(|shop| {
        let text = stdout(&shop.inbox(["list", "--limit", "3"]));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("id  state   route"), "{text}");
        assert!(
            lines[3].contains("mismatch: `amount` is 100 fen, and 200 fen is expected"),
            "{text}"
        );
        assert!(lines[4].ends_with("handler: the warehouse is closed"), "{text}");
        assert_eq!(lines.last(), Some(&"there may be more: --after 3"));
        let none = stdout(&shop.inbox(["list", "--order", "B1"]));
        assert_eq!(none, "no such events\n");
    });
}

#[test]
fn shows_what_contradicts_an_event_beside_what_is_stored() {
    on_both(|shop| {
        let text = stdout(&shop.inbox(["show", "4"]));
        let amount = text.lines().find(|line| line.starts_with("amount")).unwrap();
        let cells: Vec<&str> = amount.split_whitespace().collect();
        assert_eq!(cells, ["amount", "1.00", "1.00", "9.00", "≠"], "{text}");
        assert!(text.contains("notice 2025-11-22 10:00:00"), "{text}");
        assert_eq!(text.matches('≠').count(), 1, "{text}");
        let shown = rows(shop, &["show", "4"]);
        assert_eq!(shown[0]["conflicts"][0]["facts"]["amount_fen"], 900);
        assert_eq!(shown[0]["conflicts"][0]["resolved_at"], Value::Null);
    });
}

#[test]
fn shows_what_is_expected_of_an_event_beside_what_is_stored() {
    on_both(|shop| {
        let text = stdout(&shop.inbox(["show", "2"]));
        let amount = text.lines().find(|line| line.starts_with("amount")).unwrap();
        let cells: Vec<&str> = amount.split_whitespace().collect();
        assert_eq!(cells, ["amount", "1.00", "2.00", "≠"], "{text}");
        assert_eq!(rows(shop, &["show", "2"])[0]["expected"]["amount_fen"], 200);
    });
}

#[test]
fn shows_what_is_expected_of_a_refund_whose_key_has_the_platforms_number() {
    on_both(|shop| {
        let shown = &rows(shop, &["show", "6"])[0];
        assert_eq!(shown["subject"], "LOG1");
        assert_eq!(shown["facts"]["refund_no"], "R1");
        assert_eq!(
            (&shown["expected"]["kind"], &shown["expected"]["number"]),
            (&"refund".into(), &"R1".into())
        );
        let text = stdout(&shop.inbox(["show", "6"]));
        let refund = text.lines().find(|line| line.starts_with("refund")).unwrap();
        assert_eq!(refund.split_whitespace().collect::<Vec<_>>(), ["refund", "R1", "R1"]);
        assert!(!text.contains('≠'), "{text}");
    });
}

#[test]
fn a_request_names_nobody_unless_it_is_asked_for() {
    on_both(|shop| {
        for arguments in [["show", "4", ""], ["show", "4", "--json"]] {
            let output = shop.inbox(arguments.into_iter().filter(|argument| !argument.is_empty()));
            let text = stdout(&output);
            for hidden in ["Li Lei", "SERIAL", "secret"] {
                assert!(!text.contains(hidden), "{hidden}: {text}");
            }
        }
        let text = stdout(&shop.inbox(["show", "4", "--request"]));
        assert!(text.contains("wechatpay-serial: SERIAL"), "{text}");
        assert_eq!(text.matches("Li Lei").count(), 2, "both tellings: {text}");
        assert!(!text.contains("not kept"), "{text}");
        let row = &rows(shop, &["show", "4", "--request"])[0];
        assert_eq!(row["request"]["headers"][0][1], "SERIAL");
        assert!(row["request"]["body"].as_str().unwrap().contains("Li Lei"));
    });
}

#[test]
fn what_is_parked_is_tried_again_and_what_is_done_is_not() {
    on_both(|shop| {
        let output = shop.inbox(["retry", "2", "1", "3"]);
        assert_eq!(output.status.code(), Some(1), "one of them could not be");
        assert_eq!(stdout(&output).lines().count(), 2);
        assert!(stderr(&output).contains("1: it took effect"), "{}", stderr(&output));
        assert_eq!(ids(shop, &["list", "--state", "ready"]), [2, 3, 5, 6]);
        let output = shop.inbox(["retry", "4"]);
        assert_eq!(output.status.code(), Some(0));
        let shown = rows(shop, &["show", "4"]);
        assert!(shown[0]["conflicts"][0]["resolved_at"].is_string());
        assert_eq!(ids(shop, &["list", "--contradicted"]), [1]);
    });
}

#[test]
fn what_is_ready_is_parked_and_everything_else_is_explained() {
    on_both(|shop| {
        let output = shop.inbox(["park", "5"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(rows(shop, &["show", "5"])[0]["parked_for"], "person");
        for (arguments, words) in [
            (["park", "5"], "parked already"),
            (["park", "1"], "took effect"),
            (["park", "77"], "no event of this id"),
            (["retry", "77"], "no event of this id"),
            (["resolve", "6"], "it is ready"),
            (["resolve", "3"], "`yuanfen inbox retry`"),
        ] {
            let output = shop.inbox(arguments);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
        }
        let decided = &rows(shop, &["park", "1"])[0];
        assert_eq!(
            (&decided["id"], &decided["done"]),
            (&Value::from(1), &Value::from(false))
        );
    });
}

#[test]
fn what_a_person_has_seen_to_is_dismissed_and_needs_nobody() {
    on_both(|shop| {
        let parked = ids(shop, &["list", "--state", "parked"]);
        let arguments: Vec<String> = parked.iter().map(ToString::to_string).collect();
        let arguments: Vec<&str> = ["dismiss"]
            .into_iter()
            .chain(arguments.iter().map(|id| &**id))
            .collect();
        let output = shop.inbox(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(ids(shop, &["list", "--state", "dismissed"]), parked);
        let health = &rows(shop, &["health"])[0];
        assert_eq!(
            (&health["parked"], &health["conflicts"]),
            (&0.into(), &1.into()),
            "that of 1, which was done"
        );
        let text = stdout(&shop.inbox(["show", "4"]));
        assert!(text.lines().any(|line| line.starts_with("dismissed ")), "{text}");
        for (arguments, words) in [
            (["dismiss", "4"], "dismissed already"),
            (["dismiss", "1"], "took effect"),
            (["dismiss", "5"], "`yuanfen inbox park`"),
            (["retry", "4"], "`yuanfen inbox park` it first"),
        ] {
            let output = shop.inbox(arguments);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
        }
    });
}

#[test]
fn what_is_withdrawn_has_lapsed_and_needs_nobody() {
    on_both(|shop| {
        let output = shop.inbox(["withdraw", "8", "1"]);
        assert_eq!(output.status.code(), Some(1), "one of them could not be");
        assert!(stdout(&output).contains("8: withdrawn"), "{}", stdout(&output));
        assert!(stderr(&output).contains("1: it is over already"), "{}", stderr(&output));
        assert_eq!(rows(shop, &["health"])[0]["given_up"], 0);
        let lapsed = rows(shop, &["pending", "--state", "lapsed"]);
        assert_eq!(lapsed[0]["number"], "B1");
        let output = shop.inbox(["withdraw", "8"]);
        assert!(stderr(&output).contains("it is lapsed already"), "{}", stderr(&output));
    });
}

#[test]
fn an_event_that_is_not_there_is_not_shown() {
    on_both(|shop| {
        let output = shop.inbox(["show", "77"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("no event 77"), "{}", stderr(&output));
    });
}

#[test]
fn lists_what_is_expected() {
    on_both(|shop| {
        let open = rows(shop, &["pending", "--state", "open", "--order", "A6"]);
        assert_eq!(open.len(), 1);
        assert_eq!((&open[0]["number"], &open[0]["kind"]), (&"A6".into(), &"order".into()));
        assert_eq!(open[0]["next_query_at"], "2025-11-22T10:00:30+08:00");
        let over = rows(shop, &["pending", "--state", "over"]);
        assert_eq!(over.len(), 1, "A1 took effect");
        assert_eq!(over[0]["next_query_at"], Value::Null);
        let text = stdout(&shop.inbox(["pending"]));
        assert_eq!(
            text.lines().count(),
            11,
            "a header, a rule, eight orders, a refund: {text}"
        );
    });
}

#[test]
fn what_nobody_paid_is_listed_apart_from_what_nobody_knows() {
    on_both(|shop| {
        let given_up = &rows(shop, &["pending", "--state", "given-up"])[..];
        assert!(matches!(given_up, [one] if one["number"] == "B1"), "{given_up:?}");
        assert_eq!(given_up[0]["last_error"], "no answer");
        let lapsed = &rows(shop, &["pending", "--state", "lapsed"])[..];
        assert!(matches!(lapsed, [one] if one["number"] == "B2"), "{lapsed:?}");
        assert_eq!(
            (&lapsed[0]["state"], &lapsed[0]["standing"]),
            (&"lapsed".into(), &"accepted".into())
        );
    });
}

#[test]
fn what_was_given_up_or_has_lapsed_is_queried_once_more_and_the_rest_is_explained() {
    on_both(|shop| {
        let output = shop.inbox(["requery", "8", "1", "9"]);
        assert_eq!(output.status.code(), Some(1), "one of them could not be");
        assert_eq!(stdout(&output).lines().count(), 2, "{}", stdout(&output));
        assert!(stderr(&output).contains("1: its end is known"), "{}", stderr(&output));
        for state in ["given-up", "lapsed"] {
            assert_eq!(ids(shop, &["pending", "--state", state]), [0_i64; 0]);
        }
        let open = rows(shop, &["pending", "--state", "open", "--after", "7"]);
        let numbers: Vec<&Value> = open.iter().map(|row| &row["number"]).collect();
        assert_eq!(numbers, ["B1", "B2"]);
        assert!(open.iter().all(|row| row["next_query_at"].is_string()), "{open:?}");
        for (id, words) in [("8", "open already"), ("77", "no order or refund of this id")] {
            let output = shop.inbox(["requery", id]);
            assert_eq!(output.status.code(), Some(1), "{id}");
            assert!(stderr(&output).contains(words), "{id}: {}", stderr(&output));
        }
        let decided = &rows(shop, &["requery", "9"])[0];
        assert_eq!(
            (&decided["id"], &decided["done"]),
            (&Value::from(9), &Value::from(false))
        );
    });
}

/// What `health` says that a person has to do.
fn needs(shop: &Shop, arguments: &[&str]) -> String {
    let arguments: Vec<&str> = ["health"].iter().chain(arguments).copied().collect();
    let health = &rows(shop, &arguments)[0];
    let needs = health["needs"].as_array().unwrap();
    needs
        .iter()
        .map(|need| need.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn health_says_what_a_person_has_to_do_and_exits_by_it() {
    on_both(|shop| {
        let output = shop.inbox(["health"]);
        assert_eq!(output.status.code(), Some(1));
        let text = stdout(&output);
        assert!(text.contains("3 parked: `yuanfen inbox list --state parked`"), "{text}");
        assert!(text.contains("1 given up before their end was known"), "{text}");
        let health = &rows(shop, &["health"])[0];
        assert_eq!((&health["ready"], &health["parked"]), (&2.into(), &3.into()));
        assert_eq!((&health["conflicts"], &health["pending"]), (&2.into(), &6.into()));
        assert_eq!(health["given_up"], 1, "B2 was not paid, which needs nobody");
    });
}

#[test]
fn health_notices_that_nothing_is_queried() {
    on_both(|shop| {
        let health = &rows(shop, &["health"])[0];
        assert!(health["query_overdue_seconds"].as_u64().unwrap() > 600, "{health}");
        assert!(needs(shop, &[]).contains("a query is overdue for"));
        let calm = needs(shop, &["--max-overdue", "4000000000"]);
        assert!(!calm.contains("overdue"), "{calm}");
    });
}

#[test]
fn health_names_what_was_done_and_is_contradicted_beside_what_is_parked() {
    on_both(|shop| {
        let contradicted = "what was done or dismissed is contradicted";
        let before = needs(shop, &[]);
        assert!(before.contains(contradicted) && before.contains("3 parked"), "{before}");
        let output = shop.inbox(["resolve", "1"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(rows(shop, &["list", "--state", "done"])[0]["id"], 1, "it stays done");
        // What contradicts the event that is parked is left to that.
        assert_eq!(rows(shop, &["health"])[0]["conflicts"], 1);
        let after = needs(shop, &[]);
        assert!(!after.contains(contradicted), "{after}");
        let output = shop.inbox(["resolve", "1"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("nothing contradicts it"),
            "{}",
            stderr(&output)
        );
    });
}
