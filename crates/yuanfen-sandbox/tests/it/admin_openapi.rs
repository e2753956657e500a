//! Every operation of the admin API, called, and its answers held to the document that describes them.

use std::collections::BTreeSet;

use http::{Method, Request, Response};
use serde_json::{Map, Value, json};
use yuanfen_sandbox::{FarSide, Platform};

use crate::shop::{self, far_side, json_of, place};

const URL: &str = "http://127.0.0.1:9/notify";

/// The document, asked for as everybody does.
struct Document(Value);

impl Document {
    fn of(far_side: &FarSide) -> Self {
        Self(json_of(&far_side.administer(&request(
            &Method::GET,
            "/openapi.json",
            "",
        ))))
    }

    fn follow<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value["$ref"].as_str() {
            Some(address) => self.0.pointer(address.strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    /// The operation of a call; a template is never as good as the path itself.
    fn operation(&self, method: &Method, path: &str) -> &Value {
        let fits = |form: &str| {
            form.split('/').count() == path.split('/').count()
                && form
                    .split('/')
                    .zip(path.split('/'))
                    .all(|(form, part)| form.starts_with('{') || form == part)
        };
        let mut found: Vec<_> = self
            .operations()
            .filter(|(form, known, _)| known.eq_ignore_ascii_case(method.as_str()) && fits(form))
            .collect();
        found.sort_by_key(|(form, _, _)| form.matches('{').count());
        found
            .first()
            .unwrap_or_else(|| panic!("{method} {path} is not described"))
            .2
    }

    /// Holds an answer to what is said of it, and names the operation.
    fn check(&self, method: &Method, path: &str, response: &Response<bytes::Bytes>) -> String {
        let operation = self.operation(method, path);
        let status = response.status().as_u16();
        let said = &operation["responses"][status.to_string()];
        assert!(
            !said.is_null(),
            "{method} {path}: {status} is not described: {:?}",
            response.body()
        );
        let said = self.follow(said);
        let kind = response.headers()["content-type"].to_str().unwrap();
        let kind = kind.split(';').next().unwrap();
        let content = &said["content"][kind];
        assert!(!content.is_null(), "{method} {path}: {kind} is not described");
        if kind == "application/json" {
            let place = format!("{method} {path}: {status}");
            self.validate(&content["schema"], &json_of(response), &place);
        }
        operation["operationId"].as_str().unwrap().to_owned()
    }

    /// A schema's keywords, as far as the document uses them; another one ends the test.
    fn validate(&self, schema: &Value, value: &Value, place: &str) {
        for (keyword, wanted) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "$ref" => self.validate(self.follow(schema), value, place),
                "type" => {
                    let is_one = |name: &Value| is_of(name.as_str().unwrap(), value);
                    let holds = wanted
                        .as_array()
                        .map_or_else(|| is_one(wanted), |names| names.iter().any(is_one));
                    assert!(holds, "{place}: {value} is not {wanted}");
                }
                "enum" => assert!(
                    wanted.as_array().unwrap().contains(value),
                    "{place}: {value} is none of {wanted}"
                ),
                "const" => assert_eq!(value, wanted, "{place}"),
                "oneOf" => {
                    let fits = wanted
                        .as_array()
                        .unwrap()
                        .iter()
                        .filter(|schema| self.fits(schema, value));
                    assert_eq!(fits.count(), 1, "{place}: {value} fits not one of {wanted}");
                }
                "properties" => {
                    for (name, schema) in wanted.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.validate(schema, member, &format!("{place}.{name}"));
                        }
                    }
                }
                "required" => {
                    for name in wanted.as_array().unwrap() {
                        let is_there = value.get(name.as_str().unwrap()).is_some();
                        assert!(is_there || !value.is_object(), "{place}: {name} is missing");
                    }
                }
                "additionalProperties" => self.check_others(schema, wanted, value, place),
                "propertyNames" => {
                    for name in value
                        .as_object()
                        .map_or_else(Vec::new, |members| members.keys().collect())
                    {
                        self.validate(wanted, &json!(name), place);
                    }
                }
                "items" => {
                    let first = schema["prefixItems"].as_array().map_or(0, Vec::len);
                    for (index, item) in value.as_array().into_iter().flatten().enumerate().skip(first) {
                        assert_ne!(wanted, &json!(false), "{place}: one too many");
                        self.validate(wanted, item, &format!("{place}[{index}]"));
                    }
                }
                "prefixItems" => {
                    for (index, (schema, item)) in wanted
                        .as_array()
                        .unwrap()
                        .iter()
                        .zip(value.as_array().unwrap())
                        .enumerate()
                    {
                        self.validate(schema, item, &format!("{place}[{index}]"));
                    }
                }
                "anyOf" => {
                    let schemas = wanted.as_array().unwrap();
                    assert!(
                        schemas.iter().any(|schema| self.fits(schema, value)),
                        "{place}: {value} fits none of {wanted}"
                    );
                }
                "minLength" => assert!(
                    value.as_str().is_none_or(|text| text.chars().count() >= size(wanted)),
                    "{place}"
                ),
                "minItems" => assert!(value.as_array().unwrap().len() >= size(wanted), "{place}"),
                "uniqueItems" => {
                    let items: BTreeSet<String> = value.as_array().unwrap().iter().map(Value::to_string).collect();
                    assert_eq!(items.len(), value.as_array().unwrap().len(), "{place}");
                }
                "minProperties" => assert!(
                    value.as_object().is_none_or(|members| members.len() >= size(wanted)),
                    "{place}"
                ),
                "maxProperties" => assert!(
                    value.as_object().is_none_or(|members| members.len() <= size(wanted)),
                    "{place}"
                ),
                "minimum" => assert!(
                    number(value).is_none_or(|found| found >= number(wanted).unwrap()),
                    "{place}: {value}"
                ),
                "maximum" => assert!(
                    number(value).is_none_or(|found| found <= number(wanted).unwrap()),
                    "{place}: {value}"
                ),
                // Words for readers, and forms that `cargo xtask admin-api` checks.
                "description" | "examples" | "default" | "format" | "pattern" | "contentEncoding" => {}
                other => panic!("{place}: this test does not know the keyword `{other}`"),
            }
        }
    }

    fn check_others(&self, schema: &Value, wanted: &Value, value: &Value, place: &str) {
        let known = schema["properties"].as_object();
        for (name, member) in value.as_object().into_iter().flatten() {
            if known.is_some_and(|known| known.contains_key(name)) {
                continue;
            }
            assert_ne!(wanted, &json!(false), "{place}: `{name}` is not described");
            self.validate(wanted, member, &format!("{place}.{name}"));
        }
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.validate(schema, value, "one of"))).is_ok()
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type is called `{other}`"),
    }
}

