#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    reason = "tests"
)]

mod admin;
mod admin_door;
mod admin_events;
mod admin_hooks;
mod admin_logs;
mod admin_openapi;
mod bills;
mod book;
mod cashier;
mod clock;
mod diagnosis;
mod every_call;
mod fault_plans;
mod faults;
mod fshows;
mod fshows_refunds;
mod ladders;
mod limits;
mod load;
mod mpgateway;
mod mutants;
mod notices;
mod notices_https;
mod openapi_document;
mod origins;
mod proxy;
mod raw_http;
mod scenarios;
mod sdk_needs;
mod secure;
mod settings;
mod shop;
mod starpos;
mod starpos_refunds;
mod states_raw;
mod strict;
mod timings;
mod tls;
mod twins;
mod v2_bills;
mod v2_orders;
mod v2_provider;
mod v2_raw;
mod v2_refunds;
mod v2_till;
mod v2_tools;
mod v3_cashier;
mod v3_combined;
mod v3_faults;
mod v3_files;
mod v3_orders;
mod v3_raw;
mod v3_till;
mod wechat_web;
mod wire;
