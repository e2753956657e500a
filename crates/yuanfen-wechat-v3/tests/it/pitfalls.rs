//! The forty pitfalls of the v3 sheet, section 24, and what rules each of them out.
//!
//! A test of this crate stands as `file::test`, one of another crate as `crate/file::test`; the last test of this file
//! looks each of them up. Tests that are not elsewhere are here, named after their row.
//!
//! | Row | Pitfall | Ruled out by |
//! | --- | --- | --- |
//! | 1 | signing one address, sending another | `requests::every_call_is_signed_over_what_is_sent`, `requests::percent_encodes_numbers_in_paths_and_keeps_their_case`, `requests::a_number_in_a_path_comes_back_whole` |
//! | 2 | the merchant number missing in the signed address | `requests::signs_the_merchant_number_of_a_query`, `partner::signs_both_numbers_in_the_address_of_a_query` |
//! | 3 | a helper that changes the case of order numbers | `requests::percent_encodes_numbers_in_paths_and_keeps_their_case` |
//! | 4 | JSON written again between signing and sending | `Message` holds the bytes; `vectors::drafts_every_published_request_and_sends_what_it_signed`, `requests::what_is_sealed_opens_on_the_other_side`, `uploads::signs_the_description_alone` |
//! | 5 | a notice verified over another body than came | `pitfalls::row_05_a_body_that_was_read_before_is_no_body`, `notify::decrypts_nothing_that_is_not_signed` |
//! | 6 | header names with a case | `replies::wants_every_header_once` |
//! | 7 | proxies that strip headers or recode the body | `pitfalls::row_07_what_a_proxy_stripped_or_recoded_is_refused`, `twins::every_twin_of_a_notice_is_refused` |
//! | 8 | the merchant's own certificate as the platform's, or the other way round | `setup::refuses_the_merchants_own_certificate_as_the_platforms`, `pitfalls::row_08_the_serial_of_the_header_is_the_merchants_own` |
//! | 9 | one platform certificate only | `setup::holds_certificates_and_public_keys_side_by_side`, `notify::opens_the_same_notice_once_the_certificate_is_known`, `yuanfen/rotation::a_certificate_rotated_between_two_calls_is_fetched_and_no_call_repeated`, `yuanfen/trust::a_certificate_that_changes_at_night_is_known_in_the_morning` |
//! | 10 | a public key without `Wechatpay-Serial`; its id read as hex | `requests::names_the_public_key_on_every_request_in_public_key_mode`, `replies::says_what_to_configure_where_a_key_cannot_be_fetched`, `sensitive::values_are_sent_encrypted_under_the_key_that_the_request_names` |
//! | 11 | only one of certificate and public key while switching | `notify::opens_under_a_public_key_and_under_a_certificate_of_one_account` |
//! | 12 | requiring `Wechatpay-Signature-Type` or `Request-ID` | `replies::takes_one_signature_type_and_its_absence`, `pitfalls::row_12_an_answer_needs_no_request_id` |
//! | 13 | probes that crash or are believed | `replies::refuses_probes_and_signatures_that_are_no_base64`, `notify::decrypts_nothing_that_is_not_signed`, `notify::acknowledges_in_this_apis_own_form` |
//! | 14 | the true error hidden behind a missing header | `replies::marks_refusals_that_nothing_proves` |
//! | 15 | taking every error body for JSON | `replies::says_what_a_body_is_that_is_no_json`, `replies::reads_refusals_with_less_in_them` |
//! | 16 | 202 not handled, 204 read as JSON, 204 expected of a reversal | `till::reads_a_202_however_little_it_holds`, `replies::reads_a_close_that_has_no_body`, `combined::closes_the_whole_and_names_every_part`, `till::reads_a_reversal_that_answers_with_its_number`, `code_payment::waits_while_the_payer_types` |
//! | 17 | a clock that is off | `pitfalls::row_17_a_refusal_for_the_clock_says_how_far_it_is_off`, `replies::holds_the_timestamp_to_its_window_and_says_how_far_it_is_off` |
//! | 18 | a repeat with an old timestamp | `requests::a_repeat_is_signed_anew_over_the_same_body` |
//! | 19 | another refund number after a timeout | `Settle` repeats the value it was given; `settle::repeats_a_refund_only_after_hearing_twice_and_signed_that_there_is_none`, `yuanfen-transport/retry::a_refund_that_may_have_been_sent_is_never_sent_again` |
//! | 20 | `status` and `refund_status` confused | `RefundNotice` and `RefundRecord` are two types; `notify::opens_refunds_in_each_of_their_ends` |
//! | 21 | members required that are not always there | `replies::reads_an_order_of_which_little_is_known`, `partner::reads_orders_that_name_no_app_of_the_merchant` |
//! | 22 | closed enums | `open_enum!` has no closed ones; `replies::reads_an_order_of_which_little_is_known`, `notify::opens_refunds_in_each_of_their_ends` |
//! | 23 | yuan for fen, floats | `PayAmount` is an integer of fen; `pitfalls::row_23_every_number_on_the_wire_is_an_integer`, `replies::names_the_field_that_a_genuine_answer_gets_wrong` |
//! | 24 | null, empty and unknown members | `pitfalls::row_24_nothing_is_sent_that_is_null_or_empty`, `requests::writes_every_optional_member_of_an_order_and_none_that_is_not_set`, `till::writes_every_member_of_a_charge_under_the_names_of_this_call` |
//! | 25 | no `User-Agent`, no `Accept` | `requests::every_call_is_signed_over_what_is_sent` |
//! | 26 | a page's parameters and a mobile app's confused | `JsapiParams` and `AppParams` are two types; `pay_params::gives_a_mobile_app_exactly_its_members` |
//! | 27 | gateways that count bytes | `pitfalls::row_27_a_refusal_that_counts_bytes_arrives_whole`, `fields::counts_characters_and_refuses_emoji` |
//! | 28 | emoji | `fields::counts_characters_and_refuses_emoji` |
//! | 29 | nonces and ciphertexts that crash AES-GCM | `notify::refuses_what_cannot_be_opened`, `encrypted_bills::a_file_that_was_altered_or_cut_off_does_not_open` |
//! | 30 | lenient base64 | `replies::refuses_probes_and_signatures_that_are_no_base64`, `notify::refuses_what_cannot_be_opened` |
//! | 31 | bill files: a signature that is not there, the digest of the wrong bytes or of half of them, the address changed | `bills::fetches_a_file_that_nobody_signs_and_holds_it_against_its_digest`, `bills::takes_the_digest_over_the_uncompressed_file_however_it_is_cut`, `bills::refuses_files_that_were_cut_off_or_added_to`, `bills::uses_the_address_as_it_came_and_signs_it`, `encrypted_bills::a_file_of_another_bill_is_refused_with_both_digests` |
//! | 32 | bills read by column number | `BillText` has no column numbers; `bills::reads_the_rows_of_a_trade_bill_by_the_names_of_their_columns`, `bills::reads_the_rows_of_a_fund_flow_bill_the_same_way` |
//! | 33 | the ordinary query for a combined order | `CombinedOrderNo` is a type that no ordinary call takes; `combined::asks_for_the_whole_without_a_query_string`, `combined::one_notice_tells_of_the_whole`, `yuanfen/combined::a_part_is_refunded_by_itself_and_found_in_the_whole_only` |
//! | 34 | notices told apart by `id` only | `EventKey` is the business number; `notify::opens_a_payment`, `combined::one_notice_tells_of_the_whole`, `yuanfen/notices::a_v3_notice_that_comes_twice_is_one_event` |
//! | 35 | keys and payers in logs | `debug::accounts_show_no_key`, `debug::orders_and_messages_show_neither_payer_nor_body`, `debug::requests_mark_their_authorization_as_sensitive`, `debug::errors_hold_no_body_and_no_key`, `till::never_shows_a_code`, `sensitive::neither_values_nor_ciphertexts_are_shown`, `yuanfen-transport/logs::a_call_is_one_span_and_shows_no_body_header_key_query_or_payer`, `debug::uploads_show_neither_name_nor_file`, `encrypted_bills::keys_and_tokens_are_not_shown` |
//! | 36 | depending on notices; no APIv3 key | no `Account` is made without an `ApiV3Key`; `yuanfen/notices::an_order_whose_notices_never_came_is_found_by_asking` |
//! | 37 | a storm of fetches for unknown serials; a refresh that needs what it fetches | `certificates::fetches_for_certificates_only_and_not_twice_a_minute`, `certificates::a_later_list_under_a_new_certificate_proves_itself_again`, `yuanfen-transport/keys::writes_without_keys_share_one_fetch_and_what_came_of_it`, `yuanfen-transport/keys::one_call_refreshes_while_the_others_go_on`, `yuanfen-transport/keys::the_pause_after_failed_fetches_doubles_up_to_a_minute` |
//! | 38 | `notify_url` with a query or on a host that cannot be reached | `fields::holds_the_notify_address_to_its_form`, `pitfalls::row_38_a_notice_goes_to_hosts_that_the_platform_can_reach` |
//! | 39 | H5: the server's address for the payer's, the way back unencoded, no `Referer` | `placements::refuses_this_machines_address_for_the_payer_of_an_h5_order`, `placements::appends_the_page_to_return_to_percent_encoded`; of the `Referer` the docs of `H5Url` speak |
//! | 40 | notices of version 2 | `notify::says_so_when_a_notice_of_the_older_api_arrives` |

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;
use yuanfen_core::{
    Address, BuildError, Fen, NotificationSource as _, Opens as _, Operation, OperationExt as _, OrderNo, UnixTime,
    Verified,
};
use yuanfen_wechat_v3::ops::{
    CloseOrder, PlaceAppOrder, PlaceH5Order, PlaceJsapiOrder, PlaceNativeOrder, QueryOrder, ReverseOrder,
};
use yuanfen_wechat_v3::{Account, H5Info, H5Type, OrderDetail, OrderedGoods, Reply, Scene, Store};

