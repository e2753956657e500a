//! `yuanfen routes`: every call of every route, read off the operations themselves.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen::core::{ClientAuth, RouteInfo};

use super::Outcome;
use crate::args::RoutesArguments;
use crate::print;

#[derive(Serialize)]
struct Row {
    route: &'static str,
    operation: &'static str,
    method: String,
    path: &'static str,
    /// Where a service provider sends it, if that is another path.
    partner_path: Option<&'static str>,
    effect: &'static str,
    client_certificate: bool,
    reply: &'static str,
}

impl From<RouteInfo> for Row {
    fn from(info: RouteInfo) -> Self {
        Self {
            route: info.route.provider,
            operation: info.route.operation,
            method: info.route.method.to_string(),
            path: info.route.path,
            partner_path: info.route.partner_path,
            effect: info.route.effect.as_str(),
            client_certificate: info.route.client_certificate == ClientAuth::Required,
            reply: info.reply.as_str(),
        }
    }
}

pub(crate) fn run(arguments: &RoutesArguments) -> Outcome {
    let rows: Vec<Row> = yuanfen::routes().into_iter().map(Row::from).collect();
    if arguments.json {
        for row in &rows {
            print::json(row)?;
        }
    } else {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let certificate = if row.client_certificate { "yes" } else { "–" };
                [
                    row.route,
                    row.operation,
                    &row.method,
                    row.path,
                    row.effect,
                    certificate,
                    row.reply,
                ]
                .map(str::to_owned)
                .to_vec()
            })
            .collect();
        print::table(
            &["route", "operation", "method", "path", "effect", "certificate", "reply"],
            &cells,
        );
    }
    Ok(ExitCode::SUCCESS)
}
