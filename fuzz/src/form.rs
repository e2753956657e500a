use yuanfen_core::{Fields, Limits};

/// No input panics; limits hold; what is read and written again, in either spelling, is read as the same.
pub fn form_read(data: &[u8]) {
    let mut tight = Limits::DEFAULT.with_bytes(512);
    tight.fields = 3;
    tight.name_len = 5;
    tight.value_len = 7;
    for limits in [Limits::DEFAULT, tight] {
        let Ok(fields) = yuanfen_form::read(data, &limits) else {
            continue;
        };
        assert!(data.len() <= limits.bytes && fields.len() <= limits.fields);
        for (at, (name, value)) in fields.iter().enumerate() {
            assert!(!name.is_empty() && name.len() <= limits.name_len && value.len() <= limits.value_len);
            assert!(fields.iter().skip(at + 1).all(|(other, _)| other != name));
        }
        is_kept(&fields, &yuanfen_form::write(&fields));
        is_kept(&fields, &yuanfen_form::write_query(&fields));
    }
}

fn is_kept(fields: &Fields, text: &str) {
    assert!(text.is_ascii());
    let again = yuanfen_form::read(text.as_bytes(), &Limits::DEFAULT.with_bytes(usize::MAX));
    assert_eq!(again.as_ref(), Ok(fields));
}
