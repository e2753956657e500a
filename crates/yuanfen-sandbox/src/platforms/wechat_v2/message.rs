//! Messages: who signs them, how they are opened and sealed, what every answer holds (sections 1, 3 and 5 of the sheet).

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use yuanfen_core::{Fields, Secret, Sign as _, Verify as _, nonce_text};
use yuanfen_sign::{
    Blanks, DigestScheme, Empties, HexCase, HexSpelling, KeyedDigest, KeyedSigner, NameOrder, PairRules, Render,
    SharedKey, Tail,
};
use yuanfen_xml::{MESSAGE_LIMITS, read, write};

use crate::book::{Account, Book, Order};
use crate::diagnosis::{Keyed, Mistake, Pairs};
use crate::exchange::SignatureVerdict;
use crate::faults::Subject;
use crate::keys::KeyError;
use crate::platforms::{Call, Desk, Platform};

/// Sheet, section 3.1.
pub(super) const RULES: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::KeyField,
    left_out: &["sign"],
    blanks: Blanks::Keep,
};

/// What `result_code` `FAIL` goes with. What is wrong with the message itself is said in `return_msg` alone, unsigned.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) words: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, words: impl Into<String>) -> Self {
        Self {
            code,
            words: words.into(),
        }
    }

    pub(super) fn field(name: &str) -> Self {
        Self::new("PARAM_ERROR", format!("{name}参数格式错误"))
    }

    pub(super) fn lacks(name: &str) -> Self {
        Self::new("LACK_PARAMS", format!("缺少参数{name}"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignType {
    Md5,
    HmacSha256,
}

impl SignType {
    pub(super) fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("" | "MD5") => Some(Self::Md5),
            Some("HMAC-SHA256") => Some(Self::HmacSha256),
            Some(_) => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }
}

/// One merchant number with its key: the direct merchant's, or the service provider's.
pub(super) struct Merchant {
    pub(super) account: Account,
    pub(super) app_id: &'static str,
    pub(super) merchant_id: &'static str,
    pub(super) key: SharedKey,
    /// The same key as text, for the digest that seals refund notices.
    pub(super) api_key: Secret<String>,
    /// DER of the certificate that certificate-only calls have to show.
    pub(super) certificate: Bytes,
}

/// Who calls, and for whom.
pub(super) struct Caller<'m> {
    pub(super) merchant: &'m Merchant,
    pub(super) sign_type: SignType,
    /// Whether the request names the digest. What it names is named again in the answer.
    names_sign_type: bool,
    pub(super) sub: Sub,
}

/// For which sub-merchant a service provider calls; empty where the merchant calls for itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Sub {
    pub(super) app_id: Option<String>,
    pub(super) merchant_id: Option<String>,
}

impl Sub {
    /// As an order remembers it.
    pub(super) fn of(order: &Order) -> Self {
        let kept = |name| order.detail(name).map(str::to_owned);
        Self {
            app_id: kept("sub_appid"),
            merchant_id: kept("sub_mch_id"),
        }
    }
}

impl Merchant {
    pub(super) fn new(
        account: Account,
        app_id: &'static str,
        merchant_id: &'static str,
        api_key: Secret<String>,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            account,
            app_id,
            merchant_id,
            key: SharedKey::new(api_key.expose())?,
            api_key,
            certificate: Bytes::new(),
        })
    }

    /// With its certificate, from PEM.
    pub(super) fn with_certificate(mut self, pem: &str) -> Result<Self, KeyError> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NotDer {
            expected: "certificate",
        })?;
        self.certificate = Bytes::copy_from_slice(&certificate);
        Ok(self)
    }

    pub(super) fn signer(&self, sign_type: SignType) -> KeyedSigner {
        let digest = match sign_type {
            SignType::Md5 => KeyedDigest::Md5,
            SignType::HmacSha256 => KeyedDigest::HmacSha256,
        };
        let scheme = DigestScheme {
            digest,
            spelling: HexSpelling::Upper,
            case: HexCase::Exact,
        };
        KeyedSigner::new(self.key.clone(), scheme)
    }

    /// Adds `sign` to a message and writes it.
    pub(super) fn seal(&self, mut fields: Fields, sign_type: SignType, desk: &Desk<'_>) -> Bytes {
        if desk.adds_fields() {
            put(&mut fields, "sandbox_new_field", "x < y & z");
        }
        let text = RULES.text(&fields, &self.key);
        // A digest under a key of any length cannot fail.
        let signature = self
            .signer(sign_type)
            .sign(text.as_bytes(), desk.ambient)
            .unwrap_or_default();
        put(&mut fields, "sign", &desk.outgoing_signature(signature));
        to_xml(&fields)
    }

    /// Who a message is from, or about.
    pub(super) fn put_ids(&self, fields: &mut Fields, sub: &Sub) {
        put(fields, "appid", self.app_id);
        put(fields, "mch_id", self.merchant_id);
        for (name, value) in [("sub_appid", &sub.app_id), ("sub_mch_id", &sub.merchant_id)] {
            if let Some(value) = value {
                put(fields, name, value);
            }
        }
    }
}

