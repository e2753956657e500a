//! The versions of the tables. They have a table of versions of their own, so that they and the shop's own migrations in
//! the same database do not see each other.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, Migration, MigrationType};

use crate::StoreError;

/// The table of versions.
pub(crate) const TABLE: &str = "yuanfen_inbox_schema";

/// The last schema in a database that has the table of versions.
pub(crate) const FOUND: &str = "select max(version) from yuanfen_inbox_schema where success";

/// Refuses tables that are not of this version's schema, of which nothing is changed; `found` is what [`FOUND`] says.
pub(crate) fn must_be_current(found: Option<i64>, scripts: &[&'static str]) -> Result<(), StoreError> {
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    match found {
        None => Err(StoreError::NoInbox),
        Some(found) if found < known => Err(StoreError::OlderSchema { found, known }),
        Some(found) if found > known => Err(StoreError::NewerSchema { found, known }),
        Some(_) => Ok(()),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_versions_schema_is_looked_at() {
        let scripts = ["one", "two"];
        assert!(must_be_current(Some(2), &scripts).is_ok());
        assert!(matches!(must_be_current(None, &scripts), Err(StoreError::NoInbox)));
        let older = must_be_current(Some(1), &scripts);
        assert!(matches!(older, Err(StoreError::OlderSchema { found: 1, known: 2 })));
        let newer = must_be_current(Some(3), &scripts);
        assert!(matches!(newer, Err(StoreError::NewerSchema { found: 3, known: 2 })));
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod upgrades {
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;

    const FIRST: &str =
        "create table toy_event (id integer primary key); create table toy_order (id integer primary key)";
    const SECOND: &str = "alter table toy_event add column amount integer not null default 7";
    const BROKEN: &str = "alter table toy_event add column app text; alter table nothing add column nothing text";

    async fn versions(connection: &mut SqliteConnection) -> sqlx::Result<Vec<i64>> {
        let versions = sqlx::query_scalar("select version from yuanfen_inbox_schema order by version");
        versions.fetch_all(connection).await
    }

    #[tokio::test]
    async fn an_older_schema_is_upgraded_with_what_is_in_it() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        upgrade(&mut connection, &[FIRST]).await.unwrap();
        sqlx::raw_sql("insert into toy_event values (1)")
            .execute(&mut connection)
            .await
            .unwrap();
        upgrade(&mut connection, &[FIRST, SECOND]).await.unwrap();
        assert_eq!(versions(&mut connection).await.unwrap(), [1, 2]);
        let row = sqlx::query_as::<_, (i64, i64)>("select id, amount from toy_event");
        assert_eq!(row.fetch_one(&mut connection).await.unwrap(), (1, 7));
        // Once more changes nothing.
        upgrade(&mut connection, &[FIRST, SECOND]).await.unwrap();
        assert_eq!(versions(&mut connection).await.unwrap(), [1, 2]);
        let newer = upgrade(&mut connection, &[FIRST]).await.unwrap_err();
        assert!(
            matches!(newer, StoreError::NewerSchema { found: 2, known: 1 }),
            "{newer:?}"
        );
        let foreign = upgrade(&mut connection, &[FIRST, BROKEN]).await.unwrap_err();
        assert!(
            matches!(foreign, StoreError::ForeignSchema { version: 2 }),
            "{foreign:?}"
        );
    }

    #[tokio::test]
    async fn an_upgrade_that_fails_leaves_the_older_schema() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        upgrade(&mut connection, &[FIRST]).await.unwrap();
        let mut transaction = connection.begin_with("begin immediate").await.unwrap();
        upgrade(&mut *transaction, &[FIRST, BROKEN]).await.unwrap_err();
        drop(transaction);
        assert_eq!(versions(&mut connection).await.unwrap(), [1]);
        upgrade(&mut connection, &[FIRST, SECOND]).await.unwrap();
        assert_eq!(versions(&mut connection).await.unwrap(), [1, 2]);
    }
}