use crate::far_side::{
    CERTIFICATE, NOW, PUBLIC_KEY_ID, SERIAL, account, ambient, envelope, notice, now, partner, public_key_account,
    reason, reply, response, signed_headers,
};
use crate::replies::PAID;
use crate::requests::{order, parameter, refund, terms};
use crate::till::charge;

fn number() -> OrderNo {
    OrderNo::new("A12345").unwrap()
}

fn body(account: &Account, operation: &impl Operation<Provider = Account>) -> Value {
    let request = operation.request(account, &ambient()).unwrap();
    serde_json::from_slice(request.body()).unwrap()
}

/// The bodies of all calls about orders, with nothing that can be left out, and with what could be left empty.
fn bodies(account: &Account) -> Vec<Value> {
    let h5 = PlaceH5Order::new(
        terms(),
        Scene::new("203.0.113.7".parse().unwrap()),
        H5Info::new(H5Type::Wap),
    );
    let mut hollow = order();
    hollow.terms.detail = Some(OrderDetail::new());
    hollow.terms.limit_pay = Vec::new();
    let mut priced = order();
    let mut detail = OrderDetail::new();
    detail.goods.push(OrderedGoods::new("g", 3, Fen::new(33)));
    priced.terms.detail = Some(detail);
    let mut scene = Scene::new("203.0.113.7".parse().unwrap());
    scene.store = Some(Store::new("1"));
    priced.scene = Some(scene);
    let mut code = charge();
    code.detail = Some(OrderDetail::new());
    let mut bodies = vec![
        body(account, &order()),
        body(account, &hollow),
        body(account, &priced),
        body(account, &PlaceAppOrder::new(terms())),
        body(account, &PlaceNativeOrder::new(terms())),
        body(account, &h5),
        body(account, &CloseOrder::new(number())),
        body(account, &charge()),
        body(account, &code),
        body(account, &ReverseOrder::new(number())),
        body(account, &refund()),
    ];
    bodies.extend(crate::combined::bodies(account));
    bodies
}