fn number(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or(value.as_u64().map(i128::from))
}

fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn request(method: &Method, target: &str, body: &str) -> Request<bytes::Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:8601{target}"));
    let request = if body.is_empty() {
        request
    } else {
        request.header("content-type", "application/json")
    };
    request.body(bytes::Bytes::from(body.to_owned())).unwrap()
}

/// Something of everything: orders of several kinds, refunds, notices, faults, calls that fail.
fn lived_in() -> FarSide {
    let far_side = far_side();
    for number in ["order-1", "order-2", "order-3", "order-4", "order-5"] {
        place(&far_side, number, 100, URL);
    }
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    for number in ["R1", "R2", "R3"] {
        shop::refund(&far_side, "order-1", number, 10, 100);
    }
    let due = far_side.due_notices();
    for (index, notice) in due.into_iter().enumerate() {
        let said = Response::builder().status(500).body("no".into()).unwrap();
        far_side.answered(
            notice,
            if index % 2 == 0 {
                Ok(&said)
            } else {
                Err("nobody is there")
            },
        );
    }
    let forged = Request::get("https://sandbox.example/v3/certificates")
        .body(bytes::Bytes::new())
        .unwrap();
    far_side.answer(&forged).unwrap();
    far_side
}

#[test]
fn every_answer_is_as_the_document_describes_it() {
    let far_side = lived_in();
    let document = Document::of(&far_side);
    let code = |far_side: &FarSide| far_side.payment_code(Platform::WechatV2, yuanfen_sandbox::Payer::default());
    assert_eq!(code(&far_side).len(), 18);
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let calls: &[(&Method, &str, &str, u16)] = &[
        (&get, "/", "", 200),
        (&get, "/console/icon.svg", "", 200),
        (&get, "/console/words.json", "", 200),
        (&get, "/console/nothing.js", "", 404),
        (&get, "/openapi.json", "", 200),
        (&get, "/api/state", "", 200),
        (&get, "/api/state?x=1", "", 400),
        (&get, "/api/orders", "", 200),
        (&get, "/api/orders?account=nobody", "", 400),
        (&get, "/api/orders/wechat-v3/order-1", "", 200),
        (&get, "/api/orders/wechat-v3/order-9", "", 404),
        (&post, "/api/orders/wechat-v3/order-2/pay", "", 200),
        (&post, "/api/orders/wechat-v3/order-2/pay", "", 409),
        (&post, "/api/orders/wechat-v3/order-2/pay-late", "", 409),
        (&post, "/api/orders/wechat-v3/order-9/pay-late", "", 404),
        (&post, "/api/orders/wechat-v3/order-3/cancel", "", 200),
        (&post, "/api/orders/wechat-v3/order-3/fail", "", 200),
        (&post, "/api/orders/wechat-v3/order-3/type", "", 409),
        (
            &post,
            "/api/orders/wechat-v3/order-2/comment",
            "{\"stars\":5,\"text\":\"fresh\"}",
            200,
        ),
        (
            &post,
            "/api/orders/wechat-v3/order-2/comment",
            "{\"stars\":6,\"text\":\"\"}",
            400,
        ),
        (&post, "/api/refunds/wechat-v3/R1/succeed", "", 200),
        (&post, "/api/refunds/wechat-v3/R1/close", "", 409),
        (&post, "/api/refunds/wechat-v3/R2/close", "", 200),
        (&post, "/api/refunds/wechat-v3/R3/abnormal", "", 200),
        (&post, "/api/refunds/wechat-v3/R9/abnormal", "", 404),
        (&post, "/api/payment-codes/wechat-v2", "", 200),
        (&post, "/api/payment-codes/starpos", "", 409),
        (
            &post,
            "/api/pay",
            "{\"platform\":\"wechat-v3\",\"out_trade_no\":\"order-4\",\"total\":\"100\"}",
            200,
        ),
        (
            &post,
            "/api/pay",
            "{\"platform\":\"wechat-v3\",\"out_trade_no\":\"order-4\",\"total\":1}",
            409,
        ),
        (
            &post,
            "/api/settle-refund",
            "{\"platform\":\"wechat-v3\",\"out_refund_no\":\"R3\"}",
            200,
        ),
        (&post, "/api/settle-refund", "{}", 400),
        (&get, "/api/exchanges?limit=1000", "", 200),
        (&get, "/api/exchanges?about=order-1", "", 200),
        (&get, "/api/exchanges/1", "", 200),
        (&get, "/api/exchanges/9", "", 200),
        (&get, "/api/exchanges/99", "", 404),
        (&get, "/api/notices", "", 200),
        (&get, "/api/notices/1", "", 200),
        (&get, "/api/notices/x", "", 404),
        (
            &put,
            "/api/faults",
            "[{\"kind\":\"lose-reply\",\"platform\":\"wechat-v3\",\"times\":3},{\"kind\":{\"delay-ms\":5}}]",
            200,
        ),
        (&get, "/api/faults", "", 200),
        (&put, "/api/faults", "[{\"kind\":\"rain\"}]", 400),
        (&delete, "/api/faults", "", 200),
        (&get, "/api/scenarios", "", 200),
        (&post, "/api/scenarios/nobody/play", "", 404),
        (&post, "/api/scenarios/reply-lost-after-placing/play", "", 200),
        (&get, "/api/state", "", 200),
        (&get, "/api/settings", "", 200),
        (
            &put,
            "/api/settings",
            "{\"starpos_push_url\":\"http://127.0.0.1:9/push\"}",
            200,
        ),
        (&put, "/api/settings", "{\"no_such\":1}", 400),
        (&post, "/api/clock/advance", "{\"seconds\":60}", 200),
        (&post, "/api/clock/advance", "{\"seconds\":18446744073709551615}", 409),
        (&get, "/api/bills", "", 200),
        (&post, "/api/bills", "{\"date\":\"2025-10-09\"}", 200),
        (&get, "/api/bills/wechat-v3/trade/2025-10-09", "", 200),
        (&get, "/api/bills/wechat-v3/trade/2025-10-01", "", 404),
        (&post, "/api/platform-certificate/rotate", "", 200),
        (&post, "/api/platform-certificate/rotate", "", 200),
        (&post, "/api/platform-certificate/rotate", "", 200),
        (&post, "/api/platform-certificate/rotate", "", 409),
        (&post, "/api/public-key-mode", "{\"on\":true}", 200),
        // Still open, so simply paid.
        (&post, "/api/orders/wechat-v3/order-3/pay-late", "", 200),
    ];
    let mut worked = BTreeSet::new();
    for (method, target, body, status) in calls {
        let response = far_side.administer(&request(method, target, body));
        assert_eq!(response.status(), *status, "{method} {target}: {:?}", response.body());
        let path = target.split('?').next().unwrap();
        let name = document.check(method, path, &response);
        if *status == 200 {
            worked.insert(name);
        }
    }
    let all = document
        .operations()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned());
    let missed: Vec<String> = all.filter(|name| !worked.contains(name)).collect();
    // Events need a listener, and typing a till: both have tests of their own.
    assert_eq!(missed, ["followEvents", "keepTyping"]);
}

