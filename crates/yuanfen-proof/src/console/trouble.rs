//! What goes wrong, and what the console says of it: faults, signatures, notices, the clock, a sandbox that is gone.

use yuanfen_sandbox::Sandbox;

use super::Stage;
use crate::Error;

pub(super) async fn a_fault_is_set_strikes_and_is_cleared(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.open("/faults").await?;
    page.until_text(".empty", "Nothing goes wrong.").await?;
    page.click("select[name=kind] option[value=lose-reply]").await?;
    page.click("select[name=account] option[value=wechat-v3]").await?;
    page.click("input[name=operation]").await?;
    page.press("place-native-order").await?;
    page.click("#fault-add").await?;
    page.until_text(".rules", "lose-reply").await?;
    page.until_text(".rules", "WeChat Pay v3 · place-native-order").await?;
    page.click("select[name=kind] option[value=delay-ms]").await?;
    page.click("input[name=value]").await?;
    page.press("1").await?;
    page.click("#fault-add").await?;
    page.until_text(".rules", "delay-ms=1").await?;
    page.until_text(".nav .badge", "2").await?;
    stage.picture("faults-en").await?;
    if stage.shop.place("SHOP2026112200010", 990, "noodles").await.is_ok() {
        return Err("the fault did not strike".into());
    }
    page.click(".rules li:last-child button").await?;
    page.until("document.querySelectorAll('.rules li').length === 1")
        .await?;
    page.click("#faults-clear").await?;
    page.until_text(".empty", "Nothing goes wrong.").await?;
    stage.shop.place("SHOP2026112200011", 990, "noodles").await?;
    // The order whose reply was lost is there, and so is the call that was cut.
    stage.open("/orders").await?;
    page.until_text("tbody th", "SHOP2026112200010").await?;
    stage.open("/exchanges").await?;
    page.until_text("tbody td", "cut").await?;
    page.until_text("tbody td", "lose-reply").await
}

pub(super) async fn a_scenario_is_put_in_force_and_has_its_page(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.open("/faults").await?;
    let scenario = "[...document.querySelectorAll('.scenarios li')].find((item) => item.innerText.includes('The reply to an order is lost'))";
    page.until(&format!("{scenario} !== undefined")).await?;
    page.eval(&format!("{scenario}.setAttribute('id', 'scenario')")).await?;
    page.click("#scenario summary").await?;
    page.until_text("#scenario .prose", "What a correct shop does.").await?;
    stage.picture("scenario-en").await?;
    page.click("#scenario button").await?;
    page.until_text(".rules", "lose-reply").await?;
    page.until_text(".scenarios .tag", "chosen").await?;
    if stage.shop.place("SHOP2026112200016", 990, "noodles").await.is_ok() {
        return Err("the scenario did not strike".into());
    }
    page.until_text(".rules", "struck 1").await
}

pub(super) async fn a_wrong_signature_shows_where_the_texts_part(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.shop.place("SHOP2026112200012", 990, "noodles").await?;
    stage.open("/exchanges").await?;
    let status = stage.shop.query_signed_wrong("SHOP2026112200012").await?;
    if status != 401 {
        return Err(format!("a wrong signature is answered with {status}").into());
    }
    page.until_text("tbody tr:first-child", "mismatch").await?;
    page.click("tbody tr:first-child a.row-link").await?;
    page.until_text(".mistake", "The query was not signed").await?;
    page.until_text("mark.is-ours", "?mchid=").await?;
    page.until_text("mark.is-theirs", "(nothing)").await?;
    page.until_text(".canonical", "/v3/pay/transactions/out-trade-no/SHOP2026112200012")
        .await?;
    page.until_text(".headers", "authorization").await?;
    page.until_text(".detail pre", "SIGN_ERROR").await?;
    stage.picture("exchange-mismatch-en").await?;
    // Both forms of the answer's body.
    page.until("[...document.querySelectorAll('.detail pre')].some((pre) => pre.innerText.includes('{\\n  '))")
        .await?;
    page.click(".switch button:last-child").await?;
    page.until("![...document.querySelectorAll('.detail pre')].some((pre) => pre.innerText.includes('{\\n  '))")
        .await
}