impl Caller<'_> {
    pub(super) const fn account(&self) -> Account {
        self.merchant.account
    }

    /// Whose money it is, and whose payment codes.
    pub(super) fn receiver(&self) -> &str {
        self.sub.merchant_id.as_deref().unwrap_or(self.merchant.merchant_id)
    }

    /// What every signed answer begins with.
    pub(super) fn reply(&self, desk: &Desk<'_>) -> Fields {
        self.begin("SUCCESS", desk)
    }

    pub(super) fn refuse(&self, refusal: &Refusal, desk: &Desk<'_>) -> Fields {
        let mut fields = self.begin("FAIL", desk);
        put(&mut fields, "err_code", refusal.code);
        put(&mut fields, "err_code_des", &refusal.words);
        fields
    }

    fn begin(&self, result: &str, desk: &Desk<'_>) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "return_code", "SUCCESS");
        put(&mut fields, "return_msg", "OK");
        self.merchant.put_ids(&mut fields, &self.sub);
        put(&mut fields, "nonce_str", &nonce_text(desk.ambient));
        put(&mut fields, "result_code", result);
        if self.names_sign_type {
            put(&mut fields, "sign_type", self.sign_type.name());
        }
        fields
    }

    /// Signs an answer and sends it.
    pub(super) fn answer(&self, reply: Fields, desk: &Desk<'_>) -> Response<Bytes> {
        respond(self.merchant.seal(reply, self.sign_type, desk))
    }
}

/// Why a message is not looked into; said in these words, by nobody who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    NotPost,
    Empty,
    NotXml,
    SignType,
    Unsigned,
    UnknownMerchant,
    Signature,
}

impl Unreadable {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::NotPost => "请使用post方法",
            Self::Empty => "post数据为空",
            Self::NotXml => "XML格式错误",
            Self::SignType => "sign_type参数格式错误",
            Self::Unsigned => "缺少参数sign",
            Self::UnknownMerchant => "mch_id参数格式错误",
            Self::Signature => "签名错误",
        }
    }
}

/// Reads a call and checks its signature, over what `signed` makes of its fields.
pub(super) fn open<'m>(
    merchants: &'m [Merchant],
    call: &Call<'_>,
    signed: impl FnOnce(Fields) -> Fields,
    desk: &mut Desk<'_>,
) -> Result<(Fields, Caller<'m>), Unreadable> {
    if call.method != Method::POST {
        return Err(Unreadable::NotPost);
    }
    if call.body.is_empty() {
        return Err(Unreadable::Empty);
    }
    let document = read(call.body, &MESSAGE_LIMITS).map_err(|_| Unreadable::NotXml)?;
    let fields = signed(document.into_fields());
    let sign_type = SignType::parse(fields.get("sign_type")).ok_or(Unreadable::SignType)?;
    let named = |merchant: &&Merchant| fields.get("mch_id") == Some(merchant.merchant_id);
    let merchant = merchants.iter().find(named);
    // Whose key it is does not show in the text, so the log has one of an unknown caller too.
    let shown = merchant.or(merchants.first());
    let shown = shown.map(|merchant| RULES.text(&fields, &merchant.key).redacted());
    let Some(signature) = fields.filled("sign") else {
        desk.checked(SignatureVerdict::Missing, shown);
        return Err(Unreadable::Unsigned);
    };
    let Some(merchant) = merchant else {
        desk.checked(SignatureVerdict::UnknownKey, shown);
        return Err(Unreadable::UnknownMerchant);
    };
    let text = RULES.text(&fields, &merchant.key);
    let holds = merchant.signer(sign_type).verify(text.as_bytes(), signature).is_ok();
    desk.checked(
        if holds {
            SignatureVerdict::Holds
        } else {
            SignatureVerdict::Mismatch
        },
        shown,
    );
    if !holds {
        inquire(&fields, sign_type, merchant, merchants, desk);
        return Err(Unreadable::Signature);
    }
    let named = |name| fields.filled(name).map(str::to_owned);
    let sub = Sub {
        app_id: named("sub_appid"),
        merchant_id: named("sub_mch_id"),
    };
    let caller = Caller {
        merchant,
        sign_type,
        names_sign_type: fields.filled("sign_type").is_some(),
        sub,
    };
    Ok((fields, caller))
}

