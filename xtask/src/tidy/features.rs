//! Every feature of every crate behind the facade can be switched on from the facade, and no facade feature drags in a
//! crate nobody asked for.

use std::collections::BTreeSet;

use crate::metadata::{Metadata, Package};

const FACADE: &str = "yuanfen";

/// Features that the facade leaves out on purpose: crate, feature, reason.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    check_against(metadata, &EXCEPTIONS)
}

fn check_against(metadata: &Metadata, exceptions: &[(&str, &str, &str)]) -> Vec<String> {
    let Some(facade) = metadata.member(FACADE) else {
        return vec![format!("there is no crate {FACADE}")];
    };
    let mut reach = Reach {
        metadata,
        on: BTreeSet::new(),
        crates: BTreeSet::new(),
    };
    reach.enter(facade);
    for feature in facade.features.keys() {
        reach.switch_on(facade, feature);
    }

    let mut problems = dragged_in(facade);
    for name in &reach.crates {
        let Some(package) = metadata.member(name).filter(|package| package.name != FACADE) else {
            continue;
        };
        // `default` is a choice of the other features; each of those is looked at by itself.
        for feature in package.features.keys().filter(|feature| *feature != "default") {
            let reached = reach.on.contains(&(name.clone(), feature.clone()));
            let excepted = exceptions.iter().any(|(of, which, _)| of == name && which == feature);
            match (reached, excepted) {
                (false, false) => problems.push(format!("no feature of {FACADE} switches on {name}/{feature}")),
                (true, true) => problems.push(format!("{name}/{feature} is listed as an exception but is reached")),
                _ => {}
            }
        }
    }
    for (name, feature, reason) in exceptions {
        if metadata
            .member(name)
            .is_none_or(|package| !package.features.contains_key(*feature))
        {
            problems.push(format!("the exception {name}/{feature} does not exist any more"));
        }
        if reason.is_empty() {
            problems.push(format!("the exception {name}/{feature} has no reason"));
        }
    }
    problems
}

/// `crate/feature` on an optional crate switches the crate itself on; `crate?/feature` does not.
fn dragged_in(facade: &Package) -> Vec<String> {
    let mut problems = Vec::new();
    for (feature, entries) in &facade.features {
        for entry in entries {
            let Some((key, of)) = entry.split_once('/') else {
                continue;
            };
            let optional = facade
                .dependencies
                .iter()
                .any(|dependency| dependency.key() == key && dependency.optional);
            if optional {
                problems.push(format!(
                    "{FACADE}'s feature {feature} drags in {key}: write `{key}?/{of}`"
                ));
            }
        }
    }
    problems
}

/// The members and features that are on when everything reachable so far is on.
struct Reach<'a> {
    metadata: &'a Metadata,
    crates: BTreeSet<String>,
    on: BTreeSet<(String, String)>,
}

