//! What a reader makes of the answer to each call. The cases state it by the names of the wire, times in seconds since
//! 1970: what is typed, written down again, must be all that came.

use bytes::Bytes;
use http::Response;
use yuanfen_core::{CalendarDate, OpenError, Opens as _, Operation, OrderNo, PayAmount, RefundNo, RemoteId};
use yuanfen_testkit::{Case, Stage, Value, json};
use yuanfen_wechat_v3::ops::{
    ApplyAbnormalRefund, ChargedCode, CloseCombinedOrder, CloseOrder, DownloadBill, DownloadCertificates, PayByCode,
    PlaceAppOrder, PlaceCombinedAppOrder, PlaceCombinedH5Order, PlaceCombinedJsapiOrder, PlaceCombinedNativeOrder,
    PlaceH5Order, PlaceJsapiOrder, PlaceNativeOrder, QueryCombinedOrder, QueryOrder, QueryRefund,
    RequestEcommerceFundFlowBill, RequestFundFlowBill, RequestSubMerchantFundFlowBill, RequestTradeBill, ReverseOrder,
    UploadComplaintImage, UploadImage, UploadMarketingImage, UploadVideo,
};
use yuanfen_wechat_v3::{
    Account, CombinedOrderNo, CombinedScene, CombinedTerms, H5Info, H5Type, MediaFile, OpenId, OrderTerms, Scene, Till,
    UploadedMedia,
};

use super::accounts;
use super::typed::{address, combined_no, order, order_no, refund, text};
use super::written::{bill, combined, encrypted_bill, refund_record, transaction, whole};
use crate::far_side::{VECTORS, now, reason, reply, response, wrong_field};

#[test]
fn reads_all_that_is_answered() {
    for case in VECTORS.of("reply") {
        for account in accounts(&case) {
            let found = answered(&case, &account, &answer(&case));
            if case.refused().is_some() {
                case.run().refused(found, |error| match wrong_field(error).as_str() {
                    "download_bill_list[0].nonce" => "nonce-length".to_owned(),
                    other => other.to_owned(),
                });
            } else {
                let run = case.run();
                let found = run.at(Stage::Decoded, found);
                run.decoded(&found).done();
            }
        }
    }
}

/// The same answers under no signature are none; the files have none, and are held against their digests.
#[test]
fn takes_none_of_the_answers_unsigned() {
    for case in VECTORS.of("reply").into_iter().filter(|case| !case.has("of")) {
        for account in accounts(&case) {
            let signed = answer(&case);
            let unsigned = response(signed.status().as_u16(), &[], signed.body());
            let error = answered(&case, &account, &unsigned).unwrap_err();
            assert_eq!(reason(&error), "missing-signature", "{case}");
        }
    }
}

/// The answer of a case, signed where answers are: as the platform sends it.
fn answer(case: &Case<'_>) -> Response<Bytes> {
    if case.has("of") {
        let file = VECTORS.case(case.text("of"));
        return response(200, &[], &file.bytes("gzip"));
    }
    reply(case.number("status").try_into().unwrap(), case.text("body"))
}

fn terms() -> OrderTerms {
    let (no, one) = (OrderNo::new("A12345").unwrap(), PayAmount::from_fen(1).unwrap());
    OrderTerms::new(no, one, "-", address("https://shop.example/notices"))
}

fn combined_terms() -> CombinedTerms {
    let no = CombinedOrderNo::new("C1").unwrap();
    CombinedTerms::new(no, Vec::new(), address("https://shop.example/notices"))
}

fn media(uploaded: &UploadedMedia) -> Value {
    whole(json!({ "media_id": uploaded.media_id }), &uploaded.extra)
}

