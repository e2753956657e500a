//! How it looks and how it is used: languages, themes, a phone's width, the keyboard, and who does not see it.

use super::browser::{ENTER, ESCAPE, TAB};
use super::{Stage, axe};
use crate::Error;

/// Every view, and what is looked at in two of them.
const VIEWS: [&str; 8] = [
    "/orders",
    "/payer",
    "/exchanges",
    "/notices",
    "/faults",
    "/bills",
    "/clock",
    "/connect",
];
/// More stops of the tabulator than any page here has.
const MOST_STOPS: usize = 80;

/// A shop's morning: orders in several states, a notice, a call that was signed wrong, a fault.
async fn furnish(stage: &Stage<'_>) -> Result<Vec<String>, Error> {
    let shop = &stage.shop;
    for (number, fen, description) in [
        ("1", 990, "noodles"),
        ("2", 128_000, "牛肉面一年"),
        ("3", 1, "a single fen"),
    ] {
        shop.place(&format!("SHOP202611220000{number}"), fen, description)
            .await?;
    }
    stage
        .sandbox
        .pay(yuanfen_sandbox::Platform::WechatV3, "SHOP2026112200002")?;
    stage.sandbox.delivered().await;
    shop.refund("SHOP2026112200002", "BACK1", 500, 128_000).await?;
    shop.query_signed_wrong("SHOP2026112200001").await?;
    let newest = stage.sandbox.exchanges().len();
    let mut places: Vec<String> = VIEWS.iter().map(|view| (*view).to_owned()).collect();
    places.push("/orders/wechat-v3/SHOP2026112200001".to_owned());
    places.push("/orders/wechat-v3/SHOP2026112200002".to_owned());
    places.push(format!("/exchanges/{newest}"));
    Ok(places)
}

pub(super) async fn both_languages_without_a_reload(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.shop.place("SHOP2026112200001", 990, "noodles").await?;
    stage.open("/orders").await?;
    page.until("document.documentElement.lang === 'en'").await?;
    page.until_text("h1", "Orders").await?;
    page.eval("window.wasNotReloaded = true").await?;
    page.click("#language").await?;
    page.until_text("h1", "订单").await?;
    page.until("document.documentElement.lang === 'zh-Hans' && document.title === '元分沙箱'")
        .await?;
    page.until("window.wasNotReloaded === true").await?;
    page.reload().await?;
    page.until_text("h1", "订单").await?;
    // No view falls back to a key.
    for view in VIEWS {
        stage.open(view).await?;
        page.until("document.querySelector('main h1') !== null").await?;
        page.until("!/\\b[a-z]+(-[a-z]+)*\\.[a-z-]+[a-z]\\b(?!\\.)/.test([...document.querySelectorAll('h1, h2, label, button, th, .intro')].map((found) => found.innerText).join(' ').replaceAll('credentials.json', ''))").await?;
        stage.picture(&format!("zh{}", view.replace('/', "-"))).await?;
    }
    page.click("#language").await?;
    page.until_text("h1", "Connect").await
}

pub(super) async fn a_keyboard_alone_pays(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.shop.place("SHOP2026112200001", 990, "noodles").await?;
    stage.open("/orders").await?;
    page.until_text("tbody th", "SHOP2026112200001").await?;
    page.press(TAB).await?;
    page.until("document.activeElement.matches('.skip:focus-visible')")
        .await?;
    walk_to(stage, "a.row-link").await?;
    page.press(ENTER).await?;
    // The focus is on what was opened, and the phone is a few steps on.
    page.until("document.activeElement.id === 'detail-title'").await?;
    walk_to(stage, "#phone-pay").await?;
    stage.picture("keyboard-en").await?;
    page.press(ENTER).await?;
    page.until_text(".phone", "Paid").await?;
    page.press(ESCAPE).await?;
    page.until("location.hash === '#/orders'").await?;
    page.press("5").await?;
    page.until_text("h1", "Faults").await?;
    page.press("l").await?;
    page.until_text("h1", "故障").await
}

