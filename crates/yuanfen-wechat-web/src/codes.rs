//! What the error codes of the two calls mean.

use yuanfen_core::{CodeMeaning, Effect, Fate, RefusalKind};

const GLOBAL: &str = "WeChat's documentation, global return codes";
const LOGIN: &str = "WeChat's documentation, code2Session";

/// What an `errcode` means. No money hangs on it: the worst that is lost is a code, and a visitor gets another by
/// going through authorization or `wx.login` again.
#[must_use]
pub const fn meaning(code: i64) -> CodeMeaning {
    use RefusalKind::{Configuration, Declined, Throttled, Unclear};

    let (fate, kind, sentence, source) = match code {
        -1 => (
            Fate::Unknown,
            Unclear,
            "WeChat is busy; repeat, and where the code is spent by then ask the visitor's browser for another",
            GLOBAL,
        ),
        40001 | 40125 => (Fate::Refused, Configuration, "the app secret is wrong", GLOBAL),
        40013 => (Fate::Refused, Configuration, "the app id is wrong", GLOBAL),
        40029 => (
            Fate::Refused,
            Declined,
            "the code is not valid: of another app, altered on its way, or spent; ask the visitor's browser for another",
            GLOBAL,
        ),
        40163 => (
            Fate::Refused,
            Declined,
            "the code was spent already, as when a visitor reloads the page; ask their browser for another",
            GLOBAL,
        ),
        40226 => (
            Fate::Refused,
            Declined,
            "WeChat blocks this visitor's log-in because it rates them as high risk",
            LOGIN,
        ),
        42003 => (
            Fate::Refused,
            Declined,
            "the code is older than five minutes; ask the visitor's browser for another",
            GLOBAL,
        ),
        45009 => (
            Fate::Refused,
            Throttled,
            "this account's calls of the day are used up; repeat tomorrow, or reset the count in the console",
            GLOBAL,
        ),
        45011 => (
            Fate::Refused,
            Throttled,
            "too many log-ins, a hundred a minute for one visitor; repeat later",
            LOGIN,
        ),
        48001 => (
            Fate::Refused,
            Configuration,
            "the account has no permission for web authorization",
            GLOBAL,
        ),
        48004 => (
            Fate::Refused,
            Configuration,
            "WeChat has closed this interface to the account because of a violation; the console says which",
            GLOBAL,
        ),
        50002 => (
            Fate::Refused,
            Declined,
            "WeChat has restricted this visitor's account",
            GLOBAL,
        ),
        _ => return CodeMeaning::unknown(Effect::Read),
    };
    CodeMeaning::new(fate, kind, sentence, source)
}
