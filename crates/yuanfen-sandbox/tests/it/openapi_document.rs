//! An OpenAPI document, and answers held to it. It knows the keywords that the admin API's document uses.

use std::collections::BTreeSet;

use http::{Method, Request, Response};
use serde_json::{Value, json};
use yuanfen_sandbox::FarSide;

use crate::shop::json_of;

/// The document, asked for as everybody does.
pub struct Document(Value);

impl Document {
    pub fn of(far_side: &FarSide) -> Self {
        let request = Request::get("http://127.0.0.1:8601/openapi.json")
            .body(bytes::Bytes::new())
            .unwrap();
        Self(json_of(&far_side.administer(&request)))
    }

    pub fn follow<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value["$ref"].as_str() {
            Some(address) => self.0.pointer(address.strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    pub fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
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
    pub fn check(&self, method: &Method, path: &str, response: &Response<bytes::Bytes>) -> String {
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
    pub fn validate(&self, schema: &Value, value: &Value, place: &str) {
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
