//! `sign` and `verify` against signatures that others published or computed.

use std::path::Path;

use yuanfen::core::Fields;
use yuanfen_testkit::{Value, json};

use crate::program::{Folder, run, run_with_input, stderr, stdout, vectors_of};

fn arguments(command: &str, route: &str, key: &Path, input: &Path) -> Vec<String> {
    [
        command,
        "--route",
        route,
        "--key-file",
        key.to_str().unwrap(),
        "--in",
        input.to_str().unwrap(),
        "--json",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn signed(arguments: &[String]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Checks the text, its masked key and the signature of one keyed case.
fn check_keyed(name: &str, printed: &Value, text: &str, key: &str, signature: &str) {
    let shown = printed["text"].as_str().unwrap();
    // StarPos removes blanks from the key as well.
    let end = text
        .strip_suffix(&key.replace(' ', ""))
        .or_else(|| text.strip_suffix(key))
        .unwrap();
    assert_eq!(shown, format!("{end}<key>"), "{name}: text");
    assert_eq!(printed["signature"], signature, "{name}: signature");
}

fn flat_json(fields: &Fields) -> String {
    let members: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}:{}", json!(name), json!(value)))
        .collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn signs_every_published_v2_message_as_its_publisher_did() {
    let vectors = vectors_of("yuanfen-wechat-v2");
    for case in vectors.of("sign") {
        let folder = Folder::new();
        let (key, fields) = (case.text("key"), case.fields("fields"));
        let key_file = folder.put("key", format!("{key}\n"));
        let Ok(xml) = yuanfen::xml::write("xml", &fields) else {
            panic!("{}: not XML", case.name())
        };
        let mut arguments = arguments("sign", "wechat-v2", &key_file, &folder.put("order.xml", xml));
        arguments.extend(["--digest".to_owned(), case.text("digest").to_owned()]);
        let text = String::from_utf8(case.expected_text().unwrap().to_vec()).unwrap();
        check_keyed(
            case.name(),
            &signed(&arguments),
            &text,
            key,
            case.expected_signature().unwrap(),
        );
    }
}

#[test]
fn signs_every_v3_request_of_the_vendors_documents() {
    let vectors = vectors_of("yuanfen-wechat-v3");
    for case in vectors.of("request_sign") {
        let folder = Folder::new();
        let key_file = folder.put("merchant.pem", case.text("key"));
        let mut arguments = arguments(
            "sign",
            "wechat-v3",
            &key_file,
            &folder.put("body.json", case.bytes("body")),
        );
        for (option, member) in [
            ("--method", "method"),
            ("--target", "target"),
            ("--timestamp", "timestamp"),
            ("--nonce", "nonce"),
        ] {
            arguments.extend([option.to_owned(), case.text(member).to_owned()]);
        }
        let printed = signed(&arguments);
        assert_eq!(
            printed["text"].as_str().unwrap().as_bytes(),
            case.expected_text().unwrap(),
            "{}",
            case.name()
        );
        assert_eq!(
            printed["signature"],
            case.expected_signature().unwrap(),
            "{}",
            case.name()
        );
    }
}

#[test]
fn verifies_v3_answers_and_refuses_what_the_sheet_refuses() {
    let vectors = vectors_of("yuanfen-wechat-v3");
    for case in vectors.of("message_verify") {
        let folder = Folder::new();
        let key_file = folder.put("platform.pem", case.text("key"));
        let mut arguments = arguments(
            "verify",
            "wechat-v3",
            &key_file,
            &folder.put("answer.json", case.bytes("body")),
        );
        for (option, member) in [
            ("--timestamp", "timestamp"),
            ("--nonce", "nonce"),
            ("--signature", "signature"),
        ] {
            arguments.extend([option.to_owned(), case.text(member).to_owned()]);
        }
        let output = run(&arguments);
        let holds = case.refused().is_none();
        assert_eq!(
            output.status.code(),
            Some(i32::from(!holds)),
            "{}: {}",
            case.name(),
            stderr(&output)
        );
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["holds"], holds, "{}", case.name());
    }
}

#[test]
fn signs_starpos_fields_by_their_lower_cased_names() {
    let vectors = vectors_of("yuanfen-starpos");
    for case in vectors.of("sign") {
        let folder = Folder::new();
        let key = case.text("key");
        let input = folder.put("fields.json", flat_json(&case.fields("fields")));
        let printed = signed(&arguments("sign", "starpos", &folder.put("key", key), &input));
        let text = String::from_utf8(case.expected_text().unwrap().to_vec()).unwrap();
        check_keyed(case.name(), &printed, &text, key, case.expected_signature().unwrap());
    }
}

#[test]
fn signs_and_verifies_fshows_envelopes_under_short_keys() {
    let vectors = vectors_of("yuanfen-envelope");
    for case in vectors.of("request_sign") {
        let folder = Folder::new();
        let input = folder.put("fields.json", flat_json(&case.fields("fields")));
        let digest = ["--digest".to_owned(), case.text("digest").to_owned()];
        let mut sign = arguments("sign", "fshows", &folder.put("rsa.pem", case.text("key")), &input);
        sign.extend(digest.clone());
        let printed = signed(&sign);
        assert_eq!(
            printed["text"].as_str().unwrap().as_bytes(),
            case.expected_text().unwrap(),
            "{}",
            case.name()
        );
        let signature = case.expected_signature().unwrap();
        assert_eq!(printed["signature"], signature, "{}", case.name());

        let mut verify = arguments(
            "verify",
            "fshows",
            &folder.put("public.pem", case.text("public_key")),
            &input,
        );
        verify.extend(digest);
        verify.extend(["--signature".to_owned(), signature.to_owned()]);
        assert_eq!(signed(&verify)["holds"], true, "{}", case.name());
    }
}

#[test]
fn signs_fshows_call_backs_without_sign_and_sign_type() {
    let vectors = vectors_of("yuanfen-envelope");
    for case in vectors.of("callback_sign") {
        let folder = Folder::new();
        let mut fields = case.fields("fields");
        if fields.get("sign").is_none() {
            fields.push("sign", "left out").unwrap();
        }
        if fields.get("sign_type").is_none() {
            fields.push("sign_type", "RSA").unwrap();
        }
        let input = folder.put("fields.json", flat_json(&fields));
        let mut arguments = arguments("sign", "fshows", &folder.put("rsa.pem", case.text("key")), &input);
        arguments.push("--callback".to_owned());
        assert_eq!(
            signed(&arguments)["signature"],
            case.expected_signature().unwrap(),
            "{}",
            case.name()
        );
    }
}

#[test]
fn signs_the_base64_that_it_also_prints_for_mpgateway() {
    let vectors = vectors_of("yuanfen-mpgateway");
    for case in vectors.of("sign") {
        let folder = Folder::new();
        let key = case.text("key");
        let input = folder.put("request.json", case.bytes("payload"));
        let printed = signed(&arguments("sign", "mpgateway", &folder.put("key", key), &input));
        let text = String::from_utf8(case.expected_text().unwrap().to_vec()).unwrap();
        check_keyed(case.name(), &printed, &text, key, case.expected_signature().unwrap());
        assert_eq!(
            printed["req"].as_str().unwrap(),
            text.strip_suffix(key).unwrap(),
            "{}",
            case.name()
        );
    }
}

const ORDER: &str = "<xml><appid>wxd930ea5d5a258f4f</appid><mch_id>10000100</mch_id><device_info>1000</device_info>\
                     <body>test</body><nonce_str>ibuaiVcKdpRxkhJA</nonce_str></xml>";
const KEY: &str = "192006250b4c09247ec02edce69f6a2d";
const SIGNATURE: &str = "9A0A8659F005D6984697E2CA0A9CF3B7";

#[test]
fn never_prints_the_key_in_any_form_of_output() {
    let folder = Folder::new();
    let (key, order) = (folder.put("key", KEY), folder.put("order.xml", ORDER));
    for json in [true, false] {
        for (command, more) in [
            ("sign", vec![]),
            ("verify", vec!["--signature", SIGNATURE]),
            ("verify", vec!["--signature", "A"]),
        ] {
            let mut arguments = arguments(command, "wechat-v2", &key, &order);
            if !json {
                arguments.pop();
            }
            arguments.extend(more.into_iter().map(str::to_owned));
            let output = run(&arguments);
            let everything = format!("{}{}", stdout(&output), stderr(&output));
            assert!(!everything.contains(KEY), "{arguments:?} printed the key");
            assert!(
                everything.contains("mch_id=10000100"),
                "the same search finds what is not secret"
            );
        }
    }
}

#[test]
fn reads_the_key_or_the_message_from_standard_input_but_not_both() {
    let folder = Folder::new();
    let (key, order) = (folder.put("key", KEY), folder.put("order.xml", ORDER));
    let dash = Path::new("-");
    for (arguments, input) in [
        (arguments("sign", "wechat-v2", dash, &order), KEY.to_owned() + "\n"),
        (arguments("sign", "wechat-v2", dash, &order), KEY.to_owned() + "\r\n"),
        (arguments("sign", "wechat-v2", &key, dash), ORDER.to_owned()),
    ] {
        let output = run_with_input(&arguments, input.as_bytes());
        let printed: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
        assert_eq!(printed["signature"], SIGNATURE);
    }
    let output = run_with_input(arguments("sign", "wechat-v2", dash, dash), KEY.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("standard input can be read once"));
}

#[test]
fn drops_one_trailing_newline_of_a_key_file_and_no_more() {
    let folder = Folder::new();
    let order = folder.put("order.xml", ORDER);
    let two = signed(&arguments(
        "sign",
        "wechat-v2",
        &folder.put("two", format!("{KEY}\n\n")),
        &order,
    ));
    assert_ne!(two["signature"], SIGNATURE, "a second newline is part of the key");
    let one = signed(&arguments(
        "sign",
        "wechat-v2",
        &folder.put("one", format!("{KEY}\n")),
        &order,
    ));
    assert_eq!(one["signature"], SIGNATURE);
}

#[test]
fn verify_says_no_with_exit_status_1_and_says_why() {
    let folder = Folder::new();
    let mut arguments = arguments(
        "verify",
        "wechat-v2",
        &folder.put("key", KEY),
        &folder.put("order.xml", ORDER),
    );
    arguments.pop();
    arguments.extend(["--signature".to_owned(), SIGNATURE.to_ascii_lowercase()]);
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("does NOT hold"),
        "v2 compares case-sensitively"
    );
    assert!(
        stdout(&output).contains("appid=wxd930ea5d5a258f4f&body=test"),
        "the text is there to be compared"
    );
}

#[test]
fn ignores_the_case_of_hex_where_the_platform_does() {
    let vectors = vectors_of("yuanfen-mpgateway");
    let case = vectors.case("v1-submit");
    let folder = Folder::new();
    let input = folder.put("request.json", case.bytes("payload"));
    let mut arguments = arguments("verify", "mpgateway", &folder.put("key", case.text("key")), &input);
    arguments.extend([
        "--signature".to_owned(),
        case.expected_signature().unwrap().to_ascii_uppercase(),
    ]);
    assert_eq!(signed(&arguments)["holds"], true);
}

#[test]
fn explains_input_that_does_not_fit_the_route() {
    let folder = Folder::new();
    let key = folder.put("key", KEY);
    let order = folder.put("order.xml", ORDER);
    let json = folder.put("order.json", r#"{"appid":"wx1"}"#);
    let nested = folder.put("nested.json", r#"{"content":{"a":"b"}}"#);
    let twice = folder.put("twice.json", r#"{"a":"1","a":"2"}"#);
    let missing = folder.path().join("nothing-here");
    for (arguments, words) in [
        (arguments("sign", "wechat-v2", &key, &json), "byte"),
        (arguments("sign", "starpos", &key, &order), "not a JSON object"),
        (arguments("sign", "starpos", &key, &nested), "`content`"),
        (arguments("sign", "starpos", &key, &twice), "stands twice"),
        (arguments("sign", "wechat-v3", &key, &json), "private key"),
        (arguments("sign", "fshows", &key, &json), "key"),
        (arguments("sign", "wechat-v2", &missing, &order), "nothing-here"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains(words), "{arguments:?} said: {said}");
    }
}
