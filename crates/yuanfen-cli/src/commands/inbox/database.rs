//! Which database it is. Its URL may hold a password, so no message has it.

use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;
use yuanfen::core::Secret;
use yuanfen_inbox::{PostgresStore, SqliteStore, StoreError};

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error(
        "which database? name it with --database or in YUANFEN_INBOX: sqlite:shop.db, or postgres://user@host/database"
    )]
    Missing,
    #[error("the database is named otherwise than sqlite:FILE or postgres://user@host/database")]
    Scheme,
    #[error("the database's postgres URL cannot be read")]
    Url(#[source] sqlx::Error),
    #[error("there is no file {path}; it is not made here, the shop makes it when it starts")]
    NoFile { path: String },
    #[error("cannot look into the inbox in {path}")]
    Sqlite {
        path: String,
        #[source]
        source: StoreError,
    },
    #[error("cannot look into the inbox in the database {database} of {host}")]
    Postgres {
        database: String,
        host: String,
        #[source]
        source: StoreError,
    },
}

/// A database that was named.
pub(super) enum Database {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl Database {
    /// # Errors
    /// When none is named, or not in one of the two ways.
    pub(super) fn of(url: Option<&Secret<String>>) -> Result<Self, DatabaseError> {
        let url = url.map(Secret::expose).filter(|url| !url.is_empty());
        let url = url.ok_or(DatabaseError::Missing)?;
        if let Some(file) = url.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            if file.is_empty() {
                return Err(DatabaseError::Scheme);
            }
            return Ok(Self::Sqlite(PathBuf::from(file)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options: PgConnectOptions = url.parse().map_err(DatabaseError::Url)?;
            return Ok(Self::Postgres(Box::new(options.application_name("yuanfen inbox"))));
        }
        Err(DatabaseError::Scheme)
    }
}

pub(super) async fn sqlite(file: &Path) -> Result<SqliteStore, DatabaseError> {
    let path = file.display().to_string();
    if !file.is_file() {
        return Err(DatabaseError::NoFile { path });
    }
    let opened = SqliteStore::open_existing(file).await;
    opened.map_err(|source| DatabaseError::Sqlite { path, source })
}

pub(super) async fn postgres(options: &PgConnectOptions) -> Result<PostgresStore, DatabaseError> {
    let opened = PostgresStore::connect_existing(options.clone()).await;
    opened.map_err(|source| DatabaseError::Postgres {
        database: options.get_database().unwrap_or(options.get_username()).to_owned(),
        host: format!("{}:{}", options.get_host(), options.get_port()),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Database, DatabaseError> {
        Database::of(Some(&Secret::new(url.to_owned())))
    }

    #[test]
    fn a_file_is_named_with_or_without_slashes() {
        for (url, path) in [
            ("sqlite:shop.db", "shop.db"),
            ("sqlite://shop.db", "shop.db"),
            ("sqlite:///srv/shop.db", "/srv/shop.db"),
            ("sqlite:/srv/shop.db", "/srv/shop.db"),
        ] {
            let Ok(Database::Sqlite(file)) = of(url) else {
                panic!("{url}")
            };
            assert_eq!(file, Path::new(path), "{url}");
        }
    }

    #[test]
    fn no_error_has_the_password() {
        for url in [
            "mysql://shop:hunter2@host/shop",
            "postgres://shop:hunter2@host:port/shop",
            "postgres://shop:hunter2@/shop?sslmode=hunter2x",
            "shop:hunter2@host",
        ] {
            let Some(error) = of(url).err() else { panic!("{url}") };
            let text = format!("{error:?} {}", crate::print::one_line(&error));
            assert!(!text.contains("hunter2@"), "{text}");
        }
    }

    #[test]
    fn nothing_named_says_how_to_name_it() {
        for error in [Database::of(None).err(), of("").err()] {
            assert!(error.is_some_and(|error| error.to_string().contains("YUANFEN_INBOX")));
        }
    }
}