fn walk(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        Value::Object(members) => members.values().for_each(|member| walk(member, look)),
        _ => {}
    }
}

/// A stream that a filter has read to its end gives an empty body; the signature is over what was in it.
#[test]
fn row_05_a_body_that_was_read_before_is_no_body() {
    let mut request = notice(&envelope("TRANSACTION.SUCCESS", "transaction", PAID));
    assert!(account().open_notification(&request, now()).is_ok());
    *request.body_mut() = Bytes::new();
    let refused = account().open_notification(&request, now()).unwrap_err();
    assert_eq!(reason(&refused), "mismatch");
}

#[test]
fn row_07_what_a_proxy_stripped_or_recoded_is_refused() {
    let body = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    for stripped in [
        "wechatpay-timestamp",
        "wechatpay-nonce",
        "wechatpay-serial",
        "wechatpay-signature",
    ] {
        let mut request = notice(&body);
        request.headers_mut().remove(stripped);
        let refused = account().open_notification(&request, now()).unwrap_err();
        assert_eq!(reason(&refused), "missing-signature", "{stripped}");
    }
    let decoded: Value = serde_json::from_str(&body).unwrap();
    for recoded in [
        decoded.to_string(),
        serde_json::to_string_pretty(&decoded).unwrap(),
        format!("{body}\n"),
        format!("\u{feff}{body}"),
        body.replace("支付成功", "\\u652f\\u4ed8\\u6210\\u529f"),
        body.replace('/', "\\/"),
    ] {
        assert_ne!(recoded, body);
        let mut request = notice(&body);
        *request.body_mut() = Bytes::from(recoded.clone());
        let refused = account().open_notification(&request, now()).unwrap_err();
        assert_eq!(reason(&refused), "mismatch", "{recoded}");
    }
}

