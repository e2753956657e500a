//! `yuanfen demo`: what a shop's backend does, through each of the five routes, against the embedded sandbox.
//!
//! Each route places an order over HTTP, produces what the payer's page needs, lets the sandbox's payer pay, receives
//! and acknowledges the notice, and asks for the order. A step that fails names itself, the reason, and what to do.

mod desk;
mod fshows;
mod mpgateway;
mod report;
mod starpos;
mod walk;
mod wechat_v2;
mod wechat_v3;

use std::process::ExitCode;
use std::time::Instant;

use yuanfen::transport::{HyperTransport, SharedTransport};
use yuanfen_sandbox::{FaultKind, Platform, Sandbox};

use self::desk::Desk;
use self::report::Report;
use self::walk::{Failure, Step, Walk};
use super::Outcome;
use crate::args::{DemoArguments, DemoFault, RouteName};
use crate::print;

pub(crate) fn run(arguments: &DemoArguments) -> Outcome {
    if let Some(filter) = &arguments.log {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::try_new(filter)?)
            .with_writer(std::io::stderr)
            .init();
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(demonstrate(arguments))
}

async fn demonstrate(arguments: &DemoArguments) -> Outcome {
    let sandbox = Sandbox::start().await?;
    if let Some(DemoFault::CorruptSignature) = arguments.fault {
        sandbox.set_faults(FaultKind::CorruptSignature);
    }
    let desk = Desk::open().await?;
    let transport = SharedTransport::new(HyperTransport::new()?);
    if !arguments.json {
        print::progress(format_args!(
            "sandbox at {}, the shop's notices at {}",
            sandbox.base_url(),
            desk.base_url()
        ));
    }
    let routes = if arguments.route.is_empty() {
        RouteName::ALL.to_vec()
    } else {
        arguments.route.clone()
    };
    let mut reports = Vec::with_capacity(routes.len());
    for route in routes {
        if !arguments.json {
            print::progress(format_args!("{} …", route.as_str()));
        }
        let report = one_route(route, &sandbox, &desk, &transport).await;
        if arguments.json {
            print::json(&report)?;
        }
        reports.push(report);
    }
    if !arguments.json {
        report::print_table(&reports);
    }
    Ok(if reports.iter().all(|report| report.ok) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn one_route(route: RouteName, sandbox: &Sandbox, desk: &Desk, transport: &SharedTransport) -> Report {
    let started = Instant::now();
    let platform = platform_of(route);
    let mut report = Report::new(route);
    let calls_before = sandbox.calls(platform);
    let walked = match Walk::new(route, platform, sandbox, desk, transport) {
        Ok(walk) => {
            report.begins(&walk);
            tracing::debug!(
                route = route.as_str(),
                order_no = walk.order_no.as_str(),
                "a walk begins"
            );
            match route {
                RouteName::WechatV2 => wechat_v2::walk(&walk, &mut report).await,
                RouteName::WechatV3 => wechat_v3::walk(&walk, &mut report).await,
                RouteName::Starpos => starpos::walk(&walk, &mut report).await,
                RouteName::Fshows => fshows::walk(&walk, &mut report).await,
                RouteName::Mpgateway => mpgateway::walk(&walk, &mut report).await,
            }
        }
        Err(error) => Err(Failure::new(
            Step::SetUp,
            &error,
            "this is a mistake in the demonstration; please report it",
        )),
    };
    let calls = sandbox.calls(platform).saturating_sub(calls_before);
    report.ends(walked, calls, started.elapsed());
    report
}

const fn platform_of(route: RouteName) -> Platform {
    match route {
        RouteName::WechatV2 => Platform::WechatV2,
        RouteName::WechatV3 => Platform::WechatV3,
        RouteName::Starpos => Platform::Starpos,
        RouteName::Fshows => Platform::Fshows,
        RouteName::Mpgateway => Platform::Mpgateway,
    }
}
