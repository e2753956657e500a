//! What stands in a row.

macro_rules! rows {
    ($Row:ty) => {
        fn time(row: &$Row, column: &str) -> Result<UnixTime, StoreError> {
            Ok(UnixTime::from_seconds(row.try_get(column)?))
        }

        fn maybe_time(row: &$Row, column: &str) -> Result<Option<UnixTime>, StoreError> {
            let seconds: Option<i64> = row.try_get(column)?;
            Ok(seconds.map(UnixTime::from_seconds))
        }

        pub(super) fn read_facts(row: &$Row) -> Result<Facts, StoreError> {
            let mut facts = Facts::new(row.try_get::<String, _>("end_state")?);
            facts.amount = row.try_get::<Option<i64>, _>("amount")?.map(Fen::new);
            facts.currency = row.try_get("currency")?;
            facts.order_no = row.try_get("order_no")?;
            facts.refund_no = row.try_get("refund_no")?;
            facts.remote_id = row.try_get("remote_id")?;
            facts.merchant = row.try_get("merchant")?;
            facts.app = row.try_get("app")?;
            Ok(facts)
        }

        fn read_origin(row: &$Row) -> Result<Origin, StoreError> {
            named("origin", Origin::from_name(row.try_get("origin")?))
        }

        /// The kept request, of a row that has its columns.
        fn read_request(row: &$Row) -> Result<Option<KeptRequest>, StoreError> {
            let method: Option<String> = row.try_get("method")?;
            let Some(method) = method else { return Ok(None) };
            let (uri, headers): (String, String) = (row.try_get("uri")?, row.try_get("headers")?);
            KeptRequest::from_columns(&method, &uri, &headers, row.try_get("body")?).map(Some)
        }

        fn read_event(row: &$Row, request: Option<KeptRequest>) -> Result<StoredEvent, StoreError> {
            let transition = named("transition", Transition::from_name(row.try_get("transition")?))?;
            let parked_for: Option<String> = row.try_get("parked_for")?;
            let text = |column: &str| row.try_get::<String, _>(column);
            Ok(StoredEvent {
                id: EventId::new(row.try_get("id")?),
                key: EventKey::new(text("route")?, text("account")?, text("subject")?, transition),
                facts: read_facts(row)?,
                origin: read_origin(row)?,
                is_over: row.try_get("is_over")?,
                state: named("state", EventState::from_name(row.try_get("state")?))?,
                attempts: small(row.try_get("attempts")?),
                ready_at: time(row, "ready_at")?,
                parked_for: parked_for
                    .map(|name| named("parked_for", ParkReason::from_name(&name)))
                    .transpose()?,
                last_error: row.try_get("last_error")?,
                received_at: time(row, "received_at")?,
                finished_at: maybe_time(row, "finished_at")?,
                request,
            })
        }

        /// What was claimed, of the row that [`claim_event`] hands out.
        pub(super) fn read_claim(row: &$Row) -> Result<ClaimedEvent, StoreError> {
            let event = read_event(row, read_request(row)?)?;
            Ok(ClaimedEvent::new(event, row.try_get("fence")?))
        }

        pub(super) fn read_pending(row: &$Row) -> Result<StoredPending, StoreError> {
            let standing: Option<String> = row.try_get("standing")?;
            Ok(StoredPending {
                id: row.try_get("id")?,
                expected: Expected {
                    route: row.try_get("route")?,
                    account: row.try_get("account")?,
                    kind: named("kind", PendingKind::from_name(row.try_get("kind")?))?,
                    number: row.try_get("number")?,
                    order_no: row.try_get("order_no")?,
                    remote_id: row.try_get("remote_id")?,
                    amount: Fen::new(row.try_get("amount")?),
                    currency: row.try_get("currency")?,
                    merchant: row.try_get("merchant")?,
                    app: row.try_get("app")?,
                    expires_at: maybe_time(row, "expires_at")?,
                },
                placed_at: time(row, "placed_at")?,
                state: named("state", PendingState::from_name(row.try_get("state")?))?,
                next_query_at: time(row, "next_query_at")?,
                last_query_at: maybe_time(row, "last_query_at")?,
                queries: small(row.try_get("queries")?),
                paid_as: row.try_get("paid_as")?,
                absences: small(row.try_get("absences")?),
                standing: standing
                    .map(|name| named("standing", standing_of(&name)))
                    .transpose()?,
                last_error: row.try_get("last_error")?,
                over_at: maybe_time(row, "over_at")?,
            })
        }
    };
}
pub(crate) use rows;
