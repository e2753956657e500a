//! An event from its arrival to its effect.

/// Two statements rather than a condition with two sides: each is a range of the index.
macro_rules! claim_event {
    ($due:literal, $skip_locked:literal) => {
        concat!(
            "update yuanfen_inbox_event set ready_at = $2, attempts = attempts + 1, fence = fence + 1 \
             where id = (select id from yuanfen_inbox_event where state = 'ready' and ready_at ",
            $due,
            " order by ready_at, id limit 1",
            $skip_locked,
            ") returning ",
            event_columns!(),
            ", method, uri, headers, body"
        )
    };
}
pub(crate) use claim_event;

macro_rules! events {
    ($Connection:ty, $Row:ty, $skip_locked:literal) => {
        /// Binds the facts, in the order of the columns.
        fn bind_facts<'q>(query: Query<'q>, facts: &'q Facts) -> Query<'q> {
            query
                .bind(facts.amount.map(Fen::get))
                .bind(&facts.currency)
                .bind(&facts.order_no)
                .bind(&facts.refund_no)
                .bind(&facts.remote_id)
                .bind(&facts.merchant)
                .bind(&facts.app)
                .bind(&facts.end_state)
        }

        /// Binds method, path, headers and body; all are absent for what a query found.
        fn bind_request<'q>(query: Query<'q>, request: Option<&'q KeptRequest>) -> Query<'q> {
            query
                .bind(request.map(|request| request.method.as_str()))
                .bind(request.map(|request| request.uri.to_string()))
                .bind(request.map(KeptRequest::headers_text))
                .bind(request.map(|request| &*request.body))
        }

        /// Binds an event that may be new.
        pub(super) fn bind_event<'q>(query: Query<'q>, event: &'q NewEvent) -> Query<'q> {
            let query = query
                .bind(&*event.key.route)
                .bind(&event.key.account)
                .bind(&event.key.subject)
                .bind(event.key.transition.as_str());
            let query = bind_facts(query, &event.facts)
                .bind(event.origin.as_str())
                .bind(event.is_over)
                .bind(event.received_at.seconds());
            bind_request(query, event.request.as_ref())
        }

        /// What is stored under the key of an event that was not new.
        pub(super) async fn known_event(
            connection: &mut $Connection,
            key: &EventKey,
        ) -> Result<Option<Inserted>, StoreError> {
            let row = sqlx::query(concat!(
                "select id, state, ",
                facts_columns!(),
                " from yuanfen_inbox_event where route = $1 and account = $2 and subject = $3 and transition = $4"
            ))
            .bind(&*key.route)
            .bind(&key.account)
            .bind(&key.subject)
            .bind(key.transition.as_str())
            .fetch_optional(connection)
            .await?;
            row.map(|row| {
                Ok(Inserted::Known {
                    id: EventId::new(row.try_get("id")?),
                    state: named("state", EventState::from_name(row.try_get("state")?))?,
                    facts: read_facts(&row)?,
                })
            })
            .transpose()
        }

        /// The contradiction, and the event parked if it is ready and in nobody's transaction. A worker that has it in
        /// one either has read its facts before this was committed, or finds the contradiction when it marks.
        pub(super) async fn insert_conflict(
            connection: &mut $Connection,
            event_id: EventId,
            event: &NewEvent,
        ) -> Result<bool, StoreError> {
            let insert = sqlx::query(concat!(
                "insert into yuanfen_inbox_conflict (event_id, ",
                facts_columns!(),
                ", origin, facts, received_at, method, uri, headers, body) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
                 on conflict (event_id, facts) do nothing"
            ));
            let insert = bind_facts(insert.bind(event_id.get()), &event.facts)
                .bind(event.origin.as_str())
                .bind(facts_text(&event.facts))
                .bind(event.received_at.seconds());
            let insert = bind_request(insert, event.request.as_ref());
            let inserted = insert.execute(&mut *connection).await?.rows_affected() == 1;
            if inserted {
                sqlx::query(concat!(
                    "update yuanfen_inbox_event set state = 'parked', parked_for = 'conflict', finished_at = $2 \
                     where id in (select id from yuanfen_inbox_event where id = $1 and state = 'ready'",
                    $skip_locked,
                    ")"
                ))
                .bind(event_id.get())
                .bind(event.received_at.seconds())
                .execute(&mut *connection)
                .await?;
            }
            Ok(inserted)
        }

        pub(super) async fn add_facts(
            connection: &mut $Connection,
            event_id: EventId,
            facts: &Facts,
        ) -> Result<(), StoreError> {
            let update = sqlx::query(concat!(
                "update yuanfen_inbox_event set amount = coalesce(amount, $2), currency = coalesce(currency, $3), \
                 order_no = coalesce(order_no, $4), refund_no = coalesce(refund_no, $5), \
                 remote_id = coalesce(remote_id, $6), merchant = coalesce(merchant, $7), app = coalesce(app, $8) \
                 where id in (select id from yuanfen_inbox_event where id = $1 and state <> 'done' and end_state = $9",
                $skip_locked,
                ")"
            ));
            bind_facts(update.bind(event_id.get()), facts).execute(connection).await?;
            Ok(())
        }

        pub(super) async fn claim_event(
            connection: &mut $Connection,
            now: UnixTime,
            lease_until: UnixTime,
            never_after: UnixTime,
        ) -> Result<Option<$Row>, StoreError> {
            const DUE: &str = claim_event!("<= $1", $skip_locked);
            const AHEAD: &str = claim_event!("> $1", $skip_locked);
            for (statement, limit) in [(DUE, now), (AHEAD, never_after)] {
                let row = sqlx::query(statement)
                    .bind(limit.seconds())
                    .bind(lease_until.seconds())
                    .fetch_optional(&mut *connection)
                    .await?;
                if row.is_some() {
                    return Ok(row);
                }
            }
            Ok(None)
        }

        /// Marks a claimed event done, if it is still ours; contradicted is one with a contradiction that nobody looked at.
        pub(super) async fn mark_done(
            connection: &mut $Connection,
            claim: &ClaimedEvent,
            now: UnixTime,
        ) -> Result<Marked, StoreError> {
            let row = sqlx::query(
                "update yuanfen_inbox_event set state = 'done', finished_at = $3, last_error = null \
                 where id = $1 and fence = $2 and state = 'ready' \
                 returning (select count(*) from yuanfen_inbox_conflict conflict \
                 where conflict.event_id = $1 and conflict.resolved_at is null)",
            )
            .bind(claim.event.id.get())
            .bind(claim.fence)
            .bind(now.seconds())
            .fetch_optional(connection)
            .await?;
            let open: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
            Ok(match open {
                None => Marked::NotOurs,
                Some(0) => Marked::Done,
                Some(_) => Marked::Contradicted,
            })
        }

        /// Whether the mark is there, as this connection sees it.
        pub(super) async fn is_marked(connection: &mut $Connection, claim: &ClaimedEvent) -> Result<bool, StoreError> {
            let marked: i64 = sqlx::query_scalar(
                "select count(*) from yuanfen_inbox_event where id = $1 and fence = $2 and state = 'done'",
            )
            .bind(claim.event.id.get())
            .bind(claim.fence)
            .fetch_one(connection)
            .await?;
            Ok(marked == 1)
        }

        pub(super) async fn release_event(
            connection: &mut $Connection,
            claim: &ClaimedEvent,
            release: Release,
            error: &str,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let (state, ready_at, reason, finished_at) = match release {
                Release::Retry { at } => (EventState::Ready, at, None, None),
                Release::Park { reason } => (
                    EventState::Parked,
                    now,
                    Some(reason.as_str()),
                    Some(now.seconds()),
                ),
            };
            let done = sqlx::query(
                "update yuanfen_inbox_event set state = $3, ready_at = $4, parked_for = $5, finished_at = $6, \
                 last_error = $7 where id = $1 and fence = $2 and state = 'ready'",
            )
            .bind(claim.event.id.get())
            .bind(claim.fence)
            .bind(state.as_str())
            .bind(ready_at.seconds())
            .bind(reason)
            .bind(finished_at)
            .bind(error)
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }
    };
}
pub(crate) use events;
