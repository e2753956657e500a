//! WeChat's web by hand-written addresses: a visitor's code and openid, an app's token, the ticket behind `wx.config`.
//! Field names and numbers of errors are those of WeChat's public documents on these calls: `sns/oauth2/access_token`,
//! `sns/jscode2session`, `cgi-bin/token`, `cgi-bin/stable_token`, `cgi-bin/ticket/getticket` and annex 1 of the JS-SDK.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use yuanfen_sandbox::{FarSide, FaultKind, FaultRule, PageRefused, Platform};
use yuanfen_testkit::oracle;

use crate::shop::{far_side, json_of};

const APP: &str = "wx5a6d0b0c5a1e4d21";
const SECRET: &str = "0123456789abcdef0123456789abcde1";
const PROVIDER_APP: &str = "wx7c1d2e3f4a5b6c7d";
const SUB_APP: &str = "wx8d2e3f4a5b6c7d8e";

fn get(far_side: &FarSide, target: &str) -> Response<Bytes> {
    let request = Request::get(format!("https://sandbox.example{target}")).body(Bytes::new());
    far_side.answer(&request.unwrap()).unwrap()
}

fn post(far_side: &FarSide, target: &str, body: &str) -> Value {
    let request = Request::post(format!("https://sandbox.example{target}")).body(Bytes::from(body.to_owned()));
    json_of(&far_side.answer(&request.unwrap()).unwrap())
}

/// The code that a visitor of the app brings back.
fn visit(far_side: &FarSide, app: &str) -> String {
    let answer = get(
        far_side,
        &format!(
            "/connect/oauth2/authorize?appid={app}&redirect_uri=https%3A%2F%2Fshop.example%2Fpay%3Fa%3D1&response_type=code&scope=snsapi_base&state=s1"
        ),
    );
    assert_eq!(answer.status(), 302);
    let back = answer.headers()["location"].to_str().unwrap();
    let code = back.strip_prefix("https://shop.example/pay?a=1&code=").unwrap();
    code.strip_suffix("&state=s1").unwrap().to_owned()
}

fn exchange(far_side: &FarSide, app: &str, secret: &str, code: &str) -> Value {
    let target =
        format!("/sns/oauth2/access_token?appid={app}&secret={secret}&code={code}&grant_type=authorization_code");
    json_of(&get(far_side, &target))
}

fn refusal(answer: &Value) -> i64 {
    assert!(answer["errmsg"].is_string(), "{answer}");
    answer["errcode"].as_i64().unwrap()
}

#[test]
fn a_visitor_of_every_app_has_the_openid_that_its_orders_take() {
    let far_side = far_side();
    let provider = far_side.wechat_v3_provider();
    for (app, secret, openid) in [
        (APP, SECRET, "oSandbox_Payer-0123456789abc"),
        (
            PROVIDER_APP,
            provider.app_secret.expose().as_str(),
            "oSandbox_Payer-0123456789abc",
        ),
        (
            SUB_APP,
            provider.sub_app_secret.expose(),
            "oSubSandbox_Payer-0123456789abc",
        ),
        (
            far_side.starpos().app_id.as_str(),
            far_side.starpos().app_secret.expose(),
            "oSandbox_Starpos-0123456789a",
        ),
    ] {
        let answer = exchange(&far_side, app, secret, &visit(&far_side, app));
        assert_eq!(answer["openid"], openid);
        assert_eq!(
            (&answer["expires_in"], &answer["scope"]),
            (&7200.into(), &"snsapi_base".into())
        );
        assert!(answer["access_token"].is_string() && answer["refresh_token"].is_string());
    }
    let calls = [Platform::WechatV3, Platform::Starpos].map(|platform| far_side.calls(platform));
    assert_eq!(calls, [6, 2]);
}

#[test]
fn a_code_is_good_once_for_five_minutes_and_for_its_app() {
    let far_side = far_side();
    let code = visit(&far_side, APP);
    let sub = far_side.wechat_v3_provider();
    assert_eq!(
        refusal(&exchange(&far_side, SUB_APP, sub.sub_app_secret.expose(), &code)),
        40029
    );
    assert_eq!(refusal(&exchange(&far_side, APP, "wrong", &code)), 40125);
    assert_eq!(
        refusal(&exchange(&far_side, "wx0000000000000000", SECRET, &code)),
        40013
    );
    assert!(exchange(&far_side, APP, SECRET, &code)["openid"].is_string());
    assert_eq!(refusal(&exchange(&far_side, APP, SECRET, &code)), 40163);

    let (in_time, late) = (visit(&far_side, APP), visit(&far_side, APP));
    far_side.clock().advance(Duration::from_secs(299)).unwrap();
    assert!(exchange(&far_side, APP, SECRET, &in_time)["openid"].is_string());
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(refusal(&exchange(&far_side, APP, SECRET, &late)), 40029);
}

