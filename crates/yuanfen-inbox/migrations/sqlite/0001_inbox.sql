-- Times are seconds since 1970-01-01T00:00:00Z, amounts are fen.

create table yuanfen_inbox_event (
    id           integer primary key autoincrement,
    route        text    not null,
    account      text    not null,
    subject      text    not null,
    transition   text    not null,
    amount       integer,
    currency     text,
    order_no     text,
    refund_no    text,
    remote_id    text,
    merchant     text,
    app          text,
    end_state    text    not null,
    origin       text    not null check (origin in ('notice', 'query')),
    -- Whether it is the last thing to be heard about its order or refund.
    is_over      boolean not null,
    state        text    not null check (state in ('ready', 'done', 'parked', 'dismissed')),
    -- Not to be claimed before: the lease of a claim, or the pause after a failure.
    ready_at     integer not null,
    -- Failed or unfinished attempts since it was last made ready by hand.
    attempts     integer not null default 0,
    -- How often it was claimed: every claim owns a larger number.
    fence        integer not null default 0,
    parked_for   text,
    last_error   text,
    received_at  integer not null,
    finished_at  integer,
    method       text,
    uri          text,
    headers      text,
    body         blob,
    unique (route, account, subject, transition)
);
create index yuanfen_inbox_event_ready on yuanfen_inbox_event (ready_at, id) where state = 'ready';
create index yuanfen_inbox_event_parked on yuanfen_inbox_event (id) where state = 'parked';

-- What a later delivery said otherwise than the event that is stored.
create table yuanfen_inbox_conflict (
    id           integer primary key autoincrement,
    event_id     integer not null,
    amount       integer,
    currency     text,
    order_no     text,
    refund_no    text,
    remote_id    text,
    merchant     text,
    app          text,
    end_state    text    not null,
    origin       text    not null check (origin in ('notice', 'query')),
    -- All facts in one text: the same contradiction is kept once, however often it is delivered.
    facts        text    not null,
    received_at  integer not null,
    -- When a person made the event ready again all the same.
    resolved_at  integer,
    method       text,
    uri          text,
    headers      text,
    body         blob,
    unique (event_id, facts)
);
create index yuanfen_inbox_conflict_open on yuanfen_inbox_conflict (event_id) where resolved_at is null;

-- Orders and refunds that the shop expects to hear about.
create table yuanfen_inbox_pending (
    id           integer primary key autoincrement,
    route        text    not null,
    account      text    not null,
    kind         text    not null check (kind in ('order', 'refund')),
    number       text    not null,
    order_no     text,
    remote_id    text,
    amount       integer not null,
    currency     text    not null,
    merchant     text,
    app          text,
    placed_at    integer not null,
    expires_at   integer,
    state        text    not null check (state in ('open', 'over', 'given-up', 'lapsed')),
    next_query_at integer not null,
    last_query_at integer,
    queries      integer not null default 0,
    -- What the event was about that said it was paid: there is one payment of an order.
    paid_as      text,
    -- How often in a row the platform did not know the number.
    absences     integer not null default 0,
    -- Whoever claimed it is asking until then.
    lease_until  integer not null default 0,
    -- When a hint that came while it was claimed wants it to be queried again.
    hasten_to    integer,
    fence        integer not null default 0,
    standing     text,
    last_error   text,
    over_at      integer,
    unique (route, account, kind, number)
);
create index yuanfen_inbox_pending_due on yuanfen_inbox_pending (route, account, next_query_at) where state = 'open';
create index yuanfen_inbox_pending_remote on yuanfen_inbox_pending (route, account, remote_id) where remote_id is not null;
create index yuanfen_inbox_pending_given_up on yuanfen_inbox_pending (id) where state = 'given-up';
