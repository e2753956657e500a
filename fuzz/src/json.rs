use yuanfen_core::{Limits, Object};

/// No input panics; limits hold; names are there once; members keep their text; flat fields say what the members say.
pub fn json_object(data: &[u8]) {
    let mut tight = Limits::DEFAULT.with_bytes(512);
    tight.fields = 3;
    tight.name_len = 5;
    tight.value_len = 7;
    for limits in [Limits::DEFAULT, tight] {
        let Ok(object) = Object::parse(data, &limits) else {
            continue;
        };
        assert!(data.len() <= limits.bytes && object.len() <= limits.fields);
        for (at, (name, raw)) in object.iter().enumerate() {
            assert!(!name.is_empty() && name.len() <= limits.name_len && raw.len() <= limits.value_len);
            assert!(object.iter().skip(at + 1).all(|(other, _)| other != name));
            assert_eq!(object.raw(name), Some(raw));
        }
        keeps_its_text(&object);
        flattens(&object);
    }
}

/// Put together again from its names and raw texts, it is the same object.
fn keeps_its_text(object: &Object) {
    let members: Vec<_> = object
        .iter()
        .map(|(name, raw)| format!("{}:{raw}", serde_json::Value::from(name)))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    let again = Object::parse(text.as_bytes(), &Limits::DEFAULT.with_bytes(usize::MAX)).expect("the same members");
    assert!(object.iter().eq(again.iter()));
}

fn flattens(object: &Object) {
    let Ok(fields) = object.to_fields() else {
        // Only what is not a single value, or no Unicode text, is in the way.
        assert!(
            object
                .iter()
                .any(|(_, raw)| raw.starts_with(['{', '[']) || text_of(raw).is_none())
        );
        return;
    };
    assert_eq!(fields.len(), object.len());
    for ((name, value), (member, raw)) in fields.iter().zip(object.iter()) {
        assert_eq!(name, member);
        assert_eq!(Some(value), text_of(raw).as_deref(), "{raw}");
    }
}

fn text_of(raw: &str) -> Option<String> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).ok(),
        Some(b'n') => Some(String::new()),
        _ => Some(raw.to_owned()),
    }
}
