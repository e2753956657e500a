//! What is in the folder.

use std::collections::BTreeMap;
use std::path::Path;

use yuanfen_testkit::Value;

use super::Running;
use crate::program::Folder;

/// Members of each section, by the contract of issue 4; the sections of service providers are ours.
const SECTIONS: &[(&str, &[&str])] = &[
    (
        "wechat_v3",
        &[
            "base_url",
            "mchid",
            "appid",
            "app_secret",
            "openid",
            "merchant_serial",
            "merchant_private_key_path",
            "merchant_certificate_path",
            "apiv3_key",
            "platform_serial",
            "platform_certificate_path",
            "platform_private_key_path",
            "platform_public_key_id",
            "platform_public_key_path",
        ],
    ),
    (
        "wechat_v2",
        &[
            "base_url",
            "mch_id",
            "appid",
            "openid",
            "api_key",
            "merchant_certificate_path",
            "merchant_private_key_path",
            "merchant_p12_path",
            "merchant_ca_path",
        ],
    ),
    (
        "wechat_v3_provider",
        &[
            "base_url",
            "sp_mchid",
            "sp_appid",
            "app_secret",
            "sub_app_secret",
            "sub_merchants",
            "sp_openid",
            "sub_openid",
            "provider_serial",
            "provider_private_key_path",
            "provider_certificate_path",
            "apiv3_key",
        ],
    ),
    (
        "wechat_v2_provider",
        &[
            "base_url",
            "mch_id",
            "appid",
            "sub_mch_id",
            "sub_appid",
            "other_sub_mch_id",
            "openid",
            "sub_openid",
            "api_key",
            "merchant_certificate_path",
            "merchant_private_key_path",
            "merchant_p12_path",
            "merchant_ca_path",
        ],
    ),
    (
        "starpos",
        &[
            "base_url",
            "org_no",
            "merc_id",
            "trm_no",
            "key",
            "appid",
            "app_secret",
            "openid",
            "wechat_web_base_url",
            "push_md5_key",
            "push_private_key_path",
        ],
    ),
    (
        "fshows",
        &[
            "base_url",
            "app_id",
            "sub_merchant_id",
            "openid",
            "merchant_private_key_path",
            "platform_public_key_path",
            "platform_private_key_path",
        ],
    ),
    ("mpgateway", &["base_url", "merid", "key", "openid"]),
    ("tls", &["listen", "ca_certificate_path", "server_names"]),
    ("connect_proxy", &["url"]),
    (
        "admin",
        &[
            "url",
            "pay_v3",
            "pay_v2",
            "pay_starpos",
            "pay_fshows",
            "pay_mpgateway",
            "settle_refund_v3",
            "settle_refund_v2",
        ],
    ),
];

/// Who may do what with the file.
#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

/// Every member whose name ends in `_path`, with the file behind it.
fn files(credentials: &Value) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (section, _) in SECTIONS {
        for (name, value) in credentials[section].as_object().unwrap() {
            if name.ends_with("_path") {
                files.insert(format!("{section}.{name}"), value.as_str().unwrap().to_owned());
            }
        }
    }
    files
}

#[test]
fn the_folder_holds_all_that_a_client_needs() {
    let folder = Folder::new();
    // Left by an earlier run, readable by all.
    folder.put("fshows-merchant-key.pem", "an older one");
    let (_running, credentials) = Running::in_folder(&folder, &[]);
    assert_eq!(credentials["schema"], 1);
    for (section, members) in SECTIONS {
        for member in *members {
            assert!(!credentials[section][member].is_null(), "{section}.{member}");
        }
    }
    let files = files(&credentials);
    assert_eq!(files.len(), 20);
    for (member, name) in files {
        let path = folder.path().join(&name);
        let content = std::fs::read(&path).unwrap();
        let is_secret = member.contains("private_key") || member.contains("p12");
        if member.ends_with("p12_path") {
            assert_eq!(content.first(), Some(&0x30), "{member} is DER");
        } else {
            assert!(content.starts_with(b"-----BEGIN "), "{member}");
            let says_so = content.starts_with(b"-----BEGIN PRIVATE KEY-----");
            assert_eq!(says_so, is_secret, "{member}: keys are PKCS#8");
        }
        #[cfg(unix)]
        assert_eq!(mode(&path), if is_secret { 0o600 } else { 0o644 }, "{member}");
    }
    // The shared keys are in these.
    #[cfg(unix)]
    for name in ["credentials.json", "keys.secret"] {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
    assert!(!folder.path().join("credentials.json.part").exists());

    let provider = &credentials["wechat_v3_provider"];
    assert_eq!(
        provider["sub_merchants"],
        serde_json::json!([
            { "sub_mchid": "1900000111", "sub_appid": "wx8d2e3f4a5b6c7d8e" },
            { "sub_mchid": "1900000112" },
        ])
    );
    assert_eq!(provider["sp_mchid"], credentials["wechat_v2_provider"]["mch_id"]);
    assert_ne!(provider["apiv3_key"], credentials["wechat_v3"]["apiv3_key"]);
    assert_ne!(provider["provider_serial"], credentials["wechat_v3"]["merchant_serial"]);
}

#[test]
fn a_folder_keeps_its_keys_until_its_secret_is_removed() {
    let folder = Folder::new();
    let start = || {
        let (running, credentials) = Running::in_folder(&folder, &[]);
        let keys = running.addresses["keys"].as_str().unwrap().to_owned();
        let authority = std::fs::read_to_string(folder.path().join("ca.pem")).unwrap();
        let told = [
            credentials["wechat_v3"]["merchant_serial"].clone(),
            credentials["wechat_v3"]["apiv3_key"].clone(),
            credentials["mpgateway"]["key"].clone(),
        ];
        (keys, authority, told)
    };
    let (how, first, told) = start();
    assert_eq!(how, "fresh");
    assert_eq!(start(), ("kept".to_owned(), first.clone(), told.clone()));
    std::fs::remove_file(folder.path().join("keys.secret")).unwrap();
    let (how, other, retold) = start();
    assert_eq!(how, "fresh");
    assert_ne!((other, retold), (first, told));
}

#[test]
fn a_seed_gives_two_folders_the_same_keys_and_leaves_their_own_alone() {
    let (one, other) = (Folder::new(), Folder::new());
    let kept = other.put("keys.secret", "not looked at");
    let files: Vec<Vec<Vec<u8>>> = [&one, &other]
        .into_iter()
        .map(|folder| {
            let (running, credentials) = Running::in_folder(folder, &["--seed", "42"]);
            assert_eq!(running.addresses["keys"], "seed");
            assert_eq!(running.addresses["seed"], 42);
            let files = files(&credentials).into_iter();
            // The salts in a PKCS#12 are drawn anew each time.
            let files = files.filter(|(member, _)| !member.ends_with("p12_path"));
            files
                .map(|(_, name)| std::fs::read(folder.path().join(name)).unwrap())
                .collect()
        })
        .collect();
    assert_eq!(files[0], files[1]);
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "not looked at");
    assert!(!one.path().join("keys.secret").exists());
}
