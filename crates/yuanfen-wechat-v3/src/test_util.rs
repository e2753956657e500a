//! The platform's side of a signature, for your tests: forged notices and replies that the account takes for genuine
//! because you gave it the key that forges them.
//!
//! Nothing here weighs as evidence that this crate speaks the protocol: both ends are this crate's. It is for testing what
//! *you* do with a paid order.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use yuanfen_core::{Ambient, BuildError, Fen, FixedAmbient, OrderNo, RefundNo, Rfc3339, Sign, UnixTime, WireText as _};
use yuanfen_sign::ApiV3Key;

use crate::certificates::ALGORITHM;
use crate::combined::numbers_of;
use crate::sign::answer_text;
use crate::{Account, CombinedTerms, MerchantIds, RefundStatus};

/// Signs as the platform would, under a key whose public half the account knows by that serial.
#[derive(Clone)]
pub struct Forger {
    serial: String,
    signer: Arc<dyn Sign>,
    api_v3_key: ApiV3Key,
    ids: MerchantIds,
}

impl Forger {
    /// Forges for that account: under that serial (a certificate's, or a `PUB_KEY_ID_…`), with that key, encrypted under
    /// that APIv3 key. For a service provider, make it of an account that acts for a merchant: the provider's own account
    /// opens those notices too.
    #[must_use]
    pub fn new(account: &Account, serial: &str, signer: Arc<dyn Sign>, api_v3_key: ApiV3Key) -> Self {
        Self {
            serial: serial.to_owned(),
            signer,
            api_v3_key,
            ids: account.ids().clone(),
        }
    }

    /// The notice that an order of that total was paid.
    ///
    /// # Errors
    /// When signing fails, or a provider's account acts for nobody in particular.
    pub fn payment(&self, order_no: &OrderNo, total: Fen, now: UnixTime) -> Result<http::Request<Bytes>, BuildError> {
        const PAYER: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
        let mut plaintext = serde_json::json!({
            "out_trade_no": order_no,
            "transaction_id": "4200000000000000000000000001",
            "trade_type": "JSAPI",
            "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功",
            "bank_type": "OTHERS",
            "attach": "",
            "success_time": Rfc3339(now).to_text(),
            "amount": {"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"},
        });
        self.put_merchants(&mut plaintext)?;
        match self.ids.sub_merchant() {
            None => {
                plaintext["appid"] = self.ids.app_id().into();
                plaintext["payer"] = serde_json::json!({ "openid": PAYER });
            }
            Some(sub_merchant) => {
                plaintext["sp_appid"] = self.ids.app_id().into();
                plaintext["payer"] = serde_json::json!({ "sp_openid": PAYER });
                if let Some(app_id) = &sub_merchant.app_id {
                    plaintext["sub_appid"] = app_id.as_ref().into();
                    plaintext["payer"]["sub_openid"] = "o4GgauE1lgaPsLabrYvqhVg7O8yA".into();
                }
            }
        }
        self.notice("TRANSACTION.SUCCESS", "transaction", &plaintext.to_string(), now)
    }

