//! The push: one address for all merchants of a partner, in two variants (section 9 of the sheet).

use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use yuanfen_core::{Ambient, Clock14, Fields, JsonTaker, Limits, Object, Sign as _};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};
use yuanfen_sign::{DigestScheme, HexCase, HexSpelling, KeyError, KeyedDigest, KeyedSigner, SharedKey, keyed_text};

use super::body::{self, Charset};
use super::{orders, put};
use crate::book::Order;
use crate::keys::{STARPOS_MERCHANT, STARPOS_ORGANIZATION, STARPOS_TERMINAL, StarposKeys};
use crate::platforms::Desk;

/// Sheet, section 9.2.
pub(super) const SCHEME: DigestScheme = DigestScheme {
    digest: KeyedDigest::Md5,
    spelling: HexSpelling::Upper,
    case: HexCase::Ignored,
};

/// No schedule is documented (sheet, section 9.4). This one is the sandbox's own: seconds to wait after each attempt,
/// eight attempts within two hours.
const LADDER: &[u64] = &[15, 30, 60, 300, 900, 1800, 3600];

/// PKCS#1 v1.5 takes eleven bytes of every block.
const PADDING: usize = 11;

/// How StarPos writes its push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StarposPush {
    /// Flat JSON in GBK that nobody signs.
    #[default]
    Plain,
    /// The same JSON under the partner's RSA key, with a digest in `signValue`.
    Encrypted,
    /// The same, with the digest in `singValue`, as the vendor's printed example has it.
    EncryptedAsPrinted,
}

pub(super) struct Push {
    pub(super) url: Option<String>,
    pub(super) variant: StarposPush,
    key: LegacyRsaVerifyingKey,
    digest: KeyedSigner,
}

impl Push {
    pub(super) fn new(keys: &StarposKeys) -> Result<Self, KeyError> {
        Ok(Self {
            url: None,
            variant: StarposPush::Plain,
            key: LegacyRsaSigningKey::parse(keys.push_private_key_pem.expose(), RsaDigest::Sha1)?.verifying_key(),
            digest: KeyedSigner::new(SharedKey::new(keys.push_md5_key.expose())?, SCHEME),
        })
    }

    /// The body of a push about a payment.
    pub(super) fn body(&self, order: &Order, desk: &Desk<'_>) -> Option<Vec<u8>> {
        let plain = body::write(&payment(order, desk)?, Charset::Gbk);
        let name = match self.variant {
            StarposPush::Plain => return Some(plain),
            StarposPush::Encrypted => "signValue",
            StarposPush::EncryptedAsPrinted => "singValue",
        };
        let sealed = self.seal(&plain, desk.ambient)?;
        let text = keyed_text(sealed.as_bytes(), self.digest.key());
        // A digest under a key of any length cannot fail.
        let signature = self.digest.sign(text.as_bytes(), desk.ambient).unwrap_or_default();
        let mut outer = Fields::new();
        put(&mut outer, "Datas", &sealed);
        put(&mut outer, name, &desk.outgoing_signature(signature));
        Some(body::write(&outer, Charset::Ascii))
    }

    /// The bytes are cut where a block is full, even inside a character.
    fn seal(&self, plain: &[u8], ambient: &dyn Ambient) -> Option<String> {
        let mut sealed = String::new();
        for chunk in plain.chunks(self.key.block_len().checked_sub(PADDING)?) {
            let block = self.key.encrypt_pkcs1v15(chunk, ambient).ok()?;
            sealed.extend(block.iter().map(|byte| format!("{byte:02X}")));
        }
        Some(sealed)
    }
}

/// Sheet, section 9.1.
fn payment(order: &Order, desk: &Desk<'_>) -> Option<Fields> {
    let payment = order.payment.as_ref()?;
    let moment = Clock14(payment.at).to_string();
    let (day, time) = moment.split_at_checked(8)?;
    let detail = |name| order.detail(name).unwrap_or_default();
    let mut fields = Fields::new();
    for (name, value) in [
        ("BalDate", day),
        ("AgentId", STARPOS_ORGANIZATION),
        ("TxnLogId", detail(orders::TRADE_NO)),
        ("BusinessId", STARPOS_MERCHANT),
        ("SDTermNo", STARPOS_TERMINAL),
        ("TxnCode", "N007"),
        ("PayChannel", "2"),
        ("TxnDate", day),
        ("TxnTime", time),
        ("TxnAmt", &yuan(order)),
        ("TxnStatus", "1"),
        ("BankType", desk.open_value(&payment.bank)),
        ("OfficeId", &payment.transaction_id),
        ("ChannelId", detail(orders::SHOP_NO)),
        ("UserId", &payment.payer),
        ("logNo", detail(orders::LOG_NO)),
        ("attach", detail("attach")),
        ("CrdFlg", ""),
    ] {
        put(&mut fields, name, value);
    }
    if desk.adds_fields() {
        put(&mut fields, "SandboxNewField", "新 字段");
    }
    Some(fields)
}

/// Yuan without trailing zeros: `43.9`, `1`.
fn yuan(order: &Order) -> String {
    let text = order.amount.yuan().to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn acknowledges(status: StatusCode, body: &[u8]) -> bool {
    status == StatusCode::OK
        && Object::parse(body, &Limits::DEFAULT)
            .is_ok_and(|answer| JsonTaker::new(&answer).need::<String>("RspCode").as_deref() == Ok("000000"))
}

pub(super) fn wait_after(attempts: usize) -> Option<Duration> {
    LADDER
        .get(attempts.checked_sub(1)?)
        .map(|seconds| Duration::from_secs(*seconds))
}
