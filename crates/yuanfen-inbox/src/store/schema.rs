//! The versions of the tables. They have a table of versions of their own, so that they and the shop's own migrations in
//! the same database do not see each other.

use std::ops::Deref;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Acquire, SqlSafeStr as _};

use crate::StoreError;

/// The table of versions.
const TABLE: &str = "yuanfen_inbox_schema";

/// Brings the tables to this version's schema, within a transaction that no other migration runs beside: neither
/// database's own lock for migrations would hold two processes apart on both.
pub(crate) async fn upgrade<'a, A>(connection: A, scripts: &[&'static str]) -> Result<(), StoreError>
where
    A: Acquire<'a>,
    <A::Connection as Deref>::Target: Migrate,
{
    let migrations = (1..).zip(scripts).map(|(version, script)| {
        let description = format!("yuanfen-inbox {version}");
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            script.into_sql_str(),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator.set_locking(false);
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    migrator.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) if found > known => StoreError::NewerSchema { found, known },
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            StoreError::ForeignSchema { version }
        }
        error => StoreError::database(error),
    })
}
