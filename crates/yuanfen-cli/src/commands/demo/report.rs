//! What became of one route: a row of the table, or one JSON object.

use std::time::Duration;

use serde::Serialize;
use yuanfen::core::Fen;

use super::walk::{Failure, Walk};
use crate::args::RouteName;
use crate::print;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    route: &'static str,
    pub(crate) ok: bool,
    order_no: String,
    amount_fen: i64,
    /// The prepay id, pay id or code that the payer's page was given.
    pub(crate) pay_id: Option<String>,
    /// `verified`, or `hint` where the protocol signs nothing.
    pub(crate) notice: Option<&'static str>,
    /// Whether the sandbox took the answer to the notice for an acknowledgment.
    pub(crate) acknowledged: bool,
    /// What the query said.
    pub(crate) state: Option<String>,
    calls: u64,
    ms: u128,
    error: Option<String>,
    #[serde(skip)]
    scheme: &'static str,
    #[serde(skip)]
    pub(crate) noticed_state: Option<String>,
    #[serde(skip)]
    failure: Option<Failure>,
}

impl Report {
    pub(crate) fn new(route: RouteName) -> Self {
        Self {
            route: route.as_str(),
            ok: false,
            order_no: String::new(),
            amount_fen: 0,
            pay_id: None,
            notice: None,
            acknowledged: false,
            state: None,
            calls: 0,
            ms: 0,
            error: None,
            scheme: scheme_of(route),
            noticed_state: None,
            failure: None,
        }
    }

    pub(crate) fn begins(&mut self, walk: &Walk<'_>) {
        self.order_no = walk.order_no.to_string();
        self.amount_fen = walk.amount.fen().get();
    }

    pub(crate) fn ends(&mut self, walked: Result<(), Failure>, calls: u64, took: Duration) {
        self.calls = calls;
        self.ms = took.as_millis();
        self.ok = walked.is_ok();
        if let Err(failure) = walked {
            self.error = Some(failure.to_string());
            self.failure = Some(failure);
        }
    }
}

/// What signs on that route, in a few words.
const fn scheme_of(route: RouteName) -> &'static str {
    match route {
        RouteName::WechatV2 => "MD5, sorted pairs + key",
        RouteName::WechatV3 => "RSA-SHA256, AES-256-GCM",
        RouteName::Starpos => "MD5, sorted values + key",
        RouteName::Fshows => "RSA-SHA1 envelope",
        RouteName::Mpgateway => "MD5 over base64 + key",
    }
}

pub(crate) fn print_table(reports: &[Report]) {
    let header = [
        "route",
        "signature",
        "order",
        "pay id",
        "yuan",
        "fen",
        "notice",
        "by notice",
        "by query",
        "calls",
        "ms",
        "",
    ];
    let rows: Vec<Vec<String>> = reports.iter().map(row).collect();
    print::line("");
    print::table(&header, &rows);
    for report in reports {
        if let Some(failure) = &report.failure {
            print::line("");
            print::line(format_args!(
                "{}: failed at the step \"{}\"",
                report.route, failure.step
            ));
            print::line(format_args!("  why:        {}", failure.why));
            print::line(format_args!("  what to do: {}", failure.what_to_do));
        }
    }
    print::line("");
    let good = reports.iter().filter(|report| report.ok).count();
    print::line(format_args!("{good} of {} routes took the payment", reports.len()));
}

fn row(report: &Report) -> Vec<String> {
    let or_dash = |text: Option<&str>| text.map_or_else(|| "–".to_owned(), shortened);
    let notice = match (report.notice, report.acknowledged) {
        (None, _) => "–".to_owned(),
        (Some(notice), true) => format!("{notice}, acknowledged"),
        (Some(notice), false) => notice.to_owned(),
    };
    vec![
        report.route.to_owned(),
        report.scheme.to_owned(),
        report.order_no.clone(),
        or_dash(report.pay_id.as_deref()),
        Fen::new(report.amount_fen).yuan().to_string(),
        report.amount_fen.to_string(),
        notice,
        or_dash(report.noticed_state.as_deref()),
        or_dash(report.state.as_deref()),
        report.calls.to_string(),
        report.ms.to_string(),
        if report.ok { "ok" } else { "FAILED" }.to_owned(),
    ]
}

/// Long ids in the table keep their ends; JSON has them whole.
fn shortened(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    match (characters.first_chunk::<8>(), characters.last_chunk::<6>()) {
        (Some(head), Some(tail)) if characters.len() > 20 => {
            format!(
                "{}…{}",
                head.iter().collect::<String>(),
                tail.iter().collect::<String>()
            )
        }
        _ => text.to_owned(),
    }
}
