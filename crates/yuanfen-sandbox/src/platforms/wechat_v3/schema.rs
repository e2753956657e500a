//! What a body may hold, as tables. The platform refuses members that it does not know, nulls, and characters outside
//! the basic plane, and says where.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use yuanfen_core::{Limits, Object};

use super::Refusal;

/// One member of an object.
pub(super) struct Member {
    name: &'static str,
    required: bool,
    kind: Kind,
}

/// What a member holds.
pub(super) enum Kind {
    /// A text of so many characters.
    Text(usize, usize),
    /// An integer of at least so much.
    Integer(i64),
    Boolean,
    /// A list of texts.
    Texts,
    Object(&'static [Member]),
    Objects(&'static [Member]),
}

/// A member that must be there.
pub(super) const fn need(name: &'static str, kind: Kind) -> Member {
    Member {
        name,
        required: true,
        kind,
    }
}

/// A member that may be left out.
pub(super) const fn maybe(name: &'static str, kind: Kind) -> Member {
    Member {
        name,
        required: false,
        kind,
    }
}

/// Reads a body by its tables, which together name all that it may hold.
pub(super) fn read(body: &[u8], tables: &[&[Member]]) -> Result<Value, Refusal> {
    let object = Object::parse(body, &Limits::DEFAULT).map_err(|_| wrong("", "请求体不是合法的JSON对象"))?;
    check(&object, tables, "")?;
    serde_json::from_slice(body).map_err(|_| wrong("", "请求体不是合法的JSON对象"))
}

fn check(object: &Object, tables: &[&[Member]], at: &str) -> Result<(), Refusal> {
    let members = || tables.iter().copied().flatten();
    for (name, raw) in object.iter() {
        let pointer = format!("{at}/{name}");
        match members().find(|member| member.name == name) {
            Some(member) => check_value(raw, &member.kind, &pointer)?,
            None => return Err(wrong(&pointer, "参数不在接口定义中")),
        }
    }
    let absent = members().find(|member| member.required && object.raw(member.name).is_none());
    absent.map_or(Ok(()), |member| {
        Err(wrong(&format!("{at}/{}", member.name), "缺少必填参数"))
    })
}

fn check_value(raw: &str, kind: &Kind, pointer: &str) -> Result<(), Refusal> {
    match kind {
        Kind::Text(least, most) => {
            let text: String = serde_json::from_str(raw).map_err(|_| wrong(pointer, "应为字符串"))?;
            check_text(&text, *least, *most, pointer)
        }
        Kind::Integer(least) => {
            // The raw text: `100.0` and `1e2` are numbers and no integers.
            let integer: i64 = raw.parse().map_err(|_| wrong(pointer, "应为整数"))?;
            if integer < *least {
                return Err(wrong(pointer, "数值超出范围"));
            }
            Ok(())
        }
        Kind::Boolean if matches!(raw, "true" | "false") => Ok(()),
        Kind::Boolean => Err(wrong(pointer, "应为布尔值")),
        Kind::Texts => {
            let texts: Vec<String> = serde_json::from_str(raw).map_err(|_| wrong(pointer, "应为字符串数组"))?;
            texts.iter().try_for_each(|text| check_text(text, 1, 128, pointer))
        }
        Kind::Object(members) => {
            let object = Object::parse(raw.as_bytes(), &Limits::DEFAULT).map_err(|_| wrong(pointer, "应为JSON对象"))?;
            check(&object, &[*members], pointer)
        }
        Kind::Objects(members) => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| wrong(pointer, "应为数组"))?;
            for (index, item) in items.iter().enumerate() {
                check_value(item.get(), &Kind::Object(members), &format!("{pointer}/{index}"))?;
            }
            Ok(())
        }
    }
}

fn check_text(text: &str, least: usize, most: usize, pointer: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length < least || length > most {
        return Err(wrong(pointer, "字符串长度不符合要求"));
    }
    if text.chars().any(|character| character.len_utf8() > 3) {
        return Err(wrong(pointer, "含有不支持的字符"));
    }
    Ok(())
}

/// A wrong parameter. The value itself is not repeated: it may be an openid.
pub(super) fn wrong(pointer: &str, issue: &str) -> Refusal {
    Refusal::new(400, "PARAM_ERROR", "参数错误")
        .with_detail(json!({ "field": pointer, "location": "body", "issue": issue }))
}
