//! A plan is data: how it is written, what is refused about it, and what its odds and counts depend on.

use yuanfen_sandbox::{Account, FarSide, FaultKind, FaultPlan, FaultRule, Platform, RefusalCode};

use crate::shop::{clock, far_side, place, v3, v3_request};

const URL: &str = "http://127.0.0.1:9/notify";
const CERTIFICATES: &str = "/v3/certificates";

fn query_of(order_no: &str) -> String {
    format!("/v3/pay/transactions/out-trade-no/{order_no}?mchid=1900000001")
}

#[test]
fn a_plan_is_json() {
    let text = r#"[
        {"kind":"corrupt-signature","platform":"wechat-v3","operation":"query-order","skip":1,"times":2},
        {"kind":{"delay-ms":250},"permille":10},
        {"kind":{"refuse":"NOTENOUGH"},"account":"wechat-v2-provider","order_no_prefix":"SHOP"},
        {"kind":{"change-amount":1},"order_no":"SHOP1"}
    ]"#;
    let plan = FaultPlan::from_json(text).unwrap();
    assert_eq!(plan.rules[0].times, Some(2));
    assert_eq!(plan.rules[1].kind, FaultKind::DelayMs(250));
    assert_eq!(plan.rules[2].account, Some(Account::provider(Platform::WechatV2)));
    assert_eq!(plan.rules[3].order_no.as_deref(), Some("SHOP1"));
    let written = serde_json::to_string(&plan).unwrap();
    assert_eq!(FaultPlan::from_json(&written).unwrap(), plan);
    assert_eq!(serde_json::from_str::<FaultPlan>(&written).unwrap(), plan);
}

