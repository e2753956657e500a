//! The workspace's own files as text, read once, so that every check is a function from texts to problems.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::Failure;

/// Folders that hold what programs wrote.
const SKIPPED: [&str; 5] = ["target", "corpus", "artifacts", "coverage", ".git"];

/// Text files by their path from the workspace root, written with `/`.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: BTreeMap<String, String>,
}

impl Sources {
    /// Rust, Markdown, vectors and clippy's lists under `crates/`, `xtask/` and `fuzz/`, and the README files.
    pub(crate) fn load(root: &Path) -> Result<Self, Failure> {
        let mut sources = Self::default();
        for folder in ["crates", "xtask", "fuzz"] {
            sources.load_folder(root, folder)?;
        }
        for file in ["README.md", "README.zh-CN.md"] {
            if root.join(file).is_file() {
                sources.load_file(root, file)?;
            }
        }
        Ok(sources)
    }

    fn load_folder(&mut self, root: &Path, folder: &str) -> Result<(), Failure> {
        let entries = fs::read_dir(root.join(folder)).map_err(Failure::during(folder))?;
        for entry in entries {
            let entry = entry.map_err(Failure::during(folder))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(Failure::new(format!(
                    "{folder} holds a file whose name is not UTF-8: {name:?}"
                )));
            };
            let path = format!("{folder}/{name}");
            let kind = entry.file_type().map_err(Failure::during(&path))?;
            if kind.is_dir() {
                if !SKIPPED.contains(&name) {
                    self.load_folder(root, &path)?;
                }
            } else if is_ours(&path) {
                self.load_file(root, &path)?;
            }
        }
        Ok(())
    }

    fn load_file(&mut self, root: &Path, path: &str) -> Result<(), Failure> {
        let text = fs::read_to_string(root.join(path)).map_err(Failure::during(path))?;
        self.files.insert(path.to_owned(), text);
        Ok(())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file, in the order of its path.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        }
    }
}

fn is_ours(path: &str) -> bool {
    [".rs", ".md", ".clippy.toml"].iter().any(|end| path.ends_with(end))
        || (path.contains("/tests/vectors/") && path.ends_with(".json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    #[test]
    fn reads_this_very_file_and_nothing_that_was_built() {
        let sources = Sources::load(&root()).unwrap();
        assert!(
            sources
                .get("xtask/src/sources.rs")
                .is_some_and(|text| text.contains("reads_this_very_file"))
        );
        assert!(sources.iter().all(|(path, _)| !path.contains("/target/")));
    }
}
