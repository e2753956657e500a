//! Rates and fees, in both of the platform's spellings. They keep their exact text.

use yuanfen_core::{Decimal, FieldError, JsonTaker};

use crate::spellings::one_of_same;

/// Who takes what from a payment. Rates are fractions (`0.00200` is 0.2 %), fees are yuan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fees {
    /// `bank_commission_rate`.
    pub bank_rate: Option<Decimal>,
    /// `bank_commission_fee`.
    pub bank_fee: Option<Decimal>,
    /// `gatewayCommissionRate`; absent from older answers.
    pub gateway_rate: Option<Decimal>,
    /// `gatewayCommissionFee`; absent from older answers.
    pub gateway_fee: Option<Decimal>,
    /// `pay_platform_rate`: the wallet's.
    pub wallet_rate: Option<Decimal>,
    /// `pay_platform_fee`.
    pub wallet_fee: Option<Decimal>,
    /// `liquidator_commission_rate`: the liquidator's share.
    pub liquidator_rate: Option<Decimal>,
    /// `liquidator_commission_fee`.
    pub liquidator_fee: Option<Decimal>,
}

impl Fees {
    pub(crate) fn take(taker: &mut JsonTaker<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            bank_rate: decimal(taker, &["bank_commission_rate", "bankCommissionRate"])?,
            bank_fee: decimal(taker, &["bank_commission_fee", "bankCommissionFee"])?,
            gateway_rate: decimal(taker, &["gatewayCommissionRate", "gateway_commission_rate"])?,
            gateway_fee: decimal(taker, &["gatewayCommissionFee", "gateway_commission_fee"])?,
            wallet_rate: decimal(taker, &["pay_platform_rate", "payPlatformRate"])?,
            wallet_fee: decimal(taker, &["pay_platform_fee", "payPlatformFee"])?,
            liquidator_rate: decimal(taker, &["liquidator_commission_rate", "liquidatorCommissionRate"])?,
            liquidator_fee: decimal(taker, &["liquidator_commission_fee", "liquidatorCommissionFee"])?,
        })
    }
}

fn decimal(taker: &mut JsonTaker<'_>, names: &[&str]) -> Result<Option<Decimal>, FieldError> {
    one_of_same(taker, names, Decimal::same_value)
}