    /// The notice that a combined order was paid, in all of its parts.
    ///
    /// # Errors
    /// When signing fails, or a part is of somebody for whom the account cannot act.
    pub fn combined_payment(&self, terms: &CombinedTerms, now: UnixTime) -> Result<http::Request<Bytes>, BuildError> {
        let parts = terms.sub_orders.iter().zip(1..).map(|(part, number)| {
            let (merchant, sub_merchant) = numbers_of(&part.participant, &self.ids)?;
            let mut plaintext = serde_json::json!({
                "mchid": merchant,
                "out_trade_no": part.order_no,
                "transaction_id": format!("42000000000000000000000000{number:02}"),
                "trade_type": "JSAPI",
                "trade_state": "SUCCESS",
                "bank_type": "OTHERS",
                "attach": part.attach,
                "success_time": Rfc3339(now).to_text(),
                "amount": {
                    "total_amount": part.amount,
                    "payer_amount": part.amount,
                    "currency": "CNY",
                    "payer_currency": "CNY",
                },
            });
            if let (Some(sub), Some(members)) = (sub_merchant, plaintext.as_object_mut()) {
                members.insert("sub_mchid".to_owned(), (&*sub.merchant_id).into());
                if let Some(app) = &sub.app_id {
                    members.insert("sub_appid".to_owned(), (&**app).into());
                }
            }
            Ok(plaintext)
        });
        let plaintext = serde_json::json!({
            "combine_appid": self.ids.app_id(),
            "combine_mchid": self.ids.merchant_id(),
            "combine_out_trade_no": terms.order_no,
            "combine_payer_info": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            "sub_orders": parts.collect::<Result<Vec<_>, BuildError>>()?,
        });
        self.notice("TRANSACTION.SUCCESS", "transaction", &plaintext.to_string(), now)
    }

    /// The notice that a refund of an order came to that end.
    ///
    /// # Errors
    /// When signing fails, or a provider's account acts for nobody in particular.
    pub fn refund(
        &self,
        order_no: &OrderNo,
        refund_no: &RefundNo,
        status: &RefundStatus,
        (refund, total): (Fen, Fen),
        now: UnixTime,
    ) -> Result<http::Request<Bytes>, BuildError> {
        let mut plaintext = serde_json::json!({
            "transaction_id": "4200000000000000000000000001",
            "out_trade_no": order_no,
            "refund_id": "50000000000000000000000000001",
            "out_refund_no": refund_no,
            "refund_status": status,
            "user_received_account": "支付用户零钱",
            "amount": {"total": total, "refund": refund, "payer_total": total, "payer_refund": refund},
        });
        self.put_merchants(&mut plaintext)?;
        if *status == RefundStatus::Success {
            plaintext["success_time"] = Rfc3339(now).to_text().into();
        }
        let event_type = format!("REFUND.{status}");
        self.notice(&event_type, "refund", &plaintext.to_string(), now)
    }

