//! Negative twins: every byte and every field of a good notice, changed once.

use yuanfen_core::{Notice, NotificationSource as _, OperationExt as _};
use yuanfen_testkit::{Message, Mutant, Outcome, expect_twins};
use yuanfen_wechat_v2::{Account, SignType};

use crate::far_side::{PAID, PLACED, account, changed, hmac_account, now, order, response, signed, why, word, xml};

/// All that a reader sees of a notice.
fn open(account: &Account, mutant: &Mutant) -> Outcome<String> {
    let request = mutant.request("https://shop.example/wechat/notify").unwrap();
    let opened = account.open_notification(&request, now()).map(|notice| match notice {
        Notice::Settles(event) => {
            let event = event.into_inner();
            let extra: Vec<_> = event.extra.iter().collect();
            format!(
                "{:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {extra:?}",
                account.key(&event),
                account.facts(&event),
                event.openid,
                event.cash,
                event.is_subscribed,
                event.bank_type,
                event.paid_at,
                event.attach,
            )
        }
        other => format!("{other:?}"),
    });
    Outcome::of(opened, word)
}

#[test]
fn refuses_every_change_to_a_payment_notice() {
    for (account, by) in [(account(), SignType::Md5), (hmac_account(), SignType::HmacSha256)] {
        let pairs = signed(&changed(PAID, &[("sign_type", Some(by.as_str()))]), by);
        let fields: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        let message = Message::of_fields(fields, xml);
        let tally = expect_twins(&message, |mutant| open(&account, mutant));
        tally.expect_reasons(&["mismatch", "missing-signature", "format", "malformed sign_type"]);
        // No change at all goes unnoticed: names, values and markup are either signed or hold the message together.
        tally.expect_same_only(|_| false);
        assert!(tally.refused("mismatch") > 500, "{tally:?}");
        assert!(tally.refused("missing-signature") > 3, "{tally:?}");
    }
}

#[test]
fn refuses_every_change_to_an_answer() {
    let pairs = signed(&changed(PLACED, &[]), SignType::Md5);
    let fields: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    let tally = expect_twins(&Message::of_fields(fields, xml), |mutant| {
        let response = response(200, mutant.body.clone());
        let placed = order().reply(&account(), &response, now()).map(|placed| {
            let extra: Vec<_> = placed.extra.iter().collect();
            format!("{} {:?} {extra:?}", placed.prepay_id.as_str(), placed.trade_type)
        });
        Outcome::of(placed, |error| {
            // A changed `return_code` makes it the refusal that nobody signs; its fate is unknown all the same.
            assert_eq!(error.fate(), yuanfen_core::Fate::Unknown);
            why(error).split_whitespace().next().unwrap().to_owned()
        })
    });
    tally.expect_reasons(&["mismatch", "missing-signature", "format", "refused"]);
    tally.expect_same_only(|_| false);
}
