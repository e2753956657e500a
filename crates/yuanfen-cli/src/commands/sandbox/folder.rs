//! The folder that clients read: files that appear whole, and secrets that only their owner reads.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The file whose appearance says that the sandbox is there.
const CREDENTIALS: &str = "credentials.json";

/// The folder could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {path}")]
pub(crate) struct FolderError {
    verb: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A folder that is there, without the credentials of an earlier run.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if it is not there. Credentials that an earlier run left go: nobody answers at their addresses.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        let folder = Self(path.to_owned());
        fs::create_dir_all(path).map_err(failed("make the folder", path))?;
        folder.remove(CREDENTIALS)?;
        Ok(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The file's bytes; `None` where there is no such file.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("read", &path)(source)),
        }
    }

    /// Writes what anybody may read, and gives the name back.
    pub(crate) fn put<'n>(&self, name: &'n str, content: &[u8]) -> Result<&'n str, FolderError> {
        let path = self.path(name);
        fs::write(&path, content).map_err(failed("write", &path))?;
        Ok(name)
    }

    /// Writes a file that only its owner may read, from its first byte on, and gives the name back. What was there is
    /// removed before: a file keeps the mode that it was created with, and whoever has it open keeps reading.
    pub(crate) fn put_secret<'n>(&self, name: &'n str, content: &[u8]) -> Result<&'n str, FolderError> {
        self.remove(name)?;
        let path = self.path(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path);
        file.and_then(|mut file| file.write_all(content))
            .map_err(failed("write", &path))?;
        Ok(name)
    }

    /// Lets the credentials appear, whole, and says where.
    pub(crate) fn publish(&self, credentials: &[u8]) -> Result<PathBuf, FolderError> {
        let partial = self.path(self.put_secret("credentials.json.part", credentials)?);
        let whole = self.path(CREDENTIALS);
        fs::rename(&partial, &whole).map_err(failed("write", &whole))?;
        Ok(whole)
    }

    fn remove(&self, name: &str) -> Result<(), FolderError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(source)),
            _ => Ok(()),
        }
    }
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError { verb, path, source }
}