/// Keeps what it takes to find out what was signed instead: with the merchant's own key, or with another's.
fn inquire(fields: &Fields, sign_type: SignType, merchant: &Merchant, merchants: &[Merchant], desk: &mut Desk<'_>) {
    let signature = fields.get("sign").unwrap_or_default().to_owned();
    let others = merchants
        .iter()
        .filter(|other| other.merchant_id != merchant.merchant_id);
    let signers: Vec<KeyedSigner> = std::iter::once(merchant)
        .chain(others)
        .map(|merchant| merchant.signer(sign_type))
        .collect();
    let fields = fields.clone();
    desk.inquire(move || {
        signers.iter().enumerate().find_map(|(index, signer)| {
            let pairs = Pairs {
                rules: RULES,
                fields: fields.clone(),
                key: Some(signer.key().clone()),
                json: None,
            };
            let found = pairs.explain(&Keyed::new(signer.clone(), &signature))?;
            Some(if index == 0 {
                found
            } else {
                found.and(Mistake::OtherKey)
            })
        })
    });
}

/// Who makes a call and about which order, by its own words; nothing is checked.
pub(super) fn subject(merchants: &[Merchant], call: &Call<'_>, book: &Book) -> Subject {
    let document = read(call.body, &MESSAGE_LIMITS).ok();
    let fields = document.map(yuanfen_xml::Document::into_fields).unwrap_or_default();
    let named = |merchant: &&Merchant| fields.get("mch_id") == Some(merchant.merchant_id);
    let account = merchants.iter().find(named).map(|merchant| merchant.account);
    let account = account.unwrap_or(Platform::WechatV2.into());
    let by_transaction = |id: &str| book.by_transaction(account, id).map(|order| order.order_no.clone());
    let by_refund_id = |id: &str| book.by_refund_id(account, id).map(|(order, _)| order.order_no.clone());
    let by_refund = |number: &str| book.by_refund(account, number).map(|(order, _)| order.order_no.clone());
    let order_no = fields
        .filled("out_trade_no")
        .map(str::to_owned)
        .or_else(|| by_transaction(fields.filled("transaction_id")?))
        .or_else(|| by_refund_id(fields.filled("refund_id")?))
        .or_else(|| by_refund(fields.filled("out_refund_no")?));
    Subject { account, order_no }
}

/// Names here are constants and never repeat, so there is nothing to refuse.
pub(super) fn put(fields: &mut Fields, name: &str, value: &str) {
    let pushed = fields.push(name, value);
    debug_assert!(pushed.is_ok(), "a field name was written twice");
}

pub(super) fn to_xml(fields: &Fields) -> Bytes {
    // Every value came through the XML reader or was made here, so XML can carry it.
    Bytes::from(write("xml", fields).unwrap_or_default())
}

pub(super) fn respond(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

pub(super) fn unsigned(words: &str) -> Response<Bytes> {
    let mut fields = Fields::new();
    put(&mut fields, "return_code", "FAIL");
    put(&mut fields, "return_msg", words);
    respond(to_xml(&fields))
}
