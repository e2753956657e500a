//! PKCS#12 files, made with OpenSSL by `tests/identities/make.sh`, against a listener that demands their certificate.

use std::fs;
use std::path::Path;

use p12_keystore::{Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use yuanfen_core::Secret;
use yuanfen_transport::{Client, ClientIdentity, HyperTransport, SetupError};

use crate::identity::demanding;
use crate::toy::Reverse;

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/identities");
    fs::read(folder.join(name)).unwrap()
}

/// The merchant number, as WeChat Pay seals its files.
fn password() -> Secret<String> {
    Secret::new("1900000109".to_owned())
}

fn refused(file: impl AsRef<[u8]>, password: &Secret<String>) -> SetupError {
    let error = ClientIdentity::from_pkcs12(file, password).unwrap_err();
    assert_eq!(error.setting, "identity");
    error
}

#[tokio::test]
async fn old_and_new_files_open_a_listener_that_demands_their_certificate() {
    let merchants = String::from_utf8(file("authority.pem")).unwrap();
    for name in ["rc2-40-and-3des", "3des", "aes-256", "open-certificates"] {
        let (far, builder, account) = demanding(&merchants).await;
        let identity = ClientIdentity::from_pkcs12(file(&format!("{name}.p12")), &password()).unwrap();
        assert_eq!(format!("{identity:?}"), "ClientIdentity(..)");
        let transport = builder.identity(identity).build().unwrap();
        let answer = Client::new(account, transport).call(&Reverse).await;
        assert_eq!(answer.unwrap(), "ok", "{name}");
        assert_eq!(far.requests().len(), 1, "{name}");
    }
}

#[test]
fn a_wrong_password_is_told_from_a_damaged_file_and_is_not_shown() {
    let sealed = file("rc2-40-and-3des.p12");
    for wrong in ["open sesame", "", "1900000109 "] {
        let error = refused(&sealed, &Secret::new(wrong.to_owned()));
        assert!(
            error.problem.starts_with("the password does not open the PKCS#12 file"),
            "{error}"
        );
        assert!(error.source.is_none() && !format!("{error:?}{error}").contains("open sesame"));
    }
    let mut cut = sealed.clone();
    cut.truncate(sealed.len() - 1);
    let longer = [sealed.as_slice(), b"\n"].concat();
    for damaged in [cut.as_slice(), &longer, b"", b"-----BEGIN CERTIFICATE-----"] {
        let error = refused(damaged, &password());
        assert!(error.problem.starts_with("is not a PKCS#12 file in DER"), "{error}");
    }
}

#[test]
fn an_altered_file_is_refused_whichever_byte_it_is() {
    // All of it is under the MAC but the outermost lengths and names, without which nothing is found.
    let sealed = file("aes-256.p12");
    for position in (0..sealed.len()).step_by(61) {
        let mut altered = sealed.clone();
        altered[position] ^= 1;
        assert!(
            ClientIdentity::from_pkcs12(&altered, &password()).is_err(),
            "byte {position}"
        );
    }
}

#[test]
fn what_is_not_read_here_says_why_and_what_to_run() {
    for (name, problem) in [
        ("no-mac", "the PKCS#12 file has no MAC"),
        ("md5-mac", "the PKCS#12 file's MAC is none that is read here"),
        ("rc2-128", "the PKCS#12 file is sealed in a way that is not read here"),
        ("camellia", "the PKCS#12 file is sealed in a way that is not read here"),
    ] {
        let error = refused(file(&format!("{name}.p12")), &password());
        assert!(error.problem.starts_with(problem), "{name}: {error}");
        assert!(error.problem.contains("`openssl pkcs12 -legacy -in"), "{name}: {error}");
    }
}

#[test]
fn a_file_without_a_key_or_a_certificate_says_which() {
    for (name, problem) in [
        ("no-key", "there is no private key in the PKCS#12 file"),
        ("no-certificate", "there is no certificate in the PKCS#12 file"),
    ] {
        assert_eq!(refused(file(&format!("{name}.p12")), &password()).problem, problem);
    }
}

/// An authority, one below it, and what that one issues.
struct Below {
    root: Certificate,
    middle: CertifiedIssuer<'static, KeyPair>,
}

impl Below {
    fn new() -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            (params, KeyPair::generate().unwrap())
        };
        let (params, key) = authority("root");
        let root = CertifiedIssuer::self_signed(params, key).unwrap();
        let (params, key) = authority("middle");
        let middle = CertifiedIssuer::signed_by(params, key, &root).unwrap();
        Self {
            root: Certificate::from_der(root.der()).unwrap(),
            middle,
        }
    }

    /// A key and its certificates, the issuers first.
    fn issue(&self, id: &str) -> PrivateKeyChain {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([id.to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &self.middle).unwrap();
        PrivateKeyChain::new(
            id,
            PrivateKey::from_der(&key.serialize_der()).unwrap(),
            [
                Certificate::from_der(leaf.der()).unwrap(),
                Certificate::from_der(self.middle.der()).unwrap(),
                self.root.clone(),
            ],
        )
    }
}

fn sealed(chains: impl IntoIterator<Item = PrivateKeyChain>) -> Vec<u8> {
    let mut store = KeyStore::new();
    for (number, chain) in chains.into_iter().enumerate() {
        store.add_entry(&format!("entry {number}"), KeyStoreEntry::PrivateKeyChain(chain));
    }
    store
        .writer(password().expose())
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(1000)
        .mac_iterations(1000)
        .write()
        .unwrap()
}

#[tokio::test]
async fn the_certificates_between_are_presented_too() {
    let below = Below::new();
    let root = pem(&below.root);
    let (far, builder, account) = demanding(&root).await;
    let identity = ClientIdentity::from_pkcs12(sealed([below.issue("merchant")]), &password()).unwrap();
    let transport = builder.identity(identity).build().unwrap();
    assert_eq!(Client::new(account, transport).call(&Reverse).await.unwrap(), "ok");
    assert_eq!(far.requests().len(), 1);
}

fn pem(certificate: &Certificate) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate.as_der());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[test]
fn two_keys_in_one_file_are_one_too_many() {
    let below = Below::new();
    let both = sealed([below.issue("one"), below.issue("other")]);
    assert_eq!(
        refused(both, &password()).problem,
        "there is more than one private key in the PKCS#12 file"
    );
}

#[test]
fn a_key_of_another_certificate_is_found_when_the_transport_is_built() {
    let below = Below::new();
    let (one, other) = (below.issue("one"), below.issue("other"));
    let mixed = PrivateKeyChain::new("one", one.key().clone(), other.certs().iter().cloned());
    let identity = ClientIdentity::from_pkcs12(sealed([mixed]), &password()).unwrap();
    let error = HyperTransport::builder().identity(identity).build().unwrap_err();
    assert_eq!(
        (error.setting, error.problem),
        ("identity", "the certificate and the key cannot be used together")
    );
}
