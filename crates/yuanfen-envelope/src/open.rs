//! Signed call-backs to [`Verified`] fields, bare replies to [`Unsigned`] ones.

use std::fmt;

use yuanfen_core::{
    Extra, FieldError, Fields, JsonTaker, Limits, Loose, Object, SignatureError, Unsigned, Verified, Verify,
};

use crate::EnvelopeError;
use crate::rules::{RULES, RULES_KEEPING_EMPTY, RULES_WITH_SIGN_TYPE, RULES_WITH_SIGN_TYPE_KEEPING_EMPTY};

/// What a deployment's call-backs look like. The default is what its sheet found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallbackRules {
    /// Whether empty values are signed.
    pub empty_values: EmptyValues,
    /// How the body is written.
    pub body: CallbackBody,
    /// How much is read of it.
    pub limits: Limits,
}

/// Whether the platform signs empty values. Unknown: no captured call-back has one (fshows sheet, section 6.3).
///
/// Whatever is chosen, a value that is empty counts as absent afterwards: where it is not signed, anybody can add it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmptyValues {
    /// A text without them is tried first, then one with them. The default.
    #[default]
    EitherWay,
    /// Only a text without them counts.
    Drop,
    /// Only a text with them, as `name=`, counts.
    Keep,
}

/// How call-backs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallbackBody {
    /// Form bodies, as both captured call-backs are. The default.
    #[default]
    Form,
    /// Form bodies, and flat JSON objects too, with or without `sign_type` in the signed text. One implementation reads
    /// such call-backs; nobody has shown one (fshows sheet, section 11.1).
    FormOrJson,
}

/// Opens a call-back: a form body with a `sign` over all other fields but `sign_type`.
///
/// The fields that come out hold neither `sign` nor `sign_type` nor anything empty. `sign_type` itself proves nothing
/// (it is not signed) and decides nothing: the digest goes with the key.
///
/// A signature that holds is not the end of the checks. The signed text holds `&` and `=` of the values raw, so what
/// was one value when it was signed can be two fields here, or the reverse: compare order number and amount with what
/// was ordered.
///
/// # Errors
/// [`EnvelopeError::Form`] (or [`Json`](EnvelopeError::Json) and [`Field`](EnvelopeError::Field) where JSON is read)
/// for a body that is not read, a repeated name among them; [`EnvelopeError::Signature`] with
/// [`Missing`](SignatureError::Missing) for an absent or empty `sign`, and with what the verifier says of a signature
/// that does not hold.
pub fn open_callback(
    body: &[u8],
    verifier: &dyn Verify,
    rules: &CallbackRules,
) -> Result<Verified<Fields>, EnvelopeError> {
    let is_json = rules.body == CallbackBody::FormOrJson && body.trim_ascii_start().starts_with(b"{");
    let fields = if is_json {
        Object::parse(body, &rules.limits)?.to_fields()?
    } else {
        yuanfen_form::read(body, &rules.limits)?
    };
    let signature = fields.filled("sign").ok_or(SignatureError::Missing { part: "sign" })?;

    // Two texts that are the same are not tried twice.
    let has_empty = fields.iter().any(|(_, value)| value.is_empty());
    let drop_them = rules.empty_values != EmptyValues::Keep;
    let keep_them = match rules.empty_values {
        EmptyValues::EitherWay => has_empty,
        EmptyValues::Drop => false,
        EmptyValues::Keep => true,
    };
    let with_type = is_json && fields.get("sign_type").is_some();
    let candidates = [
        (drop_them, RULES),
        (keep_them, RULES_KEEPING_EMPTY),
        (drop_them && with_type, RULES_WITH_SIGN_TYPE),
        (keep_them && with_type, RULES_WITH_SIGN_TYPE_KEEPING_EMPTY),
    ];
    let texts: Vec<_> = candidates
        .iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, pair_rules)| pair_rules.keyless_text(&fields))
        .collect();
    let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();

    let mut kept = Fields::with_capacity(body.len(), fields.len());
    for (name, value) in fields.iter() {
        if !value.is_empty() && !RULES.left_out.contains(&name) {
            kept.push(name, value)?;
        }
    }
    Ok(Verified::check_any(verifier, &texts, signature, kept)?)
}

/// The answer to a request. The platform signs none of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply {
    /// What became of the call.
    pub outcome: Outcome,
    /// Members that take no part in it.
    pub extra: Extra,
}

/// What became of a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// `success` is true. For a call that creates an order this means "accepted", never "paid".
    Success(ReturnValue),
    /// `success` is false.
    Failure {
        /// `error_code`, as text even where it came as a number; empty where there was none.
        code: String,
        /// `error_message`: the platform's words, perhaps with detail behind `>>`; empty where there was none.
        message: String,
    },
}

/// `return_value`: an object for most methods, a plain text for some. Which one is for the method to say, so it stays
/// raw JSON until it is read. `Debug` shows sizes only.
#[derive(Clone)]
pub struct ReturnValue {
    /// The whole reply, so that errors have their path from its root.
    reply: Object,
}

impl ReturnValue {
    const NAME: &str = "return_value";

    /// The raw JSON text; `None` where it is absent or `null`.
    #[must_use]
    pub fn raw(&self) -> Option<&str> {
        self.reply.raw(Self::NAME).filter(|raw| *raw != "null")
    }

    /// Reads it as an object.
    ///
    /// # Errors
    /// When it is absent or no object, and what the function says; the path begins with `return_value`.
    pub fn read<T>(&self, read: impl FnOnce(&mut JsonTaker<'_>) -> Result<T, FieldError>) -> Result<T, FieldError> {
        JsonTaker::new(&self.reply).nested(Self::NAME, read)
    }

    /// Reads it as a text.
    ///
    /// # Errors
    /// When it is absent, empty, or no text; the path is `return_value`.
    pub fn text(&self) -> Result<String, FieldError> {
        JsonTaker::new(&self.reply).need(Self::NAME)
    }
}

impl fmt::Debug for ReturnValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.raw() {
            Some(raw) => write!(f, "ReturnValue({} bytes)", raw.len()),
            None => f.write_str("ReturnValue(absent)"),
        }
    }
}

/// Opens the body of a reply.
///
/// It is lenient where live clients saw the platform vary: `success` may be the text `true` or `false`, `error_code` a
/// number, and unknown members are kept aside. The HTTP status is the caller's to check.
///
/// # Errors
/// [`EnvelopeError::Json`] for what is no JSON object (the typographic quotes of the printed sample among it),
/// [`EnvelopeError::Field`] when `success` is absent or no truth value, or a code or message no single value.
pub fn open_reply(body: &[u8], limits: &Limits) -> Result<Unsigned<Reply>, EnvelopeError> {
    let reply = Object::parse(body, limits)?;
    let mut taker = JsonTaker::new(&reply);
    let Loose(success) = taker.need("success")?;
    let outcome = if success {
        _ = taker.raw(ReturnValue::NAME);
        None
    } else {
        let code = taker.maybe("error_code")?.map_or_else(String::new, |Loose(code)| code);
        let message = taker.maybe("error_message")?.unwrap_or_default();
        Some(Outcome::Failure { code, message })
    };
    let extra = taker.rest();
    let outcome = outcome.unwrap_or(Outcome::Success(ReturnValue { reply }));
    Ok(Unsigned::new(Reply { outcome, extra }))
}
