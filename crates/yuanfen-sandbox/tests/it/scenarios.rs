//! Scenarios: the files that ship, files with mistakes, and what playing one changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use yuanfen_sandbox::{FaultKind, Sandbox, Scenario, ScenarioError};

use crate::shop::{clock, far_side, v3};

const CERTIFICATES: &str = "/v3/certificates";

#[test]
fn every_file_of_the_folder_ships_and_has_its_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = Scenario::names()
        .flat_map(|name| [format!("{name}.json"), format!("{name}.md")])
        .collect();
    assert_eq!(files, expected);
    assert!(Scenario::names().count() >= 12);
    assert_eq!(Scenario::all().count(), Scenario::names().count());
}

#[test]
fn what_ships_says_what_it_is_in_both_languages() {
    let is_chinese = |text: &str| {
        text.chars()
            .any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character))
    };
    for scenario in Scenario::all() {
        let name = &scenario.name;
        assert_eq!(Scenario::named(name).unwrap(), scenario);
        assert!(!scenario.faults.rules.is_empty() || scenario.settings != yuanfen_sandbox::Settings::default());
        for (english, chinese) in [
            (&scenario.title.en, &scenario.title.zh),
            (&scenario.summary.en, &scenario.summary.zh),
        ] {
            assert!(!english.is_empty() && !is_chinese(english), "{name}");
            assert!(is_chinese(chinese), "{name}");
        }
        let page = scenario.page.unwrap();
        assert!(page.starts_with(&format!("# {}\n", scenario.title.en)), "{name}");
        assert!(
            page.contains(&format!("\n`yuanfen sandbox --scenario {name}`\n")),
            "{name}"
        );
        assert!(page.contains(&format!("\n## {}\n", scenario.title.zh)), "{name}");
        for heading in [
            "**What happens.**",
            "**When in life.**",
            "**What the shop sees.**",
            "**What a correct shop does.**",
            "**What a wrong one loses.**",
            "**With Yuanfen.**",
            "**正确的商户怎么做。**",
        ] {
            assert!(page.contains(heading), "{name}: {heading}");
        }
        // Written out and read again it is the same, but for the page.
        let again = Scenario::from_json(scenario.to_json()).unwrap();
        assert_eq!(again.faults, scenario.faults);
        assert_eq!((again.settings, again.seed), (scenario.settings, scenario.seed));
        assert_eq!(again.page, None);
    }
}

fn file() -> Value {
    json!({
        "schema": 1,
        "name": "slow-evening",
        "title": { "en": "A slow evening", "zh": "缓慢的晚上" },
        "summary": { "en": "Slow.", "zh": "慢。" },
        "seed": 18_446_744_073_709_551_615_u64,
        "starts_at": "19:30",
        "settings": { "starpos_unsure": true },
        "faults": [{ "kind": { "delay-ms": 5 } }, { "kind": "lose-reply", "times": 1 }],
    })
}