fn answered(case: &Case<'_>, account: &Account, answer: &Response<Bytes>) -> Result<Value, OpenError> {
    fn read<O: Operation<Provider = Account>>(
        operation: &O,
        account: &Account,
        answer: &Response<Bytes>,
    ) -> Result<O::Reply, OpenError> {
        operation.decode(account, O::Inbound::open(account, answer, now())?)
    }
    macro_rules! read {
        ($operation:expr) => {
            read(&$operation, account, answer)?
        };
    }
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let open_id = OpenId::new("o1");
    let ip = "14.23.150.211".parse().unwrap();
    let h5 = || H5Info::new(H5Type::Wap);
    let day = CalendarDate::parse("2019-06-11").unwrap();
    let file = || MediaFile::new("a.png", "a");
    let refund_no = || RefundNo::new(text(&body["out_refund_no"])).unwrap();
    Ok(match case.text("operation") {
        name @ ("place_jsapi_order" | "place_combined_jsapi_order") => {
            let placed = if name == "place_jsapi_order" {
                read!(PlaceJsapiOrder::new(terms(), open_id))
            } else {
                read!(PlaceCombinedJsapiOrder::new(combined_terms(), open_id))
            };
            whole(json!({ "prepay_id": placed.prepay_id.as_str() }), &placed.extra)
        }
        name @ ("place_app_order" | "place_combined_app_order") => {
            let placed = if name == "place_app_order" {
                read!(PlaceAppOrder::new(terms()))
            } else {
                read!(PlaceCombinedAppOrder::new(combined_terms()))
            };
            whole(json!({ "prepay_id": placed.prepay_id.as_str() }), &placed.extra)
        }
        name @ ("place_native_order" | "place_combined_native_order") => {
            let placed = if name == "place_native_order" {
                read!(PlaceNativeOrder::new(terms()))
            } else {
                read!(PlaceCombinedNativeOrder::new(combined_terms()))
            };
            whole(json!({ "code_url": placed.code_url.as_str() }), &placed.extra)
        }
        name @ ("place_h5_order" | "place_combined_h5_order") => {
            let placed = if name == "place_h5_order" {
                read!(PlaceH5Order::new(terms(), Scene::new(ip), h5()))
            } else {
                read!(PlaceCombinedH5Order::new(
                    combined_terms(),
                    CombinedScene::new(ip),
                    h5()
                ))
            };
            whole(json!({ "h5_url": placed.h5_url.as_str() }), &placed.extra)
        }
        "query_order" => {
            let by_own = read!(QueryOrder::by_order_no(order_no(&body)));
            if body.get("transaction_id").is_some() {
                let mut by_theirs = QueryOrder::by_order_no(order_no(&body));
                by_theirs.order = order(&body);
                assert_eq!(read!(by_theirs), by_own, "{case}");
            }
            transaction(&by_own.transaction)
        }
        "close_order" => {
            let _closed = read!(CloseOrder::new(OrderNo::new("A1").unwrap()));
            json!({})
        }
        "pay_by_code" => {
            let no = body.get("out_trade_no").map_or("A12345", text);
            let total = body["amount"]["total"].as_i64().unwrap_or(1);
            let total = PayAmount::from_fen(total).unwrap();
            let no = OrderNo::new(no).unwrap();
            match read!(PayByCode::new(no, total, "-", "130061098828009406", Till::at(ip))) {
                ChargedCode::Order(order) => transaction(&order),
                ChargedCode::Pending(pending) => whole(json!({ "trade_state": pending.trade_state }), &pending.extra),
                other => panic!("{other:?}"),
            }
        }
        "reverse_order" => {
            let reversed = read!(ReverseOrder::new(order_no(&body)));
            whole(json!({ "out_trade_no": reversed.order_no }), &reversed.extra)
        }
        "refund" => {
            let mut request = body.clone();
            // What pays is not what the answer says has paid: of the vendor's sample it is another sum.
            request["amount"].as_object_mut().unwrap().remove("from");
            refund_record(&read!(refund(&request)))
        }
        "query_refund" => refund_record(&read!(QueryRefund::new(refund_no()))),
        "apply_abnormal_refund" => {
            let refund_id = RemoteId::new(text(&body["refund_id"])).unwrap();
            refund_record(&read!(ApplyAbnormalRefund::to_merchant(refund_id, refund_no())))
        }
        "request_trade_bill" => bill(&read!(RequestTradeBill::new(day)).unwrap()),
        "request_fund_flow_bill" => bill(&read!(RequestFundFlowBill::new(day)).unwrap()),
        "request_sub_merchant_fund_flow_bill" => {
            encrypted_bill(&read!(RequestSubMerchantFundFlowBill::new(day)).unwrap())
        }
        "request_ecommerce_fund_flow_bill" => encrypted_bill(&read!(RequestEcommerceFundFlowBill::new(day)).unwrap()),
        "download_bill" => {
            let sha1 = promised(case);
            let file = read!(DownloadBill::new(address("https://api.mch.weixin.qq.com/"), &sha1));
            json!({ "bytes": file.bytes().len() })
        }
        "download_certificates" => {
            let downloaded = read!(DownloadCertificates::new());
            let certificates = downloaded.get().certificates.iter().map(|certificate| {
                json!({
                    "serial_no": certificate.serial,
                    "effective_time": certificate.not_before.seconds(),
                    "expire_time": certificate.not_after.seconds(),
                })
            });
            json!({ "data": certificates.collect::<Vec<_>>() })
        }
        "query_combined_order" => combined(&read!(QueryCombinedOrder::new(combined_no(&body))).transaction),
        "close_combined_order" => {
            let _closed = read!(CloseCombinedOrder::from(&combined_terms()));
            json!({})
        }
        "upload_image" => media(&read!(UploadImage::new(file()))),
        "upload_video" => media(&read!(UploadVideo::new(file()))),
        "upload_complaint_image" => media(&read!(UploadComplaintImage::new(file()))),
        "upload_marketing_image" => {
            let uploaded = read!(UploadMarketingImage::new(file()));
            whole(json!({ "media_url": uploaded.media_url }), &uploaded.extra)
        }
        other => panic!("{case}: {other}"),
    })
}

/// The digest that the answer before this one named.
fn promised(case: &Case<'_>) -> String {
    let of = VECTORS.case(case.text("of"));
    text(&of.expected_decoded().unwrap()["sha1"]).to_owned()
}
