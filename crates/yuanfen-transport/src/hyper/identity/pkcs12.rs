//! PKCS#12 (RFC 7292): the certificate and its key in one sealed file, as WeChat Pay hands them out.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Sequence};
use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, Pkcs12Archive};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use yuanfen_core::Secret;

use super::ClientIdentity;
use crate::hyper::SetupError;

/// The way out of every file that is not read here.
macro_rules! or_convert {
    ($problem:literal) => {
        concat!(
            $problem,
            "; `openssl pkcs12 -legacy -in apiclient_cert.p12 -nodes -out apiclient.pem` makes a PEM of it for `from_pem`"
        )
    };
}

const NOT_PKCS_12: &str = or_convert!("is not a PKCS#12 file in DER");
const NO_MAC: &str = or_convert!("the PKCS#12 file has no MAC, which is what tells a wrong password from a right one");
const OTHER_MAC: &str = or_convert!("the PKCS#12 file's MAC is none that is read here (HMAC with SHA-1 or SHA-2)");
const OTHER_CIPHER: &str = or_convert!(
    "the PKCS#12 file is sealed in a way that is not read here (read are RC2-40, 3DES, and AES-CBC under PBES2)"
);
const WRONG_PASSWORD: &str = "the password does not open the PKCS#12 file, or the file was altered; unless it was changed, the \
                              password of `apiclient_cert.p12` is the merchant number";
const NO_KEY: &str = "there is no private key in the PKCS#12 file";
const MANY_KEYS: &str = "there is more than one private key in the PKCS#12 file";
const NO_CERTIFICATE: &str = "there is no certificate in the PKCS#12 file";
const WHOSE_CERTIFICATE: &str =
    or_convert!("no certificate in the PKCS#12 file is marked as that of its private key (`localKeyId`)");

/// The MACs that `p12-keystore` checks. It reports any other one as it reports a cipher.
const MACS: [ObjectIdentifier; 7] = [
    ObjectIdentifier::new_unwrap("1.3.14.3.2.26"),          // SHA-1
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4"), // SHA-224
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), // SHA-256
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), // SHA-384
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"), // SHA-512
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.5"), // SHA-512/224
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.6"), // SHA-512/256
];

/// The outermost record, read for the name of the MAC; `p12-keystore` opens the rest.
#[derive(Sequence)]
struct Pfx<'a> {
    version: u8,
    auth_safe: AnyRef<'a>,
    mac_data: Option<MacData<'a>>,
}

#[derive(Sequence)]
struct MacData<'a> {
    mac: DigestInfo<'a>,
    salt: AnyRef<'a>,
    iterations: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct DigestInfo<'a> {
    algorithm: Algorithm<'a>,
    digest: AnyRef<'a>,
}

#[derive(Sequence)]
struct Algorithm<'a> {
    name: ObjectIdentifier,
    parameters: Option<AnyRef<'a>>,
}

pub(super) fn read(file: &[u8], password: &Secret<String>) -> Result<ClientIdentity, SetupError> {
    let wrong = |problem| SetupError::new("identity", problem);
    let pfx = Pfx::from_der(file).map_err(|error| wrong(NOT_PKCS_12).because(error))?;
    let mac = pfx.mac_data.ok_or_else(|| wrong(NO_MAC))?;
    if !MACS.contains(&mac.mac.algorithm.name) {
        return Err(wrong(OTHER_MAC));
    }
    let Pkcs12Archive { mut keys, certs, .. } =
        Pkcs12Archive::from_pkcs12(file, password.expose()).map_err(|error| match error {
            Error::MacError(_) => wrong(WRONG_PASSWORD),
            // The MAC held, so the password is right, and what it did not open was sealed in another way.
            error => wrong(OTHER_CIPHER).because(error),
        })?;
    let key = keys.pop().ok_or_else(|| wrong(NO_KEY))?;
    if !keys.is_empty() {
        return Err(wrong(MANY_KEYS));
    }
    let chain = chain(certs, key.local_key_id.as_ref().map(AsRef::as_ref)).map_err(wrong)?;
    Ok(ClientIdentity {
        chain,
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.key.as_der().to_vec())),
    })
}

/// The certificate of the key, then who issued it, and so on: TLS wants that order, the file promises none. A
/// certificate that vouches for itself is left out, since the far side trusts it already or never will.
fn chain(
    mut certificates: Vec<CertificateBag>,
    key_id: Option<&[u8]>,
) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let of_the_key = |bag: &CertificateBag| key_id.is_some() && bag.local_key_id.as_deref() == key_id;
    let first = match (certificates.iter().position(of_the_key), certificates.len()) {
        (Some(position), _) => position,
        (None, 0) => return Err(NO_CERTIFICATE),
        (None, 1) => 0,
        (None, _) => return Err(WHOSE_CERTIFICATE),
    };
    let mut next = Some(certificates.swap_remove(first));
    let mut chain = Vec::new();
    while let Some(bag) = next {
        let certificate = bag.cert;
        let issuer = certificates.iter().position(|other| {
            other.cert.subject() == certificate.issuer() && other.cert.subject() != other.cert.issuer()
        });
        chain.push(CertificateDer::from(certificate.as_der().to_vec()));
        next = issuer.map(|position| certificates.swap_remove(position));
    }
    Ok(chain)
}
