//! Where an order is placed, as other people's JSON readers see it.

use yuanfen_core::{Address, OperationExt as _};
use yuanfen_testkit::{Value, json};
use yuanfen_wechat_v2::ops::PlaceOrder;
use yuanfen_wechat_v2::{H5Scene, StoreScene};

use crate::far_side::{account, ambient, notify_url, order, sent};
use crate::fields::refused;

fn mweb(scene: impl Into<String>) -> PlaceOrder {
    let order = order();
    PlaceOrder::mweb(order.order_no, order.amount, "b", order.payer_ip, notify_url(), scene)
}

fn scene_of(order: &PlaceOrder) -> Value {
    let fields = sent(&order.request(&account(), &ambient()).unwrap());
    serde_json::from_str(&fields["scene_info"]).unwrap()
}

/// Section 6.1: `h5_info` with `type` `Wap`, `IOS` or `Android` and its names.
#[test]
fn writes_the_three_kinds_of_h5_scene_with_their_own_names() {
    let page = || Address::parse("wap_url", "https://shop.example/a?b=1").unwrap();
    for (scene, expected) in [
        (
            H5Scene::page(page(), "面馆 \"1\""),
            json!({"h5_info": {"type": "Wap", "wap_url": "https://shop.example/a?b=1", "wap_name": "面馆 \"1\""}}),
        ),
        (
            H5Scene::ios("noodles", "com.example.noodles"),
            json!({"h5_info": {"type": "IOS", "app_name": "noodles", "bundle_id": "com.example.noodles"}}),
        ),
        (
            H5Scene::android("noodles", "com.example.noodles"),
            json!({"h5_info": {"type": "Android", "app_name": "noodles", "package_name": "com.example.noodles"}}),
        ),
    ] {
        assert_eq!(scene_of(&mweb(scene)), expected);
    }
}

#[test]
fn writes_a_shop_and_leaves_out_what_is_not_known_of_it() {
    let mut store = StoreScene::new("SZTX001");
    let mut order = order();
    order.scene_info = Some(store.clone().into());
    assert_eq!(scene_of(&order), json!({"store_info": {"id": "SZTX001"}}));
    store.name = Some("腾大餐厅".to_owned());
    store.area_code = Some("440305".to_owned());
    store.address = Some("科技园中一路".to_owned());
    order.scene_info = Some(store.into());
    assert_eq!(
        scene_of(&order),
        json!({"store_info": {
            "id": "SZTX001", "name": "腾大餐厅", "area_code": "440305", "address": "科技园中一路"
        }})
    );
}

#[test]
fn refuses_a_scene_of_more_than_256_characters() {
    let with = |length: usize| mweb(H5Scene::ios("n".repeat(length), "b"));
    let around = String::from(H5Scene::ios("", "b")).len();
    assert!(with(256 - around).request(&account(), &ambient()).is_ok());
    assert_eq!(refused(&with(257 - around)).field(), Some("scene_info"));
}