#[test]
fn what_is_wrong_with_a_plan_is_said_with_the_rule_and_its_member() {
    for (wrong, path, words) in [
        ("{}", "", "invalid type: map"),
        ("[", "", "EOF while parsing a list"),
        ("[] []", "", "trailing characters"),
        (r#"[{}]"#, "[0]", "missing field `kind`"),
        (
            r#"[{"kind":"lose-reply"},{"kind":"looses-reply"}]"#,
            "[1].kind",
            "unknown variant `looses-reply`",
        ),
        (
            r#"[{"kind":"lose-reply","plattform":"wechat-v3"}]"#,
            "[0].plattform",
            "unknown field `plattform`",
        ),
        (
            r#"[{"kind":"lose-reply","platform":"wechat"}]"#,
            "[0].platform",
            "unknown variant `wechat`",
        ),
        (
            r#"[{"kind":"lose-reply","account":"fshows-provider"}]"#,
            "[0].account",
            "no such account as `fshows-provider`",
        ),
        (
            r#"[{"kind":{"status":199}}]"#,
            "[0].kind.status",
            "a status is a number from 200 to 599",
        ),
        (
            r#"[{"kind":{"status":600}}]"#,
            "[0].kind.status",
            "a status is a number from 200 to 599",
        ),
        (r#"[{"kind":"status"}]"#, "[0].kind.status", "expected newtype variant"),
        (r#"[{"kind":{"change-amount":0}}]"#, "[0].kind.change-amount", "zero"),
        (
            r#"[{"kind":{"refuse":"NOMONEY"}}]"#,
            "[0].kind.refuse",
            "no platform refuses with `NOMONEY`; known are on wechat-v2 SYSTEMERROR",
        ),
        (
            r#"[{"kind":"lose-reply","times":-1}]"#,
            "[0].times",
            "invalid value: integer `-1`",
        ),
        (r#"[{"kind":"lose-reply","times":0}]"#, "[0].times", "hits no call"),
        (
            r#"[{"kind":"lose-reply","permille":1001}]"#,
            "[0].permille",
            "from 1 to 1000",
        ),
        (
            r#"[{"kind":"lose-reply","permille":0}]"#,
            "[0].permille",
            "from 1 to 1000",
        ),
        (
            r#"[{"kind":"lose-reply","order_no":""}]"#,
            "[0].order_no",
            "empty number",
        ),
        (
            r#"[{"kind":"lose-reply","order_no":"A","order_no_prefix":"A"}]"#,
            "[0].order_no_prefix",
            "either",
        ),
        (
            r#"[{"kind":"lose-reply","platform":"fshows","account":"wechat-v3"}]"#,
            "[0].account",
            "`wechat-v3` is not on fshows",
        ),
        (
            r#"[{"kind":"lose-reply","platform":"wechat-v3","operation":"place-order"}]"#,
            "[0].operation",
            "no such operation as `place-order`; known are on wechat-v3 place-jsapi-order, ",
        ),
        (
            r#"[{"kind":"lose-reply","operation":"pay-notice"}]"#,
            "[0].operation",
            "`lose-reply` strikes calls, and `pay-notice` is a notice",
        ),
        (
            r#"[{"kind":"lose-notice","operation":"refund"}]"#,
            "[0].operation",
            "`lose-notice` strikes notices, and `refund` is a call",
        ),
        (
            r#"[{"kind":"rotate-key","platform":"wechat-v2"}]"#,
            "[0].kind",
            "`rotate-key` does not happen on wechat-v2",
        ),
        (
            r#"[{"kind":{"refuse":"NOTENOUGH"},"platform":"wechat-v3"}]"#,
            "[0].kind",
            "`refuse=NOTENOUGH` does not happen on wechat-v3",
        ),
        (
            r#"[{"kind":{"refuse":"-221"},"operation":"upload-image"}]"#,
            "[0].operation",
            "known are on fshows place-order",
        ),
    ] {
        let error = FaultPlan::from_json(wrong).unwrap_err();
        assert_eq!(error.path, path, "{wrong}: {error}");
        assert!(error.problem.contains(words), "{wrong}: {error}");
        assert!(serde_json::from_str::<FaultPlan>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn faults_are_read_as_they_are_written() {
    for spelling in FaultKind::SPELLINGS {
        let text = spelling
            .replace("=N", "=502")
            .replace("=FEN", "=1")
            .replace("=CODE", "=SYSTEMERROR");
        let kind: FaultKind = text.parse().unwrap();
        assert_eq!(kind.to_string(), text);
        // In JSON the name is the same.
        let json = serde_json::to_string(&kind).unwrap();
        let name = text.split('=').next().unwrap();
        assert!(
            json == format!("\"{name}\"") || json.starts_with(&format!("{{\"{name}\":")),
            "{json}"
        );
    }
    for wrong in [
        "",
        "corrupt",
        "corrupt-signature=1",
        "status",
        "status=99",
        "status=600",
        "delay-ms=-1",
        "change-amount=0",
        "change-amount=0.01",
        "refuse",
        "refuse=",
        "refuse=NOMONEY",
        "stale-seconds=-1",
    ] {
        assert!(wrong.parse::<FaultKind>().is_err(), "{wrong}");
    }
}

#[test]
fn a_plan_is_a_line_of_text_too() {
    let text = "lose-reply platform=wechat-v3 operation=refund skip=1 times=1; status=502 permille=20; \
                refuse=SYSTEMERROR account=wechat-v2 order_no=SHOP1; lose-notice order_no_prefix=SHOP";
    let plan: FaultPlan = text.parse().unwrap();
    assert_eq!(plan.to_string(), text);
    assert_eq!(plan.rules[0], {
        FaultRule::new(FaultKind::LoseReply)
            .on(Platform::WechatV3)
            .during("refund")
            .nth(2)
    });
    assert_eq!(plan.rules[2].kind, FaultKind::Refuse("SYSTEMERROR".parse().unwrap()));
    assert_eq!(
        " [{\"kind\":\"accepted\"}]".parse::<FaultPlan>().unwrap().to_string(),
        "accepted"
    );
    assert_eq!("".parse::<FaultPlan>().unwrap(), FaultPlan::none());
    for (wrong, words) in [
        ("loose-reply", "no such fault as `loose-reply`"),
        ("lose-reply first", "`first`: a member is written name=value"),
        ("lose-reply route=v3", "`route=v3`: members are platform, "),
        ("lose-reply platform=v3", "`platform=v3`: no such platform"),
        ("lose-reply times=x", "`times=x`: invalid digit"),
        (
            "accepted; lose-reply times=0",
            "`[1].times`: a rule that hits no call has no effect",
        ),
    ] {
        let error = wrong.parse::<FaultPlan>().unwrap_err().to_string();
        assert!(error.contains(words), "{wrong}: {error}");
    }
}

#[test]
fn every_platform_has_codes_to_refuse_with_and_operations_to_name() {
    for platform in Platform::ALL {
        assert!(RefusalCode::of(*platform).count() >= 6, "{platform}");
        assert!(platform.operations().contains(&"pay-notice"), "{platform}");
        for operation in platform.operations() {
            let kind = if operation.ends_with("-notice") {
                FaultKind::LoseNotice
            } else {
                FaultKind::LoseReply
            };
            let rule = FaultRule::new(kind).on(*platform).during(*operation);
            assert!(FaultPlan::try_from(vec![rule]).is_ok(), "{platform} {operation}");
        }
    }
}

#[test]
fn a_rule_is_about_one_order_or_orders_of_one_beginning() {
    let far_side = far_side();
    for order_no in ["order-1", "order-12", "shop-1"] {
        place(&far_side, order_no, 100, URL);
    }
    let struck = |far_side: &FarSide, order_no: &str| {
        far_side
            .answer(&v3_request(far_side, "GET", &query_of(order_no), ""))
            .is_err()
    };
    far_side.set_faults(FaultRule::new(FaultKind::LoseReply).about("order-1"));
    assert_eq!(
        ["order-1", "order-12", "shop-1"].map(|number| struck(&far_side, number)),
        [true, false, false]
    );
    far_side.set_faults(FaultRule::new(FaultKind::LoseReply).about_prefix("order-1"));
    assert_eq!(
        ["order-1", "order-12", "shop-1"].map(|number| struck(&far_side, number)),
        [true, true, false]
    );
    // A call that names no order is about none.
    assert!(v3(&far_side, "GET", CERTIFICATES, "").status().is_success());
}

#[test]
fn a_rule_is_for_one_caller() {
    let far_side = far_side();
    let own = || {
        far_side
            .answer(&v3_request(&far_side, "GET", CERTIFICATES, ""))
            .is_err()
    };
    far_side.set_faults(FaultRule::new(FaultKind::LoseReply).of(Account::provider(Platform::WechatV3)));
    assert!(!own());
    far_side.set_faults(FaultRule::new(FaultKind::LoseReply).of(Platform::WechatV3));
    assert!(own());
    let tally = &far_side.faults()[0];
    assert_eq!((tally.matched, tally.struck), (1, 1));
}

/// Which of 64 queries an even chance struck, by its platform's place in the list of faults.
fn drawn(seed: u64, plan: FaultPlan, between: impl Fn(&FarSide)) -> Vec<bool> {
    let far_side = FarSide::new("https://sandbox.example", clock(), seed).unwrap();
    far_side.set_faults(plan);
    (0..64)
        .map(|_| {
            between(&far_side);
            let refund = "/v3/refund/domestic/refunds/R1";
            v3(&far_side, "GET", refund, "").status() == 202
        })
        .collect()
}

#[test]
fn odds_come_from_the_seed_and_nothing_else_changes_them() {
    let rule = || FaultRule::new(FaultKind::Accepted).permille(500);
    let alone = drawn(1, rule().into(), |_| ());
    assert_eq!(alone, drawn(1, rule().into(), |_| ()));
    assert_ne!(alone, drawn(2, rule().into(), |_| ()));
    let struck = alone.iter().filter(|struck| **struck).count();
    assert!((16..48).contains(&struck), "{struck}");

    // Another rule before it draws from a row of its own.
    let other = FaultRule::new(FaultKind::AddFields).permille(300);
    assert_eq!(alone, drawn(1, FaultPlan::from(other).with(rule()), |_| ()));
    // So do calls of other operations in between, which the same rule matches.
    let between = |far_side: &FarSide| {
        let _response = v3(far_side, "GET", CERTIFICATES, "");
    };
    assert_eq!(alone, drawn(1, rule().into(), between));
    // The same rule twice draws twice: together they strike more often than one of them.
    let twice = drawn(1, FaultPlan::from(rule()).with(rule()), |_| ());
    let both = twice.iter().filter(|struck| **struck).count();
    assert!(both > struck, "{both} {struck}");
    assert!(alone.iter().zip(&twice).all(|(one, two)| !one || *two));
}

#[test]
fn a_plan_set_anew_counts_anew() {
    let far_side = far_side();
    let rule = || FaultRule::new(FaultKind::LoseReply).during("certificates").nth(2);
    let struck = || {
        far_side
            .answer(&v3_request(&far_side, "GET", CERTIFICATES, ""))
            .is_err()
    };
    far_side.set_faults(rule());
    assert_eq!([struck(), struck(), struck()], [false, true, false]);
    let tally = far_side.faults().remove(0);
    assert_eq!((tally.rule, tally.matched, tally.struck), (rule(), 3, 1));
    far_side.set_faults(rule());
    assert_eq!([struck(), struck(), struck()], [false, true, false]);
}