impl Reach<'_> {
    /// A crate is in the tree: so are its dependencies that are not optional.
    fn enter(&mut self, package: &Package) {
        if !self.crates.insert(package.name.clone()) {
            return;
        }
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind.is_none())
        {
            if !dependency.optional {
                self.follow(package, dependency.key());
            }
        }
    }

    /// Enters what `package` calls `key`, with the features that its manifest asks for.
    fn follow(&mut self, package: &Package, key: &str) {
        for dependency in &package.dependencies {
            if dependency.kind.is_some() || dependency.key() != key {
                continue;
            }
            let Some(target) = self.metadata.member(&dependency.name) else {
                continue;
            };
            self.enter(target);
            if dependency.uses_default_features {
                self.switch_on(target, "default");
            }
            for feature in &dependency.features {
                self.switch_on(target, feature);
            }
        }
    }

    fn switch_on(&mut self, package: &Package, feature: &str) {
        let Some(entries) = package.features.get(feature) else {
            return;
        };
        if !self.on.insert((package.name.clone(), feature.to_owned())) {
            return;
        }
        for entry in entries {
            if let Some(key) = entry.strip_prefix("dep:") {
                self.follow(package, key);
            } else if let Some((key, of)) = entry.split_once('/') {
                // A weak link counts as well: the question is what can be reached with every feature on.
                let key = key.trim_end_matches('?');
                self.follow(package, key);
                let name = package
                    .dependencies
                    .iter()
                    .find(|dependency| dependency.key() == key)
                    .map(|found| &found.name);
                if let Some(target) = name.and_then(|name| self.metadata.member(name)) {
                    self.switch_on(target, of);
                }
            } else {
                self.switch_on(package, entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::metadata::fixture::{edge, member, metadata};

    fn optional(name: &str) -> Value {
        let mut edge = edge(name, None);
        edge["optional"] = json!(true);
        edge
    }

    fn workspace(facade_features: &Value) -> Metadata {
        metadata(
            vec![
                member("yuanfen", &[optional("yuanfen-wechat-v3")], facade_features),
                member(
                    "yuanfen-wechat-v3",
                    &[edge("yuanfen-sign", None)],
                    &json!({ "default": ["aws-lc"], "aws-lc": ["yuanfen-sign/aws-lc"], "pure-rust": [] }),
                ),
                member("yuanfen-sign", &[], &json!({ "aws-lc": [] })),
                member("yuanfen-unrelated", &[], &json!({ "never": [] })),
            ],
            vec![],
        )
    }

    fn complete() -> Value {
        json!({
            "wechat-v3": ["dep:yuanfen-wechat-v3"],
            "aws-lc": ["yuanfen-wechat-v3?/aws-lc"],
            "pure-rust": ["yuanfen-wechat-v3?/pure-rust"],
        })
    }

    #[test]
    fn a_facade_that_reaches_everything_passes() {
        assert_eq!(check_against(&workspace(&complete()), &[]), Vec::<String>::new());
    }

    #[test]
    fn names_the_feature_that_nothing_switches_on() {
        let mut features = complete();
        features.as_object_mut().unwrap().remove("pure-rust");
        assert_eq!(
            check_against(&workspace(&features), &[]),
            ["no feature of yuanfen switches on yuanfen-wechat-v3/pure-rust"]
        );
    }

    #[test]
    fn sees_through_a_crate_to_the_features_below_it() {
        let mut features = complete();
        features["aws-lc"] = json!([]);
        assert_eq!(
            check_against(&workspace(&features), &[]),
            [
                "no feature of yuanfen switches on yuanfen-sign/aws-lc",
                "no feature of yuanfen switches on yuanfen-wechat-v3/aws-lc",
            ]
        );
    }

    #[test]
    fn a_feature_that_drags_in_an_optional_crate_is_an_error() {
        let mut features = complete();
        features["aws-lc"] = json!(["yuanfen-wechat-v3/aws-lc"]);
        assert_eq!(
            check_against(&workspace(&features), &[]),
            ["yuanfen's feature aws-lc drags in yuanfen-wechat-v3: write `yuanfen-wechat-v3?/aws-lc`"]
        );
    }

    #[test]
    fn exceptions_excuse_only_what_is_there_and_not_reached() {
        let mut features = complete();
        features.as_object_mut().unwrap().remove("pure-rust");
        let excused = ("yuanfen-wechat-v3", "pure-rust", "nobody needs it");
        assert_eq!(check_against(&workspace(&features), &[excused]), Vec::<String>::new());
        assert_eq!(
            check_against(&workspace(&complete()), &[excused]),
            ["yuanfen-wechat-v3/pure-rust is listed as an exception but is reached"]
        );
        assert_eq!(
            check_against(&workspace(&complete()), &[("yuanfen-sign", "gone", "")]),
            [
                "the exception yuanfen-sign/gone does not exist any more",
                "the exception yuanfen-sign/gone has no reason",
            ]
        );
    }
}
