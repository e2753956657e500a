//! The versions of the tables. They have a table of versions of their own, so that they and the shop's own migrations in
//! the same database do not see each other.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Acquire, SqlSafeStr as _};

use crate::StoreError;

/// The table of versions.
const TABLE: &str = "yuanfen_inbox_schema";

/// Brings the tables to this version's schema, within a transaction that no other migration runs beside: neither
/// database's own lock for migrations would hold two processes apart on both.
pub(crate) async fn upgrade<C>(connection: &mut C, scripts: &[&'static str]) -> Result<(), StoreError>
where
    C: Migrate,
    for<'c> &'c mut C: Acquire<'c, Connection = &'c mut C>,
{
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    connection
        .ensure_migrations_table(TABLE)
        .await
        .map_err(StoreError::database)?;
    let applied = connection.list_applied_migrations(TABLE).await;
    let applied = applied.map_err(StoreError::database)?;
    if let Some(found) = applied.iter().map(|migration| migration.version).max()
        && found > known
    {
        return Err(StoreError::NewerSchema { found, known });
    }
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
    migrator.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            StoreError::ForeignSchema { version }
        }
        error => StoreError::database(error),
    })
}