pub(super) async fn a_refused_notice_comes_again_when_the_clock_moves(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.shop.refuse(1);
    stage.shop.place("SHOP2026112200013", 990, "noodles").await?;
    stage.open("/orders/wechat-v3/SHOP2026112200013").await?;
    page.click("#phone-pay").await?;
    page.until_text(".detail .notice", "not acknowledged · 503").await?;
    page.until_text(".detail .next", "Next attempt:").await?;
    stage.open("/notices").await?;
    page.until_text(".notice", "SHOP2026112200013").await?;
    page.until_text(".attempts code", "the shop is busy").await?;
    page.click(".attempts summary").await?;
    page.until_text(".attempts .headers", "wechatpay-signature").await?;
    page.until_text(".attempts pre", "TRANSACTION.SUCCESS").await?;
    stage.open("/clock").await?;
    page.click(".card .buttons button").await?;
    page.until_text(".head .ahead", "5 min").await?;
    stage.picture("clock-en").await?;
    stage.open("/notices").await?;
    page.until_text(".attempts li:first-child", "Attempt 2").await?;
    page.until_text(".attempts li:first-child", "acknowledged · 200")
        .await?;
    stage.picture("notices-en").await?;
    if stage.shop.taken() == 1 {
        Ok(())
    } else {
        Err("the shop has not opened the second attempt".into())
    }
}

pub(super) async fn a_setting_and_the_platform_certificate_change(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.open("/clock").await?;
    page.until("document.querySelectorAll('input[role=switch]').length > 3")
        .await?;
    let serial = stage.sandbox.wechat_v3().platform_serial;
    page.until_text("main code", &serial).await?;
    page.click("#rotate").await?;
    page.until(&format!(
        "!document.querySelector('main').innerText.includes('{serial}')"
    ))
    .await?;
    page.click("#public-key-only").await?;
    page.until("document.querySelector('#public-key-only').checked").await?;
    page.until_text("#spoken", "Public-key mode is on.").await?;
    page.reload().await?;
    page.until("document.querySelector('#public-key-only')?.checked === true")
        .await
}

pub(super) async fn the_bills_of_a_day_are_made_and_downloaded(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.shop.place("SHOP2026112200014", 990, "noodles").await?;
    stage.open("/orders/wechat-v3/SHOP2026112200014").await?;
    page.click("#phone-pay").await?;
    page.until_text(".phone", "Paid").await?;
    stage.open("/bills").await?;
    page.click("main form button[type=submit]").await?;
    page.until("document.querySelector('tbody tr')?.innerText.includes(document.querySelector('input[name=date]').value) ?? false")
        .await?;
    stage.picture("bills-en").await?;
    let fetch = "const done = arguments[0]; const link = document.querySelector('a[href*=\"wechat-v3/trade\"]');
        fetch(link.href).then((answer) => answer.text()).then(done, (error) => done(String(error)));";
    let bill = page.eval_later(fetch, &[]).await?;
    let bill = bill.as_str().unwrap_or_default();
    if bill.contains("SHOP2026112200014") && bill.contains("9.90") {
        Ok(())
    } else {
        Err(format!("the bill does not have the order: {bill:.200}").into())
    }
}

pub(super) async fn a_refusal_of_the_sandbox_is_told(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.open("/faults").await?;
    page.click("select[name=kind] option[value=status]").await?;
    page.click("input[name=value]").await?;
    page.press("99").await?;
    page.click("#fault-add").await?;
    page.until_text("#toasts .toast", "The sandbox did not do that").await?;
    stage.picture("refused-en").await?;
    page.click("#toasts button").await?;
    page.until("document.querySelector('.toast') === null").await?;
    stage.open("/orders/wechat-v3/NOBODYS").await?;
    page.until_text(".detail .problem", "could not be read").await
}

pub(super) async fn a_lost_sandbox_is_told_and_found_again(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    let sandbox = Sandbox::builder().seed(2).start().await?;
    let address = sandbox.admin_address();
    page.open(&format!("{}/#/orders", sandbox.admin_url())).await?;
    drop(sandbox);
    page.until_text(".banner[role=alert]", "The connection to the sandbox is lost.")
        .await?;
    stage.picture("lost-en").await?;
    let again = Sandbox::builder().seed(2).admin_listen(address).start().await?;
    page.until("document.querySelector('.banner') === null").await?;
    page.until_text(".link", "live").await?;
    drop(again);
    // The page that is left behind asks in vain; the next case is to find a quiet one.
    page.begin().await?;
    stage.open("/orders").await
}