/// Steps on with the tabulator until something has the focus, and sees that each stop shows it.
async fn walk_to(stage: &Stage<'_>, selector: &str) -> Result<(), Error> {
    let page = stage.browser;
    for _ in 0..MOST_STOPS {
        page.press(TAB).await?;
        let has_ring = "(() => { const at = document.activeElement; const ring = (node) => { const style = getComputedStyle(node); \
                        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2; }; \
                        return at === document.body || ring(at) || ring(at.closest('tr') ?? at); })()";
        if page.eval(has_ring).await? != true {
            let at = page.eval("document.activeElement.outerHTML.slice(0, 200)").await?;
            return Err(format!("nobody sees that the focus is on {at}").into());
        }
        if page
            .eval(&format!("document.activeElement.matches('{selector}')"))
            .await?
            == true
        {
            return Ok(());
        }
    }
    Err(format!("the tabulator does not reach {selector}").into())
}

pub(super) async fn the_list_of_keys_keeps_the_focus_and_gives_it_back(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    stage.open("/orders").await?;
    page.click("#help").await?;
    page.until("document.querySelector('dialog').open").await?;
    stage.picture("keys-en").await?;
    for _ in 0..6 {
        page.press(TAB).await?;
        // The browser's own bars may have it in between; the page behind may not.
        page.until("document.activeElement === document.body || document.activeElement.closest('dialog') !== null")
            .await?;
    }
    page.press(ESCAPE).await?;
    page.until("!document.querySelector('dialog').open && document.activeElement.id === 'help'")
        .await
}

pub(super) async fn a_narrow_screen_scrolls_down_only(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    let places = furnish(stage).await?;
    page.resize(360, 740).await?;
    for place in &places {
        stage.open(place).await?;
        page.until("document.querySelector('main .waiting:not(.problem)') === null")
            .await?;
        // In the language that the place before ended with, and then in the other one.
        for is_last in [false, true] {
            let language = page.eval("document.documentElement.lang").await?;
            let name = format!(
                "narrow-{}{}",
                language.as_str().unwrap_or_default(),
                place.replace('/', "-")
            );
            stage.picture(&name).await?;
            let widths = page
                .eval("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
                .await?;
            if widths[0].as_u64() > widths[1].as_u64() || widths[1] != 360 {
                return Err(format!("{place} in {language} is {} wide on {}", widths[0], widths[1]).into());
            }
            if !is_last {
                page.click("#language").await?;
                page.until(&format!("document.documentElement.lang !== {language}"))
                    .await?;
            }
        }
    }
    page.eval("localStorage.setItem('yuanfen.language', 'zh')").await?;
    stage.open("/orders").await?;
    page.click(".menu").await?;
    page.until("document.querySelector('.menu').getAttribute('aria-expanded') === 'true'")
        .await?;
    stage.picture("narrow-zh-Hans-menu").await?;
    page.click(".nav a[href='#/faults']").await?;
    page.until_text("h1", "故障").await
}

pub(super) async fn the_dark_is_remembered(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    let places = furnish(stage).await?;
    stage.open("/orders").await?;
    page.click("#theme").await?;
    page.until("document.documentElement.dataset.theme === 'dark'").await?;
    page.reload().await?;
    page.until("getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 27)'")
        .await?;
    for place in places {
        stage.open(&place).await?;
        page.until("document.querySelector('main .waiting:not(.problem)') === null")
            .await?;
        stage.picture(&format!("dark-en{}", place.replace('/', "-"))).await?;
    }
    Ok(())
}

pub(super) async fn axe_finds_nothing(stage: &Stage<'_>) -> Result<(), Error> {
    let page = stage.browser;
    let script = axe::script(stage.folder)?;
    let places = furnish(stage).await?;
    for place in &places {
        stage.open(place).await?;
        page.until("document.querySelector('main .waiting:not(.problem)') === null")
            .await?;
        axe::check(page, &script, "", &format!("{place}, light")).await?;
        // The dark has other colors and no other words.
        page.eval("document.documentElement.dataset.theme = 'dark'").await?;
        axe::check(page, &script, "color-contrast", &format!("{place}, dark")).await?;
    }
    page.click("#help").await?;
    axe::check(page, &script, "", "the list of keys").await
}
