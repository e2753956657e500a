//! What `cargo metadata` says, as far as the checks need it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::failure::Failure;
use crate::process::Call;

/// A workspace and, unless it was asked for without, everything in its lock file.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    workspace_members: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The native library it links, if it does.
    #[serde(default)]
    pub(crate) links: Option<String>,
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    pub(crate) features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name, not what the manifest calls it.
    pub(crate) name: String,
    /// What the manifest calls it, where that differs.
    #[serde(default)]
    pub(crate) rename: Option<String>,
    /// `None` is a normal dependency.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// Present for what lies in a folder of ours.
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) uses_default_features: bool,
    #[serde(default)]
    pub(crate) features: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

impl Metadata {
    /// Our workspace with all that its lock file holds.
    pub(crate) fn of_workspace() -> Result<Self, Failure> {
        Self::from_call(&Call::cargo("metadata --format-version 1"))
    }

    /// The members of the fuzz workspace, without what they depend on.
    pub(crate) fn of_fuzz() -> Result<Self, Failure> {
        Self::from_call(&Call::cargo(
            "metadata --format-version 1 --no-deps --manifest-path fuzz/Cargo.toml",
        ))
    }

    fn from_call(call: &Call) -> Result<Self, Failure> {
        serde_json::from_str(&call.text()?).map_err(Failure::during(format!("the output of `{call}`")))
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members().find(|package| package.name == name)
    }
}

impl Dependency {
    /// The name that features use.
    pub(crate) fn key(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.name)
    }
}

/// Builds the metadata of small workspaces for the tests of the checks.
#[cfg(test)]
pub(crate) mod fixture {
    use serde_json::{Value, json};

    use super::Metadata;

    /// A member; `dependencies` are raw dependency objects.
    pub(crate) fn member(name: &str, dependencies: &[Value], features: &Value) -> Value {
        json!({ "id": format!("path+{name}"), "name": name, "version": "0.1.0",
                "dependencies": dependencies, "features": features })
    }

    /// A dependency on a member, of the given kind (`null` is normal).
    pub(crate) fn edge(name: &str, kind: Option<&str>) -> Value {
        json!({ "name": name, "kind": kind, "path": format!("/w/crates/{name}"), "optional": false,
                "uses_default_features": false, "features": [] })
    }

    pub(crate) fn metadata(members: Vec<Value>, others: Vec<Value>) -> Metadata {
        let ids: Vec<Value> = members.iter().map(|member| member["id"].clone()).collect();
        let packages: Vec<Value> = members.into_iter().chain(others).collect();
        serde_json::from_value(json!({ "packages": packages, "workspace_members": ids })).unwrap()
    }
}
