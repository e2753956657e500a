//! What the features of the facade add up to.

use std::collections::BTreeSet;

use yuanfen::core::{ClientAuth, Effect, ReplyTrust};

#[test]
fn every_route_is_there_and_can_be_asked_about_its_orders() {
    let routes = yuanfen::routes();
    let providers: BTreeSet<_> = routes.iter().map(|info| info.route.provider).collect();
    assert_eq!(
        providers,
        BTreeSet::from(["fshows", "mpgateway", "starpos", "wechat-v2", "wechat-v3"])
    );
    for provider in providers {
        let of_provider = || routes.iter().filter(|info| info.route.provider == provider);
        assert!(
            of_provider().any(|info| info.route.effect == Effect::Read),
            "{provider}"
        );
        assert!(
            of_provider().any(|info| info.route.effect != Effect::Read),
            "{provider}"
        );
        assert!(
            of_provider().any(|info| info.route.operation == "query_order"),
            "{provider}"
        );
    }
}

#[test]
fn no_operation_is_listed_twice() {
    let routes = yuanfen::routes();
    let names: BTreeSet<_> = routes
        .iter()
        .map(|info| (info.route.provider, info.route.operation))
        .collect();
    assert_eq!(names.len(), routes.len());
}

#[test]
fn what_creates_an_order_at_an_acquirer_is_never_repeated_blindly() {
    for info in yuanfen::routes() {
        let direct = info.route.provider.starts_with("wechat-");
        if !direct {
            assert_ne!(info.route.effect, Effect::Repeatable, "{info:?}");
        }
    }
}

/// v2 sheet, section 2: the paths say so of what moves money back, and of two files they do not.
#[test]
fn a_client_certificate_is_wanted_where_the_sheet_says_so_and_nowhere_else() {
    for info in yuanfen::routes() {
        let wanted = info.route.client_certificate == ClientAuth::Required;
        let file = ["/pay/downloadfundflow", "/billcommentsp/batchquerycomment"].contains(&info.route.path);
        assert_eq!(wanted, file || info.route.path.starts_with("/secapi/"), "{info:?}");
    }
}

#[test]
fn the_only_route_without_any_signed_reply_is_fshows() {
    let signed: BTreeSet<_> = yuanfen::routes()
        .into_iter()
        .filter(|info| info.reply == ReplyTrust::Signed)
        .map(|info| info.route.provider)
        .collect();
    assert_eq!(
        signed,
        BTreeSet::from(["mpgateway", "starpos", "wechat-v2", "wechat-v3"])
    );
}
