//! What is expected, and its queries.

/// What a hint, or a person, may have queried: what is open, what was given up, and what the platform did not know.
macro_rules! may_be_queried {
    () => {
        "(state in ('open', 'given-up', 'lapsed') or state = 'over' and standing = 'not-found')"
    };
}
pub(crate) use may_be_queried;

macro_rules! claim_pending {
    ($due:literal, $order:literal, $skip_locked:literal) => {
        concat!(
            // Its age counts from now where it was placed by a clock that was ahead: or it would be put off as far again.
            // Materialized, or PostgreSQL may run the limited selection more than once and lock more than was asked for.
            "with due as materialized (select id as due_id, exists (select 1 from yuanfen_inbox_event event \
             where event.route = pending.route and event.account = pending.account \
             and event.subject in (pending.number, coalesce(pending.remote_id, pending.number)) \
             and event.is_over and event.transition like pending.kind || '-%') as is_known \
             from yuanfen_inbox_pending pending \
             where route = $1 and account = $2 and state = 'open' and next_query_at ",
            $due,
            " order by ",
            $order,
            " limit $5",
            $skip_locked,
            ") update yuanfen_inbox_pending set next_query_at = $4, hasten_to = null, fence = fence + 1, \
             state = case when is_known then 'over' else state end, \
             over_at = case when is_known then $3 else over_at end, \
             lease_until = case when is_known then 0 else $4 end, \
             last_query_at = case when is_known then last_query_at else $3 end, \
             placed_at = case when placed_at > $3 then $3 else placed_at end, \
             queries = case when is_known then queries else queries + 1 end \
             from due where id = due_id returning ",
            pending_columns!()
        )
    };
}
pub(crate) use claim_pending;

