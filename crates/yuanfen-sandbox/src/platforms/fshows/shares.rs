//! Who gets what of a payment (section 8 of the sheet), and how that is spelled.

use yuanfen_core::Fen;

/// What the sheet's sample reply has, in hundred-thousandths.
const RATES: Rates = Rates {
    bank: 30,
    platform: 200,
    liquidator: 140,
};
const WHOLE: i64 = 100_000;

#[derive(Clone, Copy)]
struct Rates {
    bank: i64,
    platform: i64,
    liquidator: i64,
}

/// The shares of one amount.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) net: Fen,
    bank: Fen,
    platform: Fen,
    liquidator: Fen,
}

/// A share's name, its rate in the sheet's spelling, and its fee.
pub(super) struct Share {
    pub(super) name: &'static str,
    pub(super) rate: String,
    pub(super) fee: Fen,
}

impl Shares {
    pub(super) fn of(total: Fen) -> Self {
        Self::at(total, RATES)
    }

    /// All rounded half up; what rounding takes too much of comes out of the liquidator's part, and then out of the
    /// shop's.
    fn at(total: Fen, rates: Rates) -> Self {
        let part = |rate: i64| {
            let scaled = i128::from(total.get()) * i128::from(rate) + i128::from(WHOLE / 2);
            i64::try_from(scaled.div_euclid(i128::from(WHOLE))).unwrap_or(i64::MAX)
        };
        let mut net = part(WHOLE - rates.platform - rates.bank - rates.liquidator);
        let (platform, bank) = (part(rates.platform), part(rates.bank));
        let mut liquidator = total.get() - net - platform - bank;
        if liquidator < 0 {
            net += liquidator;
            liquidator = 0;
        }
        Self {
            net: Fen::new(net),
            bank: Fen::new(bank),
            platform: Fen::new(platform),
            liquidator: Fen::new(liquidator),
        }
    }

    pub(super) fn each(&self) -> [Share; 3] {
        [
            ("bank_commission", RATES.bank, self.bank),
            ("pay_platform", RATES.platform, self.platform),
            ("liquidator_commission", RATES.liquidator, self.liquidator),
        ]
        .map(|(name, rate, fee)| Share {
            name,
            rate: format!("0.{rate:05}"),
            fee,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(total: i64, rates: Rates) -> [i64; 4] {
        let shares = Shares::at(Fen::new(total), rates);
        [shares.net, shares.platform, shares.bank, shares.liquidator].map(Fen::get)
    }

    /// Net, platform, bank and liquidator, worked out by hand.
    #[test]
    fn rounds_half_up_and_keeps_the_sum() {
        for (total, shares) in [
            (1, [1, 0, 0, 0]),
            (250, [249, 1, 0, 0]),
            (500, [498, 1, 0, 1]),
            (1750, [1744, 4, 1, 1]),
            (10_000, [9963, 20, 3, 14]),
            (10_000_000_000, [9_963_000_000, 20_000_000, 3_000_000, 14_000_000]),
        ] {
            assert_eq!(at(total, RATES), shares, "{total}");
            assert_eq!(shares.iter().sum::<i64>(), total);
        }
    }

    #[test]
    fn takes_from_the_shop_what_rounding_gave_too_much() {
        let rates = Rates {
            bank: 200,
            platform: 200,
            liquidator: 0,
        };
        // 0.5 and 0.5 fen become 1 and 1, while the net amount of exactly 249 leaves one.
        assert_eq!(at(250, rates), [248, 1, 1, 0]);
    }
}
