//! A file on the disk that does not have its name yet.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::DownloadError;

/// A file that does not have its name yet. Dropped before it is finished, it removes itself.
pub(super) struct Partial {
    file: File,
    partial: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Partial {
    /// Beside that path, in the same folder, so that it can be renamed into its place.
    pub(super) fn create(path: &Path, random: [u8; 8]) -> Result<Self, DownloadError> {
        let failed = |source| DownloadError::File {
            step: "created",
            path: path.to_owned(),
            source,
        };
        let name = path
            .file_name()
            .ok_or_else(|| failed(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file")))?;
        let mut unfinished = OsString::from(".");
        unfinished.push(name);
        unfinished.push(format!(".{:016x}.unfinished", u64::from_be_bytes(random)));
        let partial = path.with_file_name(unfinished);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&partial)
            .map_err(failed)?;
        Ok(Self {
            file,
            partial,
            path: path.to_owned(),
            finished: false,
        })
    }

    /// The name that it has until then.
    pub(super) fn name(&self) -> &Path {
        &self.partial
    }

    pub(super) fn write(&mut self, chunk: &[u8]) -> Result<(), DownloadError> {
        self.file
            .write_all(chunk)
            .map_err(|source| self.failed("written", source))
    }

    /// Puts the file in its place, once every byte of it is on the disk.
    pub(super) fn finish(mut self) -> Result<(), DownloadError> {
        self.file.sync_all().map_err(|source| self.failed("written", source))?;
        fs::rename(&self.partial, &self.path).map_err(|source| self.failed("put in place", source))?;
        self.finished = true;
        // The file is whole and in its place. Some file systems do not sync folders; that makes it no less so.
        if let Err(error) = sync_folder(&self.path) {
            tracing::warn!(file = %self.path.display(), error = %error, "the folder of a download could not be synced");
        }
        Ok(())
    }

    fn failed(&self, step: &'static str, source: io::Error) -> DownloadError {
        DownloadError::File {
            step,
            path: self.path.clone(),
            source,
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = fs::remove_file(&self.partial)
        {
            tracing::warn!(file = %self.partial.display(), error = %error, "an unfinished download could not be removed");
        }
    }
}

/// Makes the new name itself last through a loss of power.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; the rename is left to the file system's journal.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A partial file whose bytes go to a disk without room.
    fn on_a_full_disk(folder: &Path) -> io::Result<Partial> {
        let mut partial = Partial::create(&folder.join("bill.csv"), [7; 8]).map_err(io::Error::other)?;
        partial.file = OpenOptions::new().write(true).open("/dev/full")?;
        Ok(partial)
    }

    #[test]
    fn a_full_disk_is_an_error_and_the_unfinished_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut partial = on_a_full_disk(folder.path()).unwrap();
        assert!(partial.name().ends_with(".bill.csv.0707070707070707.unfinished"));
        assert_eq!(names(), 1);
        let error = partial.write(b"one,two").unwrap_err();
        let DownloadError::File { step, path, source } = &error else {
            panic!("{error:?}");
        };
        assert_eq!((*step, source.kind()), ("written", io::ErrorKind::StorageFull));
        assert_eq!(*path, folder.path().join("bill.csv"));
        drop(partial);
        assert_eq!(names(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_made_to_last_is_not_put_in_place() {
        // `/dev/full` refuses to be synced, as a disk does that lost what it was given.
        let folder = tempfile::tempdir().unwrap();
        let error = on_a_full_disk(folder.path()).unwrap().finish().unwrap_err();
        assert!(
            matches!(error, DownloadError::File { step: "written", .. }),
            "{error:?}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