#[test]
fn a_file_is_read_member_by_member() {
    let scenario = Scenario::from_json(file().to_string()).unwrap();
    assert_eq!(scenario.name, "slow-evening");
    assert_eq!(scenario.seed, u64::MAX);
    assert_eq!(scenario.starts_at, Some(Duration::from_secs(19 * 3600 + 30 * 60)));
    assert_eq!(scenario.settings.starpos_unsure, Some(true));
    assert_eq!(scenario.faults.rules[1].times, Some(1));
    assert_eq!(serde_json::from_str::<Value>(&scenario.to_json()).unwrap(), file());
    // Seed, time and settings may be left out.
    let mut short = file();
    for name in ["seed", "starts_at", "settings"] {
        short.as_object_mut().unwrap().remove(name);
    }
    let short = Scenario::from_json(short.to_string()).unwrap();
    assert_eq!((short.seed, short.starts_at), (0, None));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let set = |pointer: &str, value: Value| {
        let mut file = file();
        *file.pointer_mut(pointer).unwrap() = value;
        file.to_string()
    };
    let mut lacking = file();
    lacking.as_object_mut().unwrap().remove("faults");
    let mut longer = file();
    longer["steps"] = json!([]);
    for (wrong, path, words) in [
        ("no JSON".to_owned(), "", "expected"),
        (lacking.to_string(), "", "missing field `faults`"),
        (longer.to_string(), "steps", "unknown field `steps`"),
        (set("/schema", json!(2)), "schema", "is 1"),
        (set("/name", json!("Slow Evening")), "name", "lower-case"),
        (set("/name", json!("")), "name", "lower-case"),
        (set("/title", json!({ "en": "x" })), "title", "missing field `zh`"),
        (set("/seed", json!(-1)), "seed", "invalid value: integer `-1`"),
        (set("/starts_at", json!("24:00")), "starts_at", "08:30"),
        (set("/starts_at", json!("8:30")), "starts_at", "08:30"),
        (set("/starts_at", json!("+8:30")), "starts_at", "08:30"),
        (
            set("/settings", json!({ "starpos": true })),
            "settings.starpos",
            "unknown field",
        ),
        (
            set("/settings/starpos_unsure", json!("yes")),
            "settings.starpos_unsure",
            "invalid type",
        ),
        (
            set("/faults/0/kind", json!("late")),
            "faults[0].kind",
            "unknown variant `late`",
        ),
        (set("/faults/1/times", json!(0)), "faults[1].times", "hits no call"),
        (
            set("/faults/1", json!({ "kind": "lose-reply", "operation": "pay" })),
            "faults[1].operation",
            "no such operation as `pay`",
        ),
    ] {
        let error = Scenario::from_json(&wrong).unwrap_err();
        let ScenarioError::Member { path: found, problem } = &error else {
            panic!("{error}")
        };
        assert_eq!(found, path, "{wrong}: {error}");
        assert!(problem.contains(words), "{wrong}: {error}");
    }
    let unknown = Scenario::named("quiet-day").unwrap_err().to_string();
    assert!(unknown.starts_with("no scenario is called `quiet-day`; there are reply-lost-after-placing, "));
}

#[tokio::test]
async fn a_sandbox_starts_with_a_scenario_at_its_time_of_day() {
    let scenario = Scenario::from_json(file().to_string()).unwrap();
    let start = |seed: Option<u64>| {
        let builder = Sandbox::builder().clock(clock()).scenario(scenario.clone());
        seed.map_or(builder.clone(), |seed| builder.seed(seed)).start()
    };
    let sandbox = start(None).await.unwrap();
    // 16:53:20 in Beijing, and 19:30 of the same day.
    assert_eq!(sandbox.clock().now().seconds() - crate::shop::NOW, 9_400);
    assert_eq!(sandbox.scenario().unwrap().name, "slow-evening");
    assert_eq!(sandbox.faults().len(), 2);
    // Its seed is the sandbox's, unless another one is given.
    let code = |sandbox: &Sandbox| {
        sandbox.payment_code(yuanfen_sandbox::Platform::WechatV3, yuanfen_sandbox::Payer::default())
    };
    let first = code(&sandbox);
    assert_eq!(code(&start(None).await.unwrap()), first);
    assert_ne!(code(&start(Some(1)).await.unwrap()), first);
}

#[test]
fn a_scenario_is_played_until_another_plan_takes_its_place() {
    let far_side = far_side();
    assert_eq!(far_side.scenario(), None);
    let mut file = file();
    file["settings"] = json!({ "wechat_v3_public_key_only": true });
    file["faults"] = json!([{ "kind": "add-fields" }]);
    far_side.play(Scenario::from_json(file.to_string()).unwrap());
    let refused = v3(&far_side, "GET", CERTIFICATES, "");
    assert_eq!(refused.status(), 404);
    assert_eq!(far_side.exchanges()[0].faults, [FaultKind::AddFields]);
    assert_eq!(far_side.scenario().unwrap().name, "slow-evening");
    // The clock stays where it is.
    assert_eq!(far_side.clock().now().seconds(), crate::shop::NOW);
    far_side.set_faults(FaultKind::UnknownValues);
    assert_eq!(far_side.scenario(), None);
    // What was agreed stays agreed.
    assert_eq!(v3(&far_side, "GET", CERTIFICATES, "").status(), 404);
}
