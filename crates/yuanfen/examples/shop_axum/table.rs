//! What became of each order, for people.

use std::collections::BTreeMap;
use std::error::Error;

use yuanfen::core::Fen;
use yuanfen::inbox::{EventFilter, PendingFilter};

use crate::shop::Shop;

const HEAD: [&str; 8] = [
    "route",
    "order",
    "yuan",
    "what came as a notice",
    "queries",
    "told by",
    "booked",
    "parcels",
];

/// # Errors
/// When the database cannot be read.
pub(crate) async fn of(shop: &Shop) -> Result<String, Box<dyn Error>> {
    let mut queries = BTreeMap::new();
    for pending in shop.inbox.pending(&PendingFilter::default()).await? {
        queries.insert(pending.expected.number, pending.queries);
    }
    let mut told = BTreeMap::<String, Vec<&str>>::new();
    for event in shop.inbox.events(&EventFilter::default()).await? {
        let order_no = event.facts.order_no.unwrap_or(event.key.subject);
        told.entry(order_no).or_default().push(event.origin.as_str());
    }
    let mut rows = vec![HEAD.map(str::to_owned)];
    for order in shop.orders().await? {
        let came = shop.noted(&order.route);
        rows.push([
            order.route,
            order.order_no.clone(),
            Fen::new(order.fen).yuan().to_string(),
            if came.is_empty() { "nothing".to_owned() } else { came },
            queries.get(&order.order_no).map_or_else(String::new, u32::to_string),
            told.get(&order.order_no)
                .map_or_else(String::new, |origins| origins.join(", ")),
            order.entries,
            order.parcels.to_string(),
        ]);
    }
    Ok(aligned(&rows))
}

fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