#[test]
fn a_mini_program_logs_its_visitor_in_with_a_code_of_its_own_kind() {
    let far_side = far_side();
    let log_in = |code: &str| {
        let target =
            format!("/sns/jscode2session?appid={APP}&secret={SECRET}&js_code={code}&grant_type=authorization_code");
        json_of(&get(&far_side, &target))
    };
    let code = far_side.login_code(APP).unwrap();
    assert_eq!(refusal(&exchange(&far_side, APP, SECRET, &code)), 40029, "not a page's");
    let answer = log_in(&code);
    assert_eq!(answer["openid"], "oSandbox_Payer-0123456789abc");
    assert_eq!(answer["session_key"].as_str().unwrap().len(), 24);
    assert_eq!(refusal(&log_in(&code)), 40163);
    assert_eq!(refusal(&log_in(&visit(&far_side, APP))), 40029);
    assert_eq!(far_side.login_code("wx0000000000000000"), None);
}

fn token(far_side: &FarSide) -> String {
    let target = format!("/cgi-bin/token?grant_type=client_credential&appid={APP}&secret={SECRET}");
    let answer = json_of(&get(far_side, &target));
    assert_eq!(answer["expires_in"], 7200);
    answer["access_token"].as_str().unwrap().to_owned()
}

fn ticket(far_side: &FarSide, token: &str) -> Value {
    json_of(&get(
        far_side,
        &format!("/cgi-bin/ticket/getticket?access_token={token}&type=jsapi"),
    ))
}

#[test]
fn a_new_token_ends_the_one_before_it_after_five_minutes() {
    let far_side = far_side();
    let first = token(&far_side);
    let second = token(&far_side);
    assert_ne!(first, second);
    assert_eq!(ticket(&far_side, &first)["errcode"], 0);
    far_side.clock().advance(Duration::from_secs(300)).unwrap();
    assert_eq!(refusal(&ticket(&far_side, &first)), 42001);
    assert_eq!(ticket(&far_side, &second)["errcode"], 0);
    assert_eq!(refusal(&ticket(&far_side, "nobodys")), 40001);
    far_side.clock().advance(Duration::from_secs(6900)).unwrap();
    assert_eq!(refusal(&ticket(&far_side, &second)), 42001);
}

#[test]
fn a_stable_token_stays_the_same_until_it_ends_or_is_forced() {
    let far_side = far_side();
    let stable = |forced: bool| {
        let body = format!(
            r#"{{"grant_type":"client_credential","appid":"{APP}","secret":"{SECRET}","force_refresh":{forced}}}"#
        );
        post(&far_side, "/cgi-bin/stable_token", &body)
    };
    let first = stable(false);
    far_side.clock().advance(Duration::from_secs(200)).unwrap();
    let again = stable(false);
    assert_eq!(first["access_token"], again["access_token"]);
    assert_eq!(again["expires_in"], 7000);
    assert_ne!(stable(true)["access_token"], first["access_token"]);
    assert_eq!(refusal(&post(&far_side, "/cgi-bin/stable_token", "appid=1")), 47001);
}

#[test]
fn a_page_is_let_in_on_a_signature_over_its_ticket_and_its_own_address() {
    let far_side = far_side();
    let page = "https://shop.example/pay?order=A1";
    let config = |signature: &str| -> Vec<(String, String)> {
        [
            ("appId", APP),
            ("timestamp", "1760000000"),
            ("nonceStr", "n1"),
            ("signature", signature),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    };
    let open = |url: &str, config: &[(String, String)]| {
        let config: Vec<(&str, &str)> = config.iter().map(|(name, value)| (&**name, &**value)).collect();
        far_side.open_page(url, &config)
    };
    assert_eq!(open(page, &config("00")), Err(PageRefused::Expired), "no ticket yet");
    let told = ticket(&far_side, &token(&far_side));
    assert_eq!((&told["errmsg"], &told["expires_in"]), (&"ok".into(), &7200.into()));
    let ticket = told["ticket"].as_str().unwrap();
    // Annex 1: the four in this order, joined with `&`, SHA-1 in hex.
    let text = format!("jsapi_ticket={ticket}&noncestr=n1&timestamp=1760000000&url={page}");
    let good = config(&oracle::sha1_hex(text.as_bytes()));
    assert_eq!(open(page, &good), Ok(()));
    assert_eq!(open(&format!("{page}#top"), &good), Ok(()));
    assert_eq!(open("https://shop.example/pay", &good), Err(PageRefused::Signature));
    assert_eq!(open(page, &good[..3]), Err(PageRefused::Parameter("signature")));
    far_side.clock().advance(Duration::from_secs(7200)).unwrap();
    assert_eq!(open(page, &good), Err(PageRefused::Expired));
}

#[test]
fn tickets_for_anything_but_pages_are_refused_and_troubles_are_in_wechats_words() {
    let far_side = far_side();
    let token = token(&far_side);
    let cards = json_of(&get(
        &far_side,
        &format!("/cgi-bin/ticket/getticket?access_token={token}&type=wx_card"),
    ));
    assert_eq!(refusal(&cards), 40097);
    let of_users = json_of(&get(
        &far_side,
        &format!("/cgi-bin/token?grant_type=authorization_code&appid={APP}&secret={SECRET}"),
    ));
    assert_eq!(refusal(&of_users), 40002);
    far_side.set_faults(
        FaultRule::new(FaultKind::UnsignedError)
            .on(Platform::WechatV3)
            .during("page-ticket"),
    );
    assert_eq!(refusal(&ticket(&far_side, &token)), -1);
}
