use yuanfen_core::Fields;
use yuanfen_sign::{Blanks, Empties, NameOrder, PairRules, Render, SharedKey, Tail};

use crate::input;

/// Under the rules of each platform: the order of the fields does not matter, nor do fields that are left out, nor, where they are
/// dropped, empty ones; what is printed of the text does not hold the key.
pub fn pairs_canonical(data: &[u8]) {
    let Some(texts) = input::texts(data) else { return };
    let fields = input::fields(&texts);
    let key = SharedKey::new(KEY).expect("a key");
    for rules in [WECHAT_V2, STARPOS, ENVELOPE, ENVELOPE_KEEPING_EMPTY] {
        let text = rules.text(&fields, &key);
        let same = |other: &Fields| assert_eq!(rules.text(other, &key).as_bytes(), text.as_bytes(), "{rules:?}");

        let mut backwards: Vec<_> = fields.iter().collect();
        backwards.reverse();
        same(&in_order(backwards));
        for at in 1..fields.len().min(8) {
            same(&in_order(
                fields.iter().skip(at).chain(fields.iter().take(at)).collect(),
            ));
        }
        if fields.get("sign").is_none() {
            same(&with(&fields, "sign", "anything"));
        }
        if rules.empties == Empties::Drop && fields.get("unheard_of").is_none() {
            same(&with(&fields, "unheard_of", ""));
        }
        let wants_key = rules.tail != Tail::None;
        assert_eq!(rules.keyless_text(&fields).as_bytes() == text.as_bytes(), !wants_key);
        if !data.windows(KEY.len()).any(|window| window == KEY.as_bytes()) {
            assert!(!text.redacted().contains(KEY));
        }
    }
}

const KEY: &str = "192006250b4c09247ec02edce69f6a2d";

const WECHAT_V2: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::KeyField,
    left_out: &["sign"],
    blanks: Blanks::Keep,
};

const STARPOS: PairRules = PairRules {
    order: NameOrder::LowerCased,
    render: Render::ValuesOnly,
    tail: Tail::BareKey,
    blanks: Blanks::Remove,
    ..WECHAT_V2
};

const ENVELOPE: PairRules = PairRules {
    tail: Tail::None,
    ..WECHAT_V2
};

const ENVELOPE_KEEPING_EMPTY: PairRules = PairRules {
    empties: Empties::Keep,
    ..ENVELOPE
};

fn in_order(pairs: Vec<(&str, &str)>) -> Fields {
    Fields::try_from(&*pairs).expect("the same names")
}

fn with(fields: &Fields, name: &str, value: &str) -> Fields {
    let mut more = fields.clone();
    more.push(name, value).expect("a new name");
    more
}
