//! What each call sends: the typed call, made of a published message, writes that message again.

use bytes::Bytes;
use http::{Request, Uri};
use yuanfen_core::{
    Address, CalendarDate, FixedAmbient, Operation, OrderNo, PayAmount, Provider as _, RefundNo, RemoteId,
};
use yuanfen_sign::RsaSigningKey;
use yuanfen_testkit::{Case, Value};
use yuanfen_wechat_v3::ops::{
    ApplyAbnormalRefund, BillScope, CloseCombinedOrder, CloseOrder, DownloadBill, DownloadCertificates,
    DownloadEncryptedBill, PayerCard, PlaceAppOrder, PlaceCombinedAppOrder, PlaceCombinedH5Order,
    PlaceCombinedJsapiOrder, PlaceCombinedNativeOrder, PlaceH5Order, PlaceJsapiOrder, PlaceNativeOrder,
    QueryCombinedOrder, QueryOrder, QueryRefund, RequestEcommerceFundFlowBill, RequestFundFlowBill,
    RequestSubMerchantFundFlowBill, RequestTradeBill, ReverseOrder, UploadComplaintImage, UploadImage,
    UploadMarketingImage, UploadVideo,
};
use yuanfen_wechat_v3::{
    Account, CombinedOrderNo, CombinedTerms, EncryptedBillFile, MediaFile, Message, Sensitive, SubOrder,
};

use super::typed::{
    address, combined_scene, combined_terms, h5, order_no, participant, pay_by_code, payer, refund, scene, terms, text,
};
use super::{accounts, clock};
use crate::far_side::{VECTORS, ambient, pem};
use crate::uploads::parts;

#[test]
fn sends_what_others_send() {
    for case in VECTORS.of("request") {
        let published = case.expected_request().unwrap().body.clone().unwrap();
        for account in accounts(&case) {
            let message = message(&case, &account, &clock(&case));
            let draft = account.draft(message, &clock(&case)).unwrap();
            let mut request = draft.finish("c2lnbmF0dXJl").unwrap();
            // The members of an object have no order.
            assert_eq!(body(&case, &request), json_of(&published), "{case}");
            *request.body_mut() = Bytes::from(published.clone());
            case.run().request(&request).done();
        }
    }
}

fn json_of(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap()
}

/// The body as JSON: of an upload the part that is signed, of encrypted members what is in them.
fn body(case: &Case<'_>, request: &Request<Bytes>) -> Value {
    if case.has("file") {
        let (meta, file) = parts(request);
        assert_eq!(file.body, case.bytes("file"), "{case}");
        return json_of(&meta.body);
    }
    let mut body = json_of(request.body());
    for name in ["bank_account", "real_name"] {
        if let Some(sealed) = body.get_mut(name) {
            let platform = RsaSigningKey::parse(pem("go_private")).unwrap();
            let opened = platform.decrypt_oaep_sha1(text(sealed), &ambient()).unwrap();
            *sealed = String::from_utf8(opened.to_vec()).unwrap().into();
        }
    }
    body
}

/// What a published request says, for the typed call.
struct Published {
    target: Uri,
    body: Value,
}

impl Published {
    fn of(case: &Case<'_>) -> Self {
        let request = case.expected_request().unwrap();
        Self {
            target: request.target.as_deref().unwrap().parse().unwrap(),
            body: json_of(request.body.as_deref().unwrap()),
        }
    }

    /// The segment of the path that follows that one.
    fn after(&self, name: &str) -> &str {
        let mut segments = self.target.path().split('/');
        segments.find(|segment| *segment == name).unwrap();
        segments.next().unwrap()
    }

    fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self.target.query()?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    fn order_no(&self) -> OrderNo {
        OrderNo::new(self.after("out-trade-no")).unwrap()
    }

    fn combined_no(&self) -> CombinedOrderNo {
        CombinedOrderNo::new(self.after("out-trade-no")).unwrap()
    }

    fn date(&self) -> CalendarDate {
        CalendarDate::parse(self.query("bill_date").unwrap()).unwrap()
    }

    fn gzip(&self) -> bool {
        self.query("tar_type") == Some("GZIP")
    }

    fn address(&self) -> Address {
        Address::parse("download_url", &self.target.to_string()).unwrap()
    }
}

