//! Enumerations that keep what they do not know.

use yuanfen_core::{Fields, JsonTaker, Limits, Object, Taker, WireText};

yuanfen_core::open_enum! {
    /// State of a payment.
    pub enum State {
        /// Paid.
        Success = "SUCCESS",
        /// Not yet.
        NotPay = "NOTPAY",
    }
}

#[test]
fn names_what_it_knows_and_keeps_the_rest() {
    for (text, state) in [("SUCCESS", State::Success), ("NOTPAY", State::NotPay)] {
        assert_eq!(State::from(text), state);
        assert_eq!(State::read(text), Ok(state.clone()));
        assert_eq!(
            (state.as_str(), state.to_text(), state.to_string()),
            (text, text.to_owned(), text.to_owned())
        );
    }
    for text in ["success", "SUCCESS ", "NEW_STATE", "", "支付"] {
        let state = State::from(text);
        assert!(matches!(state, State::Unknown(_)), "{text:?}");
        assert_eq!((state.as_str(), state.to_text()), (text, text.to_owned()));
        assert_eq!(state, State::from(text));
        assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{text}\""));
    }
    assert_ne!(State::from("A"), State::from("B"));
    assert_eq!(format!("{:?}", State::from("A\n")), r#"Unknown("A\n")"#);
    assert_eq!(serde_json::to_string(&State::Success).unwrap(), "\"SUCCESS\"");
}

#[test]
fn is_taken_from_either_record() {
    let fields = Fields::try_from(&[("trade_state", "REVOKED")][..]).unwrap();
    let flat: State = Taker::new(&fields).need("trade_state").unwrap();
    let object = Object::parse(br#"{"trade_state":"REVOKED","number":1}"#, &Limits::DEFAULT).unwrap();
    let mut taker = JsonTaker::new(&object);
    assert_eq!(taker.need::<State>("trade_state"), Ok(flat));
    assert!(taker.need::<State>("number").is_err());
}