    /// Any notice: that event type around that plaintext.
    ///
    /// # Errors
    /// When signing fails.
    pub fn notice(
        &self,
        event_type: &str,
        original_type: &str,
        plaintext: &str,
        now: UnixTime,
    ) -> Result<http::Request<Bytes>, BuildError> {
        const NONCE: &str = "forged-nonce";
        let ciphertext = self
            .api_v3_key
            .seal(NONCE, original_type, plaintext.as_bytes())
            .map_err(BuildError::encode)?;
        let envelope = serde_json::json!({
            "id": "00000000-0000-4000-8000-000000000001",
            "create_time": Rfc3339(now).to_text(),
            "event_type": event_type,
            "resource_type": "encrypt-resource",
            "summary": "forged",
            "resource": {
                "original_type": original_type,
                "algorithm": ALGORITHM,
                "ciphertext": ciphertext,
                "associated_data": original_type,
                "nonce": NONCE,
            },
        });
        let mut request = http::Request::new(Bytes::from(envelope.to_string()));
        *request.method_mut() = http::Method::POST;
        let headers = self.headers(request.body(), now)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// The reply of that status with that body.
    ///
    /// # Errors
    /// When signing fails, or there is no such status.
    pub fn reply(
        &self,
        status: u16,
        body: impl Into<Bytes>,
        now: UnixTime,
    ) -> Result<http::Response<Bytes>, BuildError> {
        let mut response = http::Response::new(body.into());
        *response.status_mut() = http::StatusCode::from_u16(status).map_err(BuildError::encode)?;
        let headers = self.headers(response.body(), now)?;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn put_merchants(&self, plaintext: &mut serde_json::Value) -> Result<(), BuildError> {
        match self.ids.sub_merchant_id()? {
            None => plaintext["mchid"] = self.ids.merchant_id().into(),
            Some(sub_merchant_id) => {
                plaintext["sp_mchid"] = self.ids.merchant_id().into();
                plaintext["sub_mchid"] = sub_merchant_id.into();
            }
        }
        Ok(())
    }

    fn headers(&self, body: &[u8], now: UnixTime) -> Result<HeaderMap, BuildError> {
        const NONCE: &str = "forgednonceforgednonceforgedno01";
        let timestamp = now.seconds().to_string();
        let ambient: &dyn Ambient = &FixedAmbient::at(now.seconds());
        let signature = self.signer.sign(&answer_text(&timestamp, NONCE, body), ambient)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [
            ("wechatpay-timestamp", timestamp.as_str()),
            ("wechatpay-nonce", NONCE),
            ("wechatpay-serial", self.serial.as_str()),
            ("wechatpay-signature", signature.as_str()),
        ] {
            headers.insert(name, HeaderValue::from_str(value).map_err(BuildError::encode)?);
        }
        Ok(headers)
    }
}

impl std::fmt::Debug for Forger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forger")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;
    use crate::ops::QueryOrder;
    use crate::{CombinedOrderNo, Event, Participant, Reply, SigningIdentity, SubMerchant, SubOrder, TradeState};
    use yuanfen_core::{
        Address, Notice, NotificationSource as _, Opens as _, Operation as _, PayAmount, Transition, Verified,
    };
    use yuanfen_sign::RsaSigningKey;
    use yuanfen_testkit::Vectors;

    const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

    fn account_and_forger() -> (Account, Forger) {
        let vectors = Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap();
        let key = ApiV3Key::new("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb").unwrap();
        let identity = SigningIdentity::elsewhere("1900007291", "408B07E7").unwrap();
        let account = Account::direct(identity, "wxd678efh567hg6787", key.clone())
            .unwrap()
            .with_certificate(&vectors.key("go_cert_D7CE").text)
            .unwrap();
        let signer = RsaSigningKey::parse(&vectors.key("go_private").text).unwrap();
        let forger = Forger::new(&account, "D7CE59D1F522D701", Arc::new(signer), key);
        (account, forger)
    }

    fn settled(account: &Account, request: &http::Request<Bytes>) -> Event {
        match account.open_notification(request, NOW).unwrap() {
            Notice::Settles(event) => event.into_inner(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn forges_a_payment_that_the_account_takes_for_genuine() {
        let (account, forger) = account_and_forger();
        let order_no = OrderNo::new("A12345").unwrap();
        let event = settled(&account, &forger.payment(&order_no, Fen::new(100), NOW).unwrap());
        assert_eq!(account.key(&event).transition, Transition::OrderPaid);
        let Event::Payment(order) = event else {
            panic!("{event:?}")
        };
        assert_eq!((order.order_no, order.total), (order_no, Some(Fen::new(100))));
        assert_eq!(order.success_time, Some(NOW));
    }

    #[test]
    fn forges_payments_of_combined_orders() {
        let (account, forger) = account_and_forger();
        let part = |participant, number: &str, fen| {
            let amount = PayAmount::from_fen(fen).unwrap();
            SubOrder::new(participant, OrderNo::new(number).unwrap(), amount, "noodles", "table 4")
        };
        let notify_url = Address::parse("notify_url", "https://shop.example/notify").unwrap();
        let other = Participant::Merchant("1230000109".into());
        let parts = vec![part(Participant::Own, "A1", 10), part(other, "A2", 5)];
        let mut terms = CombinedTerms::new(CombinedOrderNo::new("C1").unwrap(), parts, notify_url);
        let event = settled(&account, &forger.combined_payment(&terms, NOW).unwrap());
        assert_eq!(account.key(&event).transition, Transition::OrderPaid);
        assert_eq!(account.facts(&event).amount, Some(Fen::new(15)));
        let Event::CombinedPayment(order) = event else {
            panic!("{event:?}")
        };
        assert_eq!(order.sub_orders.len(), 2);
        assert!(order.extra.is_empty() && order.sub_orders.iter().all(|part| part.extra.is_empty()));
        terms.sub_orders[0].participant = Participant::SubMerchant(SubMerchant::new("1900000109").unwrap());
        assert!(forger.combined_payment(&terms, NOW).is_err());
    }

    #[test]
    fn forges_refunds_of_every_end() {
        let (account, forger) = account_and_forger();
        let (order_no, refund_no) = (OrderNo::new("A12345").unwrap(), RefundNo::new("R1").unwrap());
        for (status, transition) in [
            (RefundStatus::Success, Transition::RefundSucceeded),
            (RefundStatus::Abnormal, Transition::RefundAbnormal),
            (RefundStatus::Closed, Transition::RefundClosed),
        ] {
            let amounts = (Fen::new(60), Fen::new(100));
            let request = forger.refund(&order_no, &refund_no, &status, amounts, NOW).unwrap();
            let event = settled(&account, &request);
            assert_eq!(account.key(&event).transition, transition);
            assert_eq!(account.facts(&event).amount, Some(Fen::new(60)));
        }
    }

    #[test]
    fn forges_for_the_merchants_of_a_provider() {
        let (direct, forger) = account_and_forger();
        let provider = Account::partner(
            direct.identity().clone(),
            "wx8888888888888888",
            forger.api_v3_key.clone(),
        );
        let vectors = Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap();
        let provider = provider
            .unwrap()
            .with_certificate(&vectors.key("go_cert_D7CE").text)
            .unwrap();
        let forger = |account: &Account| {
            let Forger {
                serial,
                signer,
                api_v3_key,
                ..
            } = forger.clone();
            Forger::new(account, &serial, signer, api_v3_key)
        };
        let (order_no, refund_no) = (OrderNo::new("A12345").unwrap(), RefundNo::new("R1").unwrap());
        let bare = SubMerchant::new("1900000109").unwrap();
        for sub_merchant in [bare.clone(), bare.with_app("wxd678efh567hg6999").unwrap()] {
            let account = provider.for_sub_merchant(sub_merchant.clone()).unwrap();
            let forger = forger(&account);
            let paid = forger.payment(&order_no, Fen::new(100), NOW).unwrap();
            let amounts = (Fen::new(60), Fen::new(100));
            let refunded = forger.refund(&order_no, &refund_no, &RefundStatus::Success, amounts, NOW);
            let refunded = refunded.unwrap();
            for opener in [&account, &provider] {
                let Event::Payment(order) = settled(opener, &paid) else {
                    panic!("no payment")
                };
                assert_eq!(order.sub_merchant.as_ref(), Some(&sub_merchant));
                assert_eq!(order.sub_payer.is_some(), sub_merchant.app_id.is_some());
                assert!(order.payer.is_some() && order.extra.is_empty(), "{:?}", order.extra);
                let Event::Refund(refund) = settled(opener, &refunded) else {
                    panic!("no refund")
                };
                assert_eq!(refund.sub_merchant.unwrap().merchant_id, sub_merchant.merchant_id);
            }
        }
        let nobodys = forger(&provider).payment(&order_no, Fen::new(100), NOW);
        assert!(matches!(nobodys, Err(BuildError::Setup { .. })), "{nobodys:?}");
    }

    #[test]
    fn forges_replies() {
        let (account, forger) = account_and_forger();
        let body =
            r#"{"mchid":"1900007291","appid":"wxd678efh567hg6787","out_trade_no":"A12345","trade_state":"NOTPAY"}"#;
        let response = forger.reply(200, body, NOW).unwrap();
        let reply = Verified::<Reply>::open(&account, &response, NOW).unwrap();
        let query = QueryOrder::by_order_no(OrderNo::new("A12345").unwrap());
        let order = query.decode(&account, reply).unwrap();
        assert_eq!(order.transaction.trade_state, TradeState::NotPay);
        assert!(forger.reply(1000, body, NOW).is_err());
        assert!(!format!("{forger:?}").contains("a7cde1"));
    }
}
