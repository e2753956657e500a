//! Order, refund and platform numbers at their limits.

use yuanfen_core::{NumberError, OrderNo, RefundNo, RemoteId, ValueError, WireText};

#[test]
fn an_order_number_has_1_to_64_printable_characters() {
    let longest = "A".repeat(64);
    for text in ["A", "!", "~", longest.as_str()] {
        assert_eq!(OrderNo::new(text).unwrap().as_str(), text);
        assert_eq!(RefundNo::new(text).unwrap().to_string(), text);
    }
    let what = "order number";
    let allowed = "printable ASCII without blanks";
    assert_eq!(OrderNo::new(""), Err(NumberError::Empty { what }));
    assert_eq!(
        OrderNo::new("A".repeat(65)),
        Err(NumberError::TooLong {
            what,
            length: 65,
            max: 64
        })
    );
    for (text, position) in [
        ("A B", 1),
        ("A\n", 1),
        ("\0", 0),
        ("订单", 0),
        ("A\u{7f}", 1),
        ("Aé", 1),
    ] {
        assert_eq!(
            OrderNo::new(text),
            Err(NumberError::Character {
                what,
                position,
                allowed
            }),
            "{text:?}"
        );
    }
}

#[test]
fn a_portable_number_has_8_to_32_letters_and_digits() {
    let what = "order number";
    for length in [8, 32] {
        assert!(OrderNo::portable("a".repeat(length)).is_ok());
    }
    assert_eq!(
        OrderNo::portable("a".repeat(7)),
        Err(NumberError::TooShort {
            what,
            length: 7,
            min: 8
        })
    );
    assert_eq!(
        OrderNo::portable("a".repeat(33)),
        Err(NumberError::TooLong {
            what,
            length: 33,
            max: 32
        })
    );
    for text in [
        "SHOP-0001",
        "SHOP_0001",
        "SHOP|0001",
        "SHOP*0001",
        "订单20260101",
        "SHOP 0001",
    ] {
        let refused = OrderNo::portable(text);
        assert!(matches!(refused, Err(NumberError::Character { .. })), "{text}");
    }
    assert_eq!(OrderNo::portable(""), Err(NumberError::Empty { what }));
}

#[test]
fn a_platform_number_is_opaque() {
    let longest = "号".repeat(128);
    for text in ["4200000001", "with blank", "号", longest.as_str()] {
        assert_eq!(RemoteId::new(text).unwrap().as_str(), text);
    }
    assert!(matches!(
        RemoteId::new("号".repeat(129)),
        Err(NumberError::TooLong {
            length: 129,
            max: 128,
            ..
        })
    ));
    assert!(matches!(
        RemoteId::new("a\u{85}"),
        Err(NumberError::Character { position: 1, .. })
    ));
    assert!(matches!(RemoteId::new(""), Err(NumberError::Empty { .. })));
}

#[test]
fn a_number_travels_as_it_is() {
    let number: OrderNo = "A1".parse().unwrap();
    assert_eq!(number.to_text(), "A1");
    assert_eq!(OrderNo::read("A1"), Ok(number.clone()));
    assert_eq!(number.as_ref(), "A1");
    assert_eq!(format!("{number:?}"), "OrderNo(A1)");
    assert_eq!(serde_json::to_string(&number).unwrap(), "\"A1\"");
    assert!(matches!(RefundNo::read("a b"), Err(ValueError::Number(_))));
}

#[test]
fn an_error_does_not_quote_the_number() {
    let error = OrderNo::new("secret number").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}
