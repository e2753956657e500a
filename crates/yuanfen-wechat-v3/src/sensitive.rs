//! Values that nobody but the platform and the merchant may read: encrypted in requests under a key of the platform, and in
//! answers to the merchant's certificate. v3 sheet, section 9.

use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};
use yuanfen_core::{Alphabet, Ambient, BuildError, DecryptError, Rule, Secret, UnixTime, ValueError, WireText};
use yuanfen_sign::RsaVerifyingKey;

use crate::Account;

/// A text that is sent encrypted and in no other way: a card number, a name. It is not shown, wiped when it is dropped, and
/// cannot be written into a body; [`MessageCipher::encrypt`] makes of it what can.
///
/// ```compile_fail,E0277
/// # use yuanfen_wechat_v3::{Message, Sensitive};
/// let body = Sensitive::new("6222020000000000001".to_owned());
/// Message::post("/v3/somewhere", &body); // the trait `Serialize` is not implemented for `Sensitive`
/// ```
#[derive(Clone)]
pub struct Sensitive(Secret<String>);

impl Sensitive {
    /// Takes the text in. Checked when it is encrypted: 1 to 214 bytes, without emoji and control characters.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The text itself. Whoever calls this sees to it that it goes nowhere it can be read.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(..)")
    }
}

/// A text that came encrypted to the merchant's certificate. [`Account::decrypt`] opens it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedText(Box<str>);

impl EncryptedText {
    /// The ciphertext in base64, for a key that is elsewhere: RSA, OAEP with SHA-1 and MGF1 with SHA-1, no label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EncryptedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptedText(..)")
    }
}

impl From<&str> for EncryptedText {
    fn from(base64: &str) -> Self {
        Self(base64.into())
    }
}

impl WireText for EncryptedText {
    fn read(text: &str) -> Result<Self, ValueError> {
        Ok(text.into())
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// Encrypts the values of one message, all under one key of the platform, which the message then names in its header
/// `Wechatpay-Serial`. [`Message::post_encrypted`](crate::Message::post_encrypted) makes one.
pub struct MessageCipher<'a> {
    serial: String,
    key: RsaVerifyingKey,
    ambient: &'a dyn Ambient,
}

/// A value as it stands in the body of a message: base64 of its ciphertext. It cannot outlive the cipher that made it, so it
/// cannot get into a message that names another key.
///
/// ```compile_fail,E0515
/// # use yuanfen_wechat_v3::{Ciphertext, MessageCipher, Sensitive};
/// fn keep<'a>(cipher: MessageCipher<'a>, value: &Sensitive) -> Ciphertext<'a> {
///     cipher.encrypt("name", value).unwrap() // borrows `cipher`, which ends here
/// }
/// ```
pub struct Ciphertext<'m> {
    base64: String,
    message: PhantomData<&'m MessageCipher<'m>>,
}

/// A body whose encrypted values are all under the key of its message.
pub struct EncryptedBody(pub(crate) Vec<u8>);

impl<'a> MessageCipher<'a> {
    pub(crate) fn of(account: &Account, ambient: &'a dyn Ambient) -> Result<Self, BuildError> {
        let (serial, key) = account.encryption_key(ambient.now()).ok_or(BuildError::Setup {
            what: "key of the platform to encrypt with; configure its public key, or fetch its certificates",
        })?;
        Ok(Self { serial, key, ambient })
    }

    /// What the message names its key by.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    pub(crate) fn into_serial(self) -> String {
        self.serial
    }

    /// Encrypts the value of that field.
    ///
    /// # Errors
    /// When the text is empty (leave the field out), longer than 214 bytes, or holds emoji or control characters.
    pub fn encrypt(&self, field: &'static str, value: &Sensitive) -> Result<Ciphertext<'_>, BuildError> {
        let rule = Rule::new(field, MOST_BYTES)
            .bytes()
            .alphabet(Alphabet::BASIC_PLANE)
            .source("v3 sheet, section 9");
        rule.check(value.expose())?;
        let base64 = self
            .key
            .encrypt_oaep_sha1(value.expose().as_bytes(), self.ambient)
            .map_err(BuildError::encode)?;
        Ok(Ciphertext {
            base64,
            message: PhantomData,
        })
    }

    /// Writes the body as JSON, here and never again.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn body(&self, body: &impl Serialize) -> Result<EncryptedBody, BuildError> {
        serde_json::to_vec(body).map(EncryptedBody).map_err(BuildError::encode)
    }
}

impl fmt::Debug for MessageCipher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageCipher")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

impl Serialize for Ciphertext<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base64)
    }
}

impl fmt::Debug for Ciphertext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ciphertext(..)")
    }
}

impl fmt::Debug for EncryptedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptedBody({} bytes)", self.0.len())
    }
}

impl Account {
    /// Opens a text that the platform encrypted to the merchant's certificate.
    ///
    /// # Errors
    /// As [`decrypt_bytes`](Self::decrypt_bytes), and when it is no UTF-8.
    pub fn decrypt(&self, text: &EncryptedText, ambient: &dyn Ambient) -> Result<Sensitive, DecryptError> {
        let plaintext = self.decrypt_bytes(text, ambient)?;
        std::str::from_utf8(plaintext.expose())
            .map(|text| Sensitive::new(text.to_owned()))
            .map_err(|_| DecryptError::new("what was encrypted is no text"))
    }

    /// Opens what the platform encrypted to the merchant's certificate and is no text: a key.
    ///
    /// # Errors
    /// When the account's identity cannot decrypt ([`SigningIdentity::of_key`](crate::SigningIdentity::of_key) and
    /// [`with_decrypter`](crate::SigningIdentity::with_decrypter) can), or it was encrypted to another key.
    pub fn decrypt_bytes(&self, text: &EncryptedText, ambient: &dyn Ambient) -> Result<Secret<Vec<u8>>, DecryptError> {
        let decrypter = self.decrypter().ok_or(DecryptError::new(
            "the signing identity has nothing to decrypt with; make it with `SigningIdentity::of_key`, or hand the \
             ciphertext to whoever holds the key",
        ))?;
        decrypter.decrypt(text.as_str(), ambient)
    }

    /// The key under which sensitive values are sent: the public key, or without one the certificate that is valid and
    /// began last. Sheet, sections 6.4 and 7.
    fn encryption_key(&self, now: UnixTime) -> Option<(String, RsaVerifyingKey)> {
        let keys = self.platform_keys();
        match self.public_key_id() {
            Some(id) => keys.get(id, now).map(|key| (id.to_owned(), key)),
            None => keys.newest_certificate(now).map(|newest| (newest.serial, newest.key)),
        }
    }
}

/// What OAEP with SHA-1 leaves of the 256 bytes of a 2048-bit key.
const MOST_BYTES: usize = 214;
