//! What is said to a merchant that calls too often, where that is minded (section 10.5 of the sheet).

use super::Refusal;
use super::operation::Operation;
use crate::book::Account;
use crate::platforms::Desk;
use crate::platforms::rates::{Rate, Rates};

/// # Errors
/// When the caller made as many calls of that kind in this second as it may.
pub(super) fn admit(
    rates: &mut Rates,
    operation: &Operation,
    account: Account,
    desk: &Desk<'_>,
) -> Result<(), Refusal> {
    let rate = match operation {
        Operation::Refund => Rate::Refunds,
        Operation::QueryRefund(_) => Rate::RefundQueries,
        Operation::FundFlowBill | Operation::SealedFundFlowBill(_) => Rate::FundFlowBills,
        Operation::Certificates => Rate::Certificates,
        Operation::PayByCode(_) => Rate::Charges,
        _ => return Ok(()),
    };
    let now = desk.now();
    let failed_too_often = rate == Rate::Refunds && rates.is_used_up(account, Rate::FailedRefunds, now);
    if failed_too_often || rates.is_used_up(account, rate, now) {
        return Err(too_frequent("频率限制"));
    }
    rates.count(account, rate);
    Ok(())
}

/// Sections 10.3 and 13.5 of the sheet; other pages have other codes for the status.
pub(super) fn too_frequent(words: &str) -> Refusal {
    Refusal::new(429, "FREQUENCY_LIMITED", words).numbered(268_447_840)
}