#[test]
fn row_08_the_serial_of_the_header_is_the_merchants_own() {
    for account in [account(), partner(), public_key_account()] {
        let request = order().request(&account, &ambient()).unwrap();
        let header = request.headers()["authorization"].to_str().unwrap();
        assert_eq!(parameter(header, "serial_no"), SERIAL);
        assert!(!header.contains(CERTIFICATE) && !header.contains(PUBLIC_KEY_ID));
    }
}

/// Some answers have none, and file downloads never do.
#[test]
fn row_12_an_answer_needs_no_request_id() {
    let answer = response(200, &signed_headers(CERTIFICATE, PAID.as_bytes()), PAID.as_bytes());
    let opened = Verified::<Reply>::open(&account(), &answer, now()).unwrap();
    assert_eq!(
        (opened.get().request_id(), opened.get().internal_number()),
        (None, None)
    );
    assert!(
        QueryOrder::by_order_no(OrderNo::new("A1").unwrap())
            .decode(&account(), opened)
            .is_ok()
    );
    let refused = response(401, &[], br#"{"code":"SIGN_ERROR","message":"x"}"#);
    let error = order().reply(&account(), &refused, now()).unwrap_err();
    assert_eq!(error.remote_request_id(), None);
    assert_eq!(error.refusal().unwrap().code, "SIGN_ERROR");
}

/// A machine whose clock is off is refused on every call, by a gateway that signs nothing. Its `Date` tells.
#[test]
fn row_17_a_refusal_for_the_clock_says_how_far_it_is_off() {
    const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    let refusal = |date: Option<&str>, ahead: i64| {
        let headers: Vec<_> = date.map(|date| ("Date", date.to_owned())).into_iter().collect();
        let answer = response(401, &headers, br#"{"code":"SIGN_ERROR","message":"x"}"#);
        let error = order()
            .reply(&account(), &answer, UnixTime::from_seconds(NOW + ahead))
            .unwrap_err();
        let refusal = error.refusal().unwrap();
        (refusal.skew_seconds, refusal.to_string())
    };
    let (skew, text) = refusal(Some(DATE), 400);
    assert_eq!(skew, Some(400));
    assert!(
        text.contains("this machine's clock is 400 seconds ahead of the platform's"),
        "{text}"
    );
    let (skew, text) = refusal(Some(DATE), -3600);
    assert_eq!(skew, Some(-3600));
    assert!(text.contains("3600 seconds behind"), "{text}");
    let (skew, text) = refusal(Some(DATE), 2);
    assert_eq!(skew, Some(2));
    assert!(
        !text.contains("clock is"),
        "the second that the answer takes is no fault: {text}"
    );
    for (date, ahead) in [(None, 400), (Some("yesterday"), 400)] {
        assert_eq!(refusal(date, ahead).0, None);
    }
}

#[test]
fn row_23_every_number_on_the_wire_is_an_integer() {
    let mut numbers = 0;
    for account in [account(), partner()] {
        for body in bodies(&account) {
            walk(&body, &mut |value| {
                if let Value::Number(number) = value {
                    assert!(number.is_i64(), "{number} in {body}");
                    numbers += 1;
                }
            });
        }
    }
    assert!(numbers > 20, "{numbers}");
}

#[test]
fn row_24_nothing_is_sent_that_is_null_or_empty() {
    for account in [account(), partner()] {
        for body in bodies(&account) {
            walk(&body, &mut |value| {
                let empty = match value {
                    Value::Null => true,
                    Value::String(text) => text.is_empty(),
                    Value::Array(items) => items.is_empty(),
                    Value::Object(members) => members.is_empty(),
                    _ => false,
                };
                assert!(!empty, "{body}");
            });
        }
    }
}

/// Characters are what the documents count, so a text at its limit is sent. Where a gateway counts bytes after all, its
/// refusal says where and how many, and reaches the caller as it is.
#[test]
fn row_27_a_refusal_that_counts_bytes_arrives_whole() {
    let mut order = order();
    order.terms.description = "面".repeat(127);
    assert_eq!(
        body(&account(), &order)["description"].as_str().map(str::len),
        Some(381)
    );
    let detail = r#"{"field":"/description","issue":"字符串长度超过限制: 381 > 127 bytes","location":"body"}"#;
    let answer = reply(
        400,
        &format!(r#"{{"code":"PARAM_ERROR","message":"参数错误","detail":{detail}}}"#),
    );
    let error = order.reply(&account(), &answer, now()).unwrap_err();
    assert_eq!(error.refusal().unwrap().detail.as_deref(), Some(detail));
}

/// It takes a host on the public network: no address of a local one, no name that only this office knows.
#[test]
fn row_38_a_notice_goes_to_hosts_that_the_platform_can_reach() {
    let to = |host: &str| -> Result<(), BuildError> {
        let mut order: PlaceJsapiOrder = order();
        order.terms.notify_url = Address::parse("notify_url", &format!("https://{host}/notify"))?;
        order.encode(&account(), &ambient()).map(drop)
    };
    for host in [
        "shop.example",
        "shop.example:8443",
        "203.0.113.7",
        "[2001:db8::1]",
        "SHOP.Example.",
    ] {
        to(host).unwrap_or_else(|error| panic!("{host}: {error}"));
    }
    for host in [
        "localhost",
        "LOCALHOST",
        "shop.localhost",
        "intranet",
        "intranet.",
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1:8443",
        "169.254.1.1",
        "0.0.0.0",
        "[::1]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
    ] {
        let error = to(host).expect_err(host);
        assert_eq!(error.field(), Some("notify_url"), "{host}: {error}");
    }
    let mut back = refund();
    back.notify_url = Some(Address::parse("notify_url", "https://10.0.0.1/").unwrap());
    assert_eq!(
        back.encode(&account(), &ambient()).unwrap_err().field(),
        Some("notify_url")
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it looks up the tests that it lists")]
fn every_row_is_listed_once_and_every_test_that_is_named_exists() {
    let text = include_str!("pitfalls.rs");
    let rows: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .filter_map(|line| line.split_once(" | "))
        .filter(|(row, _)| row.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    let numbers: Vec<usize> = rows.iter().map(|(row, _)| row.parse().unwrap()).collect();
    assert!(numbers.into_iter().eq(1..=40), "{rows:?}");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    for (row, rest) in rows {
        let (_, ruled_out) = rest.split_once(" | ").unwrap();
        assert!(ruled_out.len() > 10, "row {row} says nothing");
        let tests = ruled_out
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.contains("::"));
        for named in tests {
            let (file, test) = named.split_once("::").unwrap();
            let path = match file.split_once('/') {
                Some((name, file)) => here.join("..").join(name).join(format!("tests/it/{file}.rs")),
                None => here.join(format!("tests/it/{file}.rs")),
            };
            let source = files
                .entry(path.clone())
                .or_insert_with(|| std::fs::read_to_string(&path));
            let source = source
                .as_deref()
                .unwrap_or_else(|error| panic!("row {row}: {}: {error}", path.display()));
            assert!(source.contains(&format!("fn {test}(")), "row {row}: no test {named}");
        }
    }
}