fn message(case: &Case<'_>, account: &Account, ambient: &FixedAmbient) -> Message {
    fn of<O: Operation<Provider = Account>>(operation: &O, account: &Account, ambient: &FixedAmbient) -> Message {
        operation.encode(account, ambient).unwrap()
    }
    let published = Published::of(case);
    let body = &published.body;
    let file = || MediaFile::new(text(&body["filename"]), case.bytes("file"));
    macro_rules! of {
        ($operation:expr) => {
            of(&$operation, account, ambient)
        };
    }
    match case.text("operation") {
        "place_jsapi_order" => {
            let mut order = PlaceJsapiOrder::new(terms(body), payer(&body["payer"]));
            order.scene = body.get("scene_info").map(scene);
            of!(order)
        }
        "place_app_order" => {
            let mut order = PlaceAppOrder::new(terms(body));
            order.scene = body.get("scene_info").map(scene);
            of!(order)
        }
        "place_native_order" => {
            let mut order = PlaceNativeOrder::new(terms(body));
            order.scene = body.get("scene_info").map(scene);
            of!(order)
        }
        "place_h5_order" => of!(PlaceH5Order::new(
            terms(body),
            scene(&body["scene_info"]),
            h5(&body["scene_info"]["h5_info"])
        )),
        "query_order" if published.target.path().contains("/id/") => {
            of!(QueryOrder::by_transaction_id(
                RemoteId::new(published.after("id")).unwrap()
            ))
        }
        "query_order" => of!(QueryOrder::by_order_no(published.order_no())),
        "close_order" => of!(CloseOrder::new(published.order_no())),
        "pay_by_code" => of!(pay_by_code(body)),
        "reverse_order" => of!(ReverseOrder::new(published.order_no())),
        "refund" => of!(refund(body)),
        "query_refund" => of!(QueryRefund::new(RefundNo::new(published.after("refunds")).unwrap())),
        "apply_abnormal_refund" => {
            let refund_id = RemoteId::new(published.after("refunds")).unwrap();
            let refund_no = RefundNo::new(text(&body["out_refund_no"])).unwrap();
            let secret = |name: &str| Sensitive::new(text(&body[name]).to_owned());
            of!(match text(&body["type"]) {
                "USER_BANK_CARD" => {
                    let bank = text(&body["bank_type"]);
                    let card = PayerCard::new(bank, secret("bank_account"), secret("real_name"));
                    ApplyAbnormalRefund::to_payer(refund_id, refund_no, card)
                }
                _ => ApplyAbnormalRefund::to_merchant(refund_id, refund_no),
            })
        }
        "request_trade_bill" => {
            let scope = match (account.ids().sub_merchant(), published.query("sub_mchid")) {
                (None, _) => BillScope::Own,
                (Some(_), None) => BillScope::AllMerchants,
                (Some(_), Some(_)) => BillScope::OneMerchant,
            };
            let mut bill = RequestTradeBill::of(scope, published.date());
            bill.bill_type = published.query("bill_type").map(Into::into);
            bill.gzip = published.gzip();
            of!(bill)
        }
        "request_fund_flow_bill" => {
            let mut bill = RequestFundFlowBill::new(published.date());
            bill.account_type = published.query("account_type").map(Into::into);
            bill.gzip = published.gzip();
            of!(bill)
        }
        "request_sub_merchant_fund_flow_bill" => {
            let mut bill = RequestSubMerchantFundFlowBill::new(published.date());
            bill.account_type = published.query("account_type").unwrap().into();
            bill.gzip = published.gzip();
            of!(bill)
        }
        "request_ecommerce_fund_flow_bill" => {
            let mut bill = RequestEcommerceFundFlowBill::new(published.date());
            bill.gzip = published.gzip();
            of!(bill)
        }
        "download_bill" => of!(DownloadBill::new(published.address(), "")),
        "download_encrypted_bill" => {
            let key = yuanfen_sign::FileKey::from_bytes(&[0; 32]).unwrap();
            let file = EncryptedBillFile::new(key, "", "");
            of!(DownloadEncryptedBill::new(published.address(), file))
        }
        "download_certificates" => of!(DownloadCertificates::new()),
        "place_combined_jsapi_order" => {
            let payer = payer(&body["combine_payer_info"]);
            let mut order = PlaceCombinedJsapiOrder::new(combined_terms(body), payer);
            order.scene = body.get("scene_info").map(combined_scene);
            of!(order)
        }
        "place_combined_app_order" => {
            let mut order = PlaceCombinedAppOrder::new(combined_terms(body));
            order.scene = body.get("scene_info").map(combined_scene);
            of!(order)
        }
        "place_combined_native_order" => {
            let mut order = PlaceCombinedNativeOrder::new(combined_terms(body));
            order.scene = body.get("scene_info").map(combined_scene);
            of!(order)
        }
        "place_combined_h5_order" => {
            let place = &body["scene_info"];
            of!(PlaceCombinedH5Order::new(
                combined_terms(body),
                combined_scene(place),
                h5(&place["h5_info"])
            ))
        }
        "query_combined_order" => of!(QueryCombinedOrder::new(published.combined_no())),
        "close_combined_order" => {
            let one = PayAmount::from_fen(1).unwrap();
            let named = |part| SubOrder::new(participant(part), order_no(part), one, "-", "-");
            let parts = body["sub_orders"].as_array().unwrap().iter().map(named).collect();
            let terms = CombinedTerms::new(published.combined_no(), parts, address("https://shop.example/"));
            of!(CloseCombinedOrder::from(&terms))
        }
        "upload_image" => of!(UploadImage::new(file())),
        "upload_video" => of!(UploadVideo::new(file())),
        "upload_marketing_image" => of!(UploadMarketingImage::new(file())),
        "upload_complaint_image" => of!(UploadComplaintImage::new(file())),
        other => panic!("{case}: {other}"),
    }
}
