//! The versions of the tables. They have a table of versions of their own, so that they and the shop's own migrations in
//! the same database do not see each other.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, Migration, MigrationType};

use crate::StoreError;

/// The table of versions.
const TABLE: &str = "yuanfen_inbox_schema";

/// Brings the tables to this version's schema, within a transaction that no other migration runs beside: neither
/// database's own lock for migrations would hold two processes apart on both.
///
/// Step by step rather than by sqlx's `Migrator`, whose future the compiler cannot prove to be `Send`: then no program could
/// open a store in a task.
pub(crate) async fn upgrade<C: Migrate>(connection: &mut C, scripts: &[&'static str]) -> Result<(), StoreError> {
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    let made = connection.ensure_migrations_table(TABLE).await;
    made.map_err(StoreError::database)?;
    let applied = connection.list_applied_migrations(TABLE).await;
    let applied = applied.map_err(StoreError::database)?;
    if let Some(found) = applied.iter().map(|migration| migration.version).max()
        && found > known
    {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (version, script) in (1..).zip(scripts) {
        let migration = Migration::new(
            version,
            format!("yuanfen-inbox {version}").into(),
            MigrationType::Simple,
            script.into_sql_str(),
            false,
        );
        match applied.iter().find(|applied| applied.version == version) {
            Some(applied) if applied.checksum == migration.checksum => {}
            Some(_) => return Err(StoreError::ForeignSchema { version }),
            None => {
                let done = connection.apply(TABLE, &migration).await;
                done.map_err(StoreError::database)?;
            }
        }
    }
    Ok(())
}
