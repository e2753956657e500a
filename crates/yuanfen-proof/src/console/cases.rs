//! What is tried: the cases in their order, and the walk of one order from the shop to the payer and back.

use std::pin::Pin;

use super::{Stage, looks, trouble};
use crate::Error;

type Played<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// One thing that must hold.
pub(super) struct Case {
    /// As a sentence.
    pub(super) name: &'static str,
    pub(super) play: Play,
    /// Whether calls of the page fail on purpose: the browser then says so in its console.
    pub(super) has_failing_calls: bool,
}

type Play = for<'a> fn(&'a Stage<'_>) -> Played<'a>;

const FAILING: [(&str, Play); 2] = [
    ("a_refusal_of_the_sandbox_is_told", |stage| {
        Box::pin(trouble::a_refusal_of_the_sandbox_is_told(stage))
    }),
    ("a_lost_sandbox_is_told_and_found_again", |stage| {
        Box::pin(trouble::a_lost_sandbox_is_told_and_found_again(stage))
    }),
];

macro_rules! cases {
    ($($module:ident::$name:ident,)+) => {
        vec![$(Case {
            name: stringify!($name),
            play: |stage| Box::pin($module::$name(stage)),
            has_failing_calls: false,
        }),+]
    };
}

pub(super) fn all() -> Vec<Case> {
    use super::cases;
    let mut all = cases![
        cases::an_order_appears_without_a_reload,
        cases::the_phone_pays_and_the_notice_shows,
        cases::a_refund_comes_to_its_end,
        cases::a_till_charges_the_code_that_the_phone_shows,
        cases::a_comment_and_a_description_stay_text,
        trouble::a_fault_is_set_strikes_and_is_cleared,
        trouble::a_scenario_is_put_in_force_and_has_its_page,
        trouble::a_wrong_signature_shows_where_the_texts_part,
        trouble::a_refused_notice_comes_again_when_the_clock_moves,
        trouble::a_setting_and_the_platform_certificate_change,
        trouble::the_bills_of_a_day_are_made_and_downloaded,
        looks::both_languages_without_a_reload,
        looks::a_keyboard_alone_pays,
        looks::the_list_of_keys_keeps_the_focus_and_gives_it_back,
        looks::a_narrow_screen_scrolls_down_only,
        looks::the_dark_is_remembered,
        looks::axe_finds_nothing,
    ];
    for (name, play) in FAILING {
        all.push(Case {
            name,
            play,
            has_failing_calls: true,
        });
    }
    all
}

async fn an_order_appears_without_a_reload(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.open("/orders").await?;
    page.until_text(".empty", "No orders yet.").await?;
    stage.picture("empty-en").await?;
    page.eval("window.wasNotReloaded = true").await?;
    stage.shop.place("SHOP2026112200001", 990, "noodles").await?;
    page.until_text("tbody th", "SHOP2026112200001").await?;
    page.until_text("tbody td", "¥9.90").await?;
    page.until_text("#spoken", "New order SHOP2026112200001, ¥9.90").await?;
    // The next one joins the table, above the first.
    stage
        .shop
        .place_in_wechat("SHOP2026112200002", 123_456_789, "a car")
        .await?;
    page.until_text("tbody tr:first-child", "¥1,234,567.89").await?;
    page.until("document.querySelectorAll('tbody tr').length === 2").await?;
    page.until("window.wasNotReloaded === true").await
}

async fn the_phone_pays_and_the_notice_shows(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.shop.place("SHOP2026112200003", 990, "noodles").await?;
    stage.open("/orders").await?;
    page.click("a.row-link").await?;
    page.until("document.querySelector('.phone img.qr')?.naturalWidth > 0")
        .await?;
    stage.picture("phone-unpaid-en").await?;
    page.click("#phone-pay").await?;
    page.until_text(".phone", "Paid").await?;
    page.until_text(".detail .notice", "acknowledged · 200").await?;
    page.until_text("tr.chosen", "paid").await?;
    stage.picture("phone-paid-en").await?;
    if stage.shop.taken() != 1 {
        return Err("the shop has not opened a notice".into());
    }
    if !stage.shop.is_paid("SHOP2026112200003").await? {
        return Err("the platform does not say that it is paid".into());
    }
    // The call that placed it and the query are there with it.
    page.until_text(".detail .rows", "place-native-order").await?;
    page.until_text(".detail .rows", "query-order").await
}

async fn a_refund_comes_to_its_end(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.shop.place("SHOP2026112200004", 990, "noodles").await?;
    stage.open("/orders/wechat-v3/SHOP2026112200004").await?;
    page.click("#phone-pay").await?;
    page.until_text(".phone", "Paid").await?;
    stage.shop.refund("SHOP2026112200004", "BACK1", 400, 990).await?;
    page.until_text(".refunds", "¥4.00").await?;
    page.until_text(".refunds", "under way").await?;
    page.click(".refunds button").await?;
    page.until_text(".refunds", "refunded").await?;
    page.until("document.querySelectorAll('.refunds button').length === 0")
        .await
}

async fn a_till_charges_the_code_that_the_phone_shows(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.open("/payer").await?;
    page.click("select[name=reaction] option[value=types]").await?;
    page.click("main form button[type=submit]").await?;
    page.until("/^\\d{4} \\d{4} \\d{4} \\d{4} \\d\\d$/.test(document.querySelector('#payment-code')?.innerText)")
        .await?;
    let shown = page.eval("document.querySelector('#payment-code').innerText").await?;
    let code: String = shown.as_str().unwrap_or_default().split(' ').collect();
    stage.picture("payer-en").await?;
    stage.shop.charge("SHOP2026112200005", 2_500, &code).await?;
    page.until_text(".open-orders", "payer typing").await?;
    page.click(".open-orders a").await?;
    page.until_text(".phone", "types the password").await?;
    page.click("#phone-pay").await?;
    page.until_text(".phone", "Paid").await
}

/// What a shop or a payer writes is shown as it was written, whatever it would be as markup.
async fn a_comment_and_a_description_stay_text(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    let hostile = "<img src=x onerror=alert(1)>";
    stage.shop.place("HOSTILE1", 990, hostile).await?;
    stage.open("/orders").await?;
    page.until_text("tbody th", hostile).await?;
    page.click("a.row-link").await?;
    page.until_text(".phone", hostile).await?;
    page.until_text(".facts", hostile).await?;
    stage.picture("hostile-en").await?;
    page.until("document.querySelectorAll('img:not(.qr)').length === 0")
        .await?;
    stage.open("/exchanges").await?;
    page.click("a.row-link").await?;
    page.until_text(".detail pre", hostile).await?;
    page.until("document.querySelectorAll('img').length === 0").await
}