macro_rules! pending {
    ($Connection:ty, $skip_locked:literal) => {
        pub(super) async fn expected(
            connection: &mut $Connection,
            subject: Subject<'_>,
        ) -> Result<Option<StoredPending>, StoreError> {
            const OURS: &str = concat!(
                "select ",
                pending_columns!(),
                " from yuanfen_inbox_pending where route = $1 and account = $2 and kind = $3 and number = $4"
            );
            const REMOTE: &str = concat!(
                "select ",
                pending_columns!(),
                " from yuanfen_inbox_pending where route = $1 and account = $2 and kind = $3 and remote_id = $4 \
                 order by id limit 1"
            );
            for statement in [OURS, REMOTE] {
                let row = sqlx::query(statement)
                    .bind(subject.route)
                    .bind(subject.account)
                    .bind(subject.kind.as_str())
                    .bind(subject.number)
                    .fetch_optional(&mut *connection)
                    .await?;
                if let Some(row) = row {
                    return read_pending(&row).map(Some);
                }
            }
            Ok(None)
        }

        pub(super) async fn settle_pending(
            connection: &mut $Connection,
            pending: i64,
            paid_as: Option<&str>,
            is_over: bool,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let settled = sqlx::query(
                "update yuanfen_inbox_pending set paid_as = coalesce(paid_as, $2), \
                 state = case when $3 then 'over' else state end, \
                 over_at = case when $3 and state <> 'over' then $4 else over_at end, \
                 fence = case when $3 then fence + 1 else fence end, \
                 lease_until = case when $3 then 0 else lease_until end, \
                 hasten_to = case when $3 then null else hasten_to end \
                 where id = $1 and ($2 is null or coalesce(paid_as, $2) = $2)",
            )
            .bind(pending)
            .bind(paid_as)
            .bind(is_over)
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(settled.rows_affected() == 1)
        }

        pub(super) async fn expect(
            connection: &mut $Connection,
            what: &Expected,
            placed_at: UnixTime,
            next_query_at: UnixTime,
        ) -> Result<Option<StoredPending>, StoreError> {
            let done = sqlx::query(
                "insert into yuanfen_inbox_pending (route, account, kind, number, order_no, remote_id, amount, currency, \
                 merchant, app, placed_at, expires_at, state, next_query_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13) \
                 on conflict (route, account, kind, number) do nothing",
            )
            .bind(&what.route)
            .bind(&what.account)
            .bind(what.kind.as_str())
            .bind(&what.number)
            .bind(&what.order_no)
            .bind(&what.remote_id)
            .bind(what.amount.get())
            .bind(&what.currency)
            .bind(&what.merchant)
            .bind(&what.app)
            .bind(placed_at.seconds())
            .bind(what.expires_at.map(UnixTime::seconds))
            .bind(next_query_at.seconds())
            .execute(&mut *connection)
            .await?;
            if done.rows_affected() == 1 {
                return Ok(None);
            }
            let subject = Subject::new(&what.route, &what.account, what.kind, &what.number);
            expected(connection, subject).await
        }

        pub(super) async fn keep_remote_id(
            connection: &mut $Connection,
            subject: Subject<'_>,
            remote_id: &str,
        ) -> Result<bool, StoreError> {
            let done = sqlx::query(
                "update yuanfen_inbox_pending set remote_id = $5 \
                 where route = $1 and account = $2 and kind = $3 and number = $4",
            )
            .bind(subject.route)
            .bind(subject.account)
            .bind(subject.kind.as_str())
            .bind(subject.number)
            .bind(remote_id)
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        pub(super) async fn withdraw(
            connection: &mut $Connection,
            subject: Subject<'_>,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let done = sqlx::query(
                "update yuanfen_inbox_pending set state = 'lapsed', over_at = $5, fence = fence + 1, lease_until = 0, \
                 hasten_to = null where route = $1 and account = $2 and kind = $3 and number = $4 \
                 and state in ('open', 'given-up')",
            )
            .bind(subject.route)
            .bind(subject.account)
            .bind(subject.kind.as_str())
            .bind(subject.number)
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        /// What answers to the name and is open or may be again, and what a hint that comes now changes about it.
        pub(super) async fn hinted(
            connection: &mut $Connection,
            route: &str,
            account: &str,
            name: PendingName<'_>,
            now: UnixTime,
            gap: std::time::Duration,
        ) -> Result<(bool, Vec<Hastening>), StoreError> {
            let query = match name {
                PendingName::Ours(..) => sqlx::query(concat!(
                    "select ",
                    pending_columns!(),
                    ", lease_until, hasten_to from yuanfen_inbox_pending \
                     where route = $1 and account = $2 and kind = $3 and number = $4 and ",
                    may_be_queried!()
                )),
                PendingName::Remote(_) => sqlx::query(concat!(
                    "select ",
                    pending_columns!(),
                    ", lease_until, hasten_to from yuanfen_inbox_pending \
                     where route = $1 and account = $2 and remote_id = $3 and ",
                    may_be_queried!()
                )),
            };
            let query = query.bind(route).bind(account);
            let query = match name {
                PendingName::Ours(kind, number) => query.bind(kind.as_str()).bind(number),
                PendingName::Remote(remote_id) => query.bind(remote_id),
            };
            let rows = query.fetch_all(connection).await?;
            let mut changes = Vec::new();
            for row in &rows {
                let lease_until = time(row, "lease_until")?;
                let hastened = maybe_time(row, "hasten_to")?;
                let (pending, fence) = (read_pending(row)?, row.try_get("fence")?);
                let change = Hastening::of(&pending, fence, lease_until, hastened, now, gap);
                changes.extend(change);
            }
            Ok((!rows.is_empty(), changes))
        }

        /// Says whether it could be changed; whoever has it in a transaction is not waited for.
        pub(super) async fn hasten(connection: &mut $Connection, change: &Hastening) -> Result<bool, StoreError> {
            let done = sqlx::query(concat!(
                // Whoever had it claimed when it ended has nothing to say any more.
                "update yuanfen_inbox_pending set next_query_at = coalesce($4, next_query_at), hasten_to = $5, \
                 state = 'open', over_at = null, fence = case when $6 then fence + 1 else fence end, \
                 lease_until = case when $6 then 0 else lease_until end where id in (select id from yuanfen_inbox_pending \
                 where id = $1 and fence = $2 and lease_until = $3 and ",
                may_be_queried!(),
                $skip_locked,
                ")"
            ))
            .bind(change.pending)
            .bind(change.fence)
            .bind(change.lease_until.seconds())
            .bind(change.next_query_at.map(UnixTime::seconds))
            .bind(change.hasten_to.map(UnixTime::seconds))
            .bind(change.reopens)
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        pub(super) async fn claim_pending(
            connection: &mut $Connection,
            of: &DueOf<'_>,
            now: UnixTime,
            lease_until: UnixTime,
            limit: u32,
        ) -> Result<Vec<ClaimedPending>, StoreError> {
            const LONGEST: &str = claim_pending!("<= $3", "next_query_at, id", $skip_locked);
            const LATEST: &str = claim_pending!("<= $3", "next_query_at desc, id desc", $skip_locked);
            const AHEAD: &str = claim_pending!("> $6", "next_query_at, id", $skip_locked);
            let claiming = |statement| {
                sqlx::query(statement)
                    .bind(of.route)
                    .bind(of.account)
                    .bind(now.seconds())
                    .bind(lease_until.seconds())
                    .bind(i64::from(limit))
            };
            let first = match of.first {
                DueFirst::Longest => LONGEST,
                DueFirst::Latest => LATEST,
            };
            let mut rows = claiming(first).fetch_all(&mut *connection).await?;
            if rows.is_empty() {
                rows = claiming(AHEAD).bind(of.never_after.seconds()).fetch_all(connection).await?;
            }
            rows.iter()
                .map(|row| Ok(ClaimedPending::new(read_pending(row)?, row.try_get("fence")?)))
                .collect()
        }

        pub(super) async fn record_query(
            connection: &mut $Connection,
            claim: &ClaimedPending,
            record: &QueryRecord,
            now: UnixTime,
        ) -> Result<Option<PendingState>, StoreError> {
            let (state, over_at) = match record.end {
                None => (PendingState::Open, None),
                Some(PendingEnd::Over) => (PendingState::Over, Some(now.seconds())),
                Some(PendingEnd::GivenUp) => (PendingState::GivenUp, Some(now.seconds())),
                Some(PendingEnd::Lapsed) => (PendingState::Lapsed, Some(now.seconds())),
            };
            // A hint that came meanwhile is of something newer than the answer, unless that was the platform's last word.
            let is_last_word =
                record.end == Some(PendingEnd::Over) && record.standing != Some(Standing::NotFound);
            let row = sqlx::query(
                "update yuanfen_inbox_pending set \
                 state = case when hasten_to is null or $8 then $3 else 'open' end, \
                 over_at = case when hasten_to is null or $8 then $4 else over_at end, lease_until = 0, hasten_to = null, \
                 next_query_at = case when hasten_to < $5 then hasten_to else $5 end, \
                 standing = coalesce($6, standing), last_error = $7, \
                 absences = case when $6 is null then absences when $6 = 'not-found' then absences + 1 else 0 end \
                 where id = $1 and fence = $2 and state = 'open' returning state",
            )
            .bind(claim.pending.id)
            .bind(claim.fence)
            .bind(state.as_str())
            .bind(over_at)
            .bind(record.next_query_at.seconds())
            .bind(record.standing.map(standing_name))
            .bind(&record.error)
            .bind(is_last_word)
            .fetch_optional(connection)
            .await?;
            row.map(|row| named("state", PendingState::from_name(row.try_get("state")?)))
                .transpose()
        }
    };
}
pub(crate) use pending;
