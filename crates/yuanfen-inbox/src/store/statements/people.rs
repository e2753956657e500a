//! What people look at and decide.

macro_rules! people {
    ($Connection:ty) => {
        /// Adds a condition, where the filter has one.
        fn only(query: &mut sqlx::QueryBuilder<Database>, condition: &'static str, value: Option<&String>) {
            if let Some(value) = value {
                query.push(condition).push_bind(value);
            }
        }

        pub(super) async fn events(
            connection: &mut $Connection,
            filter: &EventFilter,
        ) -> Result<Vec<StoredEvent>, StoreError> {
            let select = concat!("select ", event_columns!(), " from yuanfen_inbox_event where id > ");
            let mut query = sqlx::QueryBuilder::new(select);
            query.push_bind(filter.after).push(filter.state.map_or("", events_in));
            only(&mut query, " and route = ", filter.route.as_ref());
            only(&mut query, " and account = ", filter.account.as_ref());
            if let Some(subject) = &filter.subject {
                query.push(" and (subject = ").push_bind(subject);
                query.push(" or order_no = ").push_bind(subject).push(")");
            }
            if filter.contradicted {
                query.push(" and id in (select event_id from yuanfen_inbox_conflict where resolved_at is null)");
            }
            query.push(" order by id limit ").push_bind(i64::from(filter.limit));
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(|row| read_event(row, None)).collect()
        }

        pub(super) async fn event(
            connection: &mut $Connection,
            id: EventId,
        ) -> Result<Option<StoredEvent>, StoreError> {
            let row = sqlx::query(concat!(
                "select ",
                event_columns!(),
                ", method, uri, headers, body from yuanfen_inbox_event where id = $1"
            ))
            .bind(id.get())
            .fetch_optional(connection)
            .await?;
            row.map(|row| read_event(&row, read_request(&row)?)).transpose()
        }

        pub(super) async fn conflicts(
            connection: &mut $Connection,
            id: EventId,
        ) -> Result<Vec<StoredConflict>, StoreError> {
            let rows = sqlx::query(concat!(
                "select id, event_id, ",
                facts_columns!(),
                ", origin, received_at, resolved_at, method, uri, headers, body from yuanfen_inbox_conflict \
                 where event_id = $1 order by id"
            ))
            .bind(id.get())
            .fetch_all(connection)
            .await?;
            rows.iter()
                .map(|row| {
                    Ok(StoredConflict {
                        id: row.try_get("id")?,
                        event_id: EventId::new(row.try_get("event_id")?),
                        facts: read_facts(row)?,
                        origin: read_origin(row)?,
                        received_at: time(row, "received_at")?,
                        resolved_at: maybe_time(row, "resolved_at")?,
                        request: read_request(row)?,
                    })
                })
                .collect()
        }

        /// Resolves the contradictions for which an event waits. Of those of one that waits for another reason, nobody who
        /// decides about it need have heard.
        async fn resolve_reason(connection: &mut $Connection, id: EventId, now: UnixTime) -> Result<(), StoreError> {
            sqlx::query(
                "update yuanfen_inbox_conflict set resolved_at = $2 where event_id = $1 and resolved_at is null \
                 and exists (select 1 from yuanfen_inbox_event \
                 where id = $1 and state = 'parked' and parked_for = 'conflict')",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(())
        }

        pub(super) async fn retry(
            connection: &mut $Connection,
            id: EventId,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            // Before the event is ready: what comes between the two is not resolved, and the mark finds it.
            resolve_reason(connection, id, now).await?;
            let ready = sqlx::query(
                "update yuanfen_inbox_event set state = 'ready', ready_at = $2, attempts = 0, parked_for = null, \
                 finished_at = null where id = $1 and state = 'parked'",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(ready.rows_affected() == 1)
        }

        pub(super) async fn resolve(
            connection: &mut $Connection,
            id: EventId,
            now: UnixTime,
        ) -> Result<u64, StoreError> {
            let resolved = sqlx::query(
                "update yuanfen_inbox_conflict set resolved_at = $2 where event_id = $1 and resolved_at is null \
                 and exists (select 1 from yuanfen_inbox_event where id = $1 and state <> 'ready')",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(resolved.rows_affected())
        }

        pub(super) async fn park(
            connection: &mut $Connection,
            id: EventId,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let parked = sqlx::query(
                "update yuanfen_inbox_event set state = 'parked', parked_for = 'person', finished_at = $2 \
                 where id = $1 and state in ('ready', 'dismissed')",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(parked.rows_affected() == 1)
        }

        pub(super) async fn dismiss(
            connection: &mut $Connection,
            id: EventId,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            resolve_reason(connection, id, now).await?;
            let dismissed = sqlx::query(
                "update yuanfen_inbox_event set state = 'dismissed', finished_at = $2 where id = $1 and state = 'parked'",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(dismissed.rows_affected() == 1)
        }

        pub(super) async fn pending(
            connection: &mut $Connection,
            filter: &PendingFilter,
        ) -> Result<Vec<StoredPending>, StoreError> {
            let select = concat!("select ", pending_columns!(), " from yuanfen_inbox_pending where id > ");
            let mut query = sqlx::QueryBuilder::new(select);
            query.push_bind(filter.after).push(filter.state.map_or("", pending_in));
            only(&mut query, " and route = ", filter.route.as_ref());
            only(&mut query, " and account = ", filter.account.as_ref());
            if let Some(number) = &filter.number {
                query.push(" and (number = ").push_bind(number);
                query.push(" or order_no = ").push_bind(number);
                query.push(" or remote_id = ").push_bind(number).push(")");
            }
            query.push(" order by id limit ").push_bind(i64::from(filter.limit));
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(read_pending).collect()
        }

        pub(super) async fn requery(
            connection: &mut $Connection,
            pending: i64,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let opened = sqlx::query(concat!(
                "update yuanfen_inbox_pending set state = 'open', next_query_at = $2, over_at = null, \
                 fence = fence + 1, lease_until = 0 where id = $1 and state <> 'open' and ",
                may_be_queried!()
            ))
            .bind(pending)
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(opened.rows_affected() == 1)
        }

        pub(super) async fn health(connection: &mut $Connection, now: UnixTime) -> Result<Health, StoreError> {
            let row = sqlx::query(
                "select \
                 (select count(*) from yuanfen_inbox_event where state = 'ready') as ready, \
                 (select min(received_at) from yuanfen_inbox_event where state = 'ready') as oldest_ready, \
                 (select count(*) from yuanfen_inbox_event where state = 'parked') as parked, \
                 (select count(*) from yuanfen_inbox_conflict where resolved_at is null) as conflicts, \
                 (select count(*) from yuanfen_inbox_pending where state = 'open') as pending, \
                 (select min(next_query_at) from yuanfen_inbox_pending where state = 'open' and next_query_at < $1) \
                 as query_due, \
                 (select count(*) from yuanfen_inbox_pending where state = 'given-up') as given_up",
            )
            .bind(now.seconds())
            .fetch_one(connection)
            .await?;
            Ok(Health {
                ready: count(row.try_get("ready")?),
                oldest_ready: age(now, row.try_get("oldest_ready")?),
                parked: count(row.try_get("parked")?),
                conflicts: count(row.try_get("conflicts")?),
                pending: count(row.try_get("pending")?),
                query_overdue: age(now, row.try_get("query_due")?),
                given_up: count(row.try_get("given_up")?),
            })
        }
    };
}
pub(crate) use people;
