//! Certificates of the sandbox's own authority: version 3, signed RSA with SHA-256, which has no randomness in it, so
//! that the same key, name, serial and validity always give the same bytes.

use std::time::{Duration, SystemTime};

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, SerialNumber, date_time_ymd,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use yuanfen_core::Secret;

use super::KeySetError;

/// Everybody in a sandbox's certificates belongs to it, and who reads one learns what it is worth.
const ORGANIZATION: &str = "Yuanfen sandbox (throw-away)";

/// A certificate that the sandbox's authority signed, and its key. `Debug` shows the certificate alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertifiedKey {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The key, PKCS#8 PEM.
    pub private_key_pem: Secret<String>,
}

/// Whom a certificate is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    /// The authority itself.
    Authority,
    /// A merchant or service provider, by its number: for TLS as a client, and for its signatures.
    Merchant(&'a str),
    /// WeChat's side of the signatures of APIv3. The name is the one that real platform certificates bear.
    Platform,
    /// The sandbox as a TLS server, under these host names and addresses, as of a moment.
    Server(&'a [String], SystemTime),
}

/// How long a server's certificate lives. Some systems refuse more than 398 days, however the authority came to be
/// trusted.
const SERVER_LIFE: Duration = Duration::from_secs(397 * 86_400);
/// How far back it begins, for machines whose clock is behind.
const SERVER_SLACK: Duration = Duration::from_secs(86_400);

/// Signs a certificate for the holder of `key` with the authority's key, and gives it as PEM.
pub(super) fn issue(
    subject: Subject<'_>,
    key: &Secret<String>,
    serial: &[u8; 20],
    authority_key: &Secret<String>,
) -> Result<String, rcgen::Error> {
    let load = |pem: &Secret<String>| KeyPair::from_pkcs8_pem_and_sign_algo(pem.expose(), &PKCS_RSA_SHA256);
    let key = load(key)?;
    let parameters = parameters(subject, serial)?;
    let certificate = if let Subject::Authority = subject {
        parameters.self_signed(&key)?
    } else {
        // Of the authority's own certificate only the name and the key show in those that it signs.
        let issuer = Issuer::new(self::parameters(Subject::Authority, serial)?, load(authority_key)?);
        parameters.signed_by(&key, &issuer)?
    };
    Ok(certificate.pem())
}

fn parameters(subject: Subject<'_>, serial: &[u8; 20]) -> Result<CertificateParams, rcgen::Error> {
    let (common_name, names) = match subject {
        Subject::Authority => ("Yuanfen sandbox CA", &[][..]),
        Subject::Merchant(number) => (number, &[][..]),
        Subject::Platform => ("Tenpay.com sign", &[][..]),
        Subject::Server(names, _) => ("Yuanfen sandbox", names),
    };
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::OrganizationName, ORGANIZATION);
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.serial_number = Some(SerialNumber::from_slice(serial));
    if let Subject::Server(_, now) = subject {
        // Looked at with the machine's clock alone.
        parameters.not_before = now.checked_sub(SERVER_SLACK).unwrap_or(now).into();
        parameters.not_after = now.checked_add(SERVER_LIFE).unwrap_or(now).into();
    } else {
        // Any clock that a test may set is inside.
        parameters.not_before = date_time_ymd(2010, 1, 1);
        parameters.not_after = date_time_ymd(2050, 1, 1) - Duration::from_secs(1);
    }
    if let Subject::Authority = subject {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        return Ok(parameters);
    }
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    parameters.extended_key_usages = match subject {
        Subject::Merchant(_) => vec![ExtendedKeyUsagePurpose::ClientAuth],
        Subject::Server(..) => vec![ExtendedKeyUsagePurpose::ServerAuth],
        Subject::Platform | Subject::Authority => Vec::new(),
    };
    Ok(parameters)
}

impl CertifiedKey {
    /// Both as PKCS#12 behind a password, with the authority's certificate above them.
    ///
    /// The ciphers are those of today (AES-256, HMAC with SHA-256). Real files of WeChat Pay have RC2 of 40 bits, which
    /// OpenSSL 3 opens only when it is talked into it.
    pub(super) fn to_pkcs12(&self, password: &str, authority_pem: &str) -> Result<Secret<Vec<u8>>, KeySetError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.private_key_pem.expose().as_bytes())
            .map_err(KeySetError::certificate)?;
        let key = PrivateKey::from_der(key.secret_pkcs8_der()).map_err(KeySetError::certificate)?;
        let certificate = |pem: &str| {
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(KeySetError::certificate)?;
            Certificate::from_der(&der).map_err(KeySetError::certificate)
        };
        let chain = [certificate(&self.certificate_pem)?, certificate(authority_pem)?];
        let chain = PrivateKeyChain::new("1", key, chain);
        let mut store = KeyStore::new();
        store.add_entry("Tenpay Certificate", KeyStoreEntry::PrivateKeyChain(chain));
        let bytes = store.writer(password).write().map_err(KeySetError::certificate)?;
        Ok(Secret::new(bytes))
    }
}