#[test]
fn every_example_is_as_its_schema_has_it() {
    let document = Document::of(&far_side());
    let mut seen = 0;
    let mut check = |content: &Map<String, Value>, place: &str| {
        let content = &content["application/json"];
        if let Some(example) = content.get("example") {
            document.validate(&content["schema"], example, place);
            seen += 1;
        }
    };
    for (path, method, operation) in document.operations() {
        let place = format!("{method} {path}");
        let said = operation["responses"].as_object().unwrap();
        let contents = said.values().map(|said| &document.follow(said)["content"]);
        for content in contents.chain([&operation["requestBody"]["content"]]) {
            if let Some(content) = content
                .as_object()
                .filter(|content| content.contains_key("application/json"))
            {
                check(content, &place);
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_can_be_seen_can_be_put_back() {
    let far_side = far_side();
    let ask = |method: &Method, target: &str, body: &str| far_side.administer(&request(method, target, body));
    let plan = json!([
        { "kind": "lose-reply", "account": "wechat-v3", "operation": "refund", "skip": 1, "times": 2 },
        { "kind": { "status": 502 }, "permille": 20, "order_no_prefix": "A" },
    ]);
    let set = json_of(&ask(&Method::PUT, "/api/faults", &plan.to_string()));
    assert_eq!(set["rules"], plan);
    assert_eq!(
        set["counts"],
        json!([{ "matched": 0, "struck": 0 }, { "matched": 0, "struck": 0 }])
    );
    let again = ask(&Method::PUT, "/api/faults", &set["rules"].to_string());
    assert_eq!(json_of(&again), set);
    place(&far_side, "A-1-23", 100, URL);
    let shown = json_of(&ask(&Method::GET, "/api/faults", ""));
    assert_eq!(shown["counts"][1]["matched"], 1);
    assert_eq!(json_of(&ask(&Method::DELETE, "/api/faults", ""))["rules"], json!([]));

    let change =
        json!({ "starpos_push_url": "http://127.0.0.1:9/push", "wechat_refund_balances_fen": { "wechat-v3": 5 } });
    let settings = json_of(&ask(&Method::PUT, "/api/settings", &change.to_string()));
    assert_eq!(settings["wechat_refund_balances_fen"]["wechat-v3"], 5);
    assert_eq!(settings["wechat_refund_balances_fen"]["wechat-v2"], Value::Null);
    let again = ask(&Method::PUT, "/api/settings", &settings.to_string());
    assert_eq!(json_of(&again), settings);
    assert_eq!(json_of(&ask(&Method::GET, "/api/state", ""))["settings"], settings);
    let off = json_of(&ask(&Method::PUT, "/api/settings", "{\"starpos_push_url\":\"\"}"));
    assert_eq!(off["starpos_push_url"], Value::Null);
}
