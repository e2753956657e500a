//! The vectors of whole calls: what we send is what the sheet's tables say, signed as others sign it, and what we read is
//! what they answer. In both forms: a merchant's own, and a provider's acting for one.

use std::collections::{BTreeMap, BTreeSet};

use http::Response;
use serde_json::Value;
use yuanfen_core::{
    Address, CalendarDate, Fen, Operation, OperationExt as _, OrderNo, PayAmount, Provider as _, RefundNo, RemoteId,
    Standing, Verify as _,
};
use yuanfen_sign::{RsaSigningKey, RsaVerifyingKey};
use yuanfen_testkit::Case;
use yuanfen_wechat_v3::ops::{
    AccountType, ApplyAbnormalRefund, BillScope, BillType, ChargedCode, CloseCombinedOrder, CloseOrder,
    DownloadCertificates, PayByCode, PlaceAppOrder, PlaceCombinedAppOrder, PlaceCombinedH5Order,
    PlaceCombinedJsapiOrder, PlaceCombinedNativeOrder, PlaceH5Order, PlaceJsapiOrder, PlaceNativeOrder,
    QueryCombinedOrder, QueryOrder, QueryRefund, Refund, RefundSource, RequestEcommerceFundFlowBill,
    RequestFundFlowBill, RequestSubMerchantFundFlowBill, RequestTradeBill, ReverseOrder, UploadComplaintImage,
    UploadImage, UploadMarketingImage, UploadVideo, routes,
};
use yuanfen_wechat_v3::{
    Account, CombinedOrderNo, CombinedScene, CombinedTerms, FundsAccount, H5Info, H5Type, MediaFile, Message, OpenId,
    OrderTerms, Participant, Payer, RefundChannel, RefundStatus, Scene, SubMerchant, SubOrder, Till, TradeState,
};

use crate::far_side::{PUBLIC_KEY_ID, SUB_APP, SUB_MERCHANT, VECTORS, account, ambient, now, partner, pem, response};

const NUMBER: &str = "1217752501201407033233368018";
const REFUND: &str = "1217752501201407033233368019";
const TRANSACTION: &str = "4200000745202011093730578574";
const REFUND_ID: &str = "50000000382019052709732678859";

fn order_no() -> OrderNo {
    OrderNo::new(NUMBER).unwrap()
}

fn refund_no() -> RefundNo {
    RefundNo::new(REFUND).unwrap()
}

fn fen(fen: i64) -> PayAmount {
    PayAmount::from_fen(fen).unwrap()
}

fn terms() -> OrderTerms {
    OrderTerms::new(
        order_no(),
        fen(100),
        "Image形象店-深圳腾大-QQ公仔",
        Address::parse("notify_url", "https://www.weixin.qq.com/wxpay/pay.php").unwrap(),
    )
}

fn jsapi(form: &str) -> PlaceJsapiOrder {
    let payer = match form {
        "direct" => Payer::OpenId(OpenId::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")),
        _ => Payer::SubOpenId(OpenId::new("o4GgauE1lgaPsLabrYvqhVg7O8yA")),
    };
    PlaceJsapiOrder::new(terms(), payer)
}

fn h5() -> PlaceH5Order {
    let scene = Scene::new("14.23.150.211".parse().unwrap());
    PlaceH5Order::new(terms(), scene, H5Info::new(H5Type::Wap))
}

fn charge() -> PayByCode {
    let till = Till::at("14.23.150.211".parse().unwrap());
    PayByCode::new(
        order_no(),
        fen(100),
        "Image形象店-深圳腾大-QQ公仔",
        "130061098828009406",
        till,
    )
}

fn refund() -> Refund {
    let order = RemoteId::new(TRANSACTION).unwrap();
    let mut refund = Refund::new(order, refund_no(), fen(60), fen(100));
    refund.reason = Some("商品已售完".to_owned());
    refund.notify_url = Some(Address::parse("notify_url", "https://weixin.qq.com/refund").unwrap());
    refund.funds_account = Some(FundsAccount::Available);
    refund.from = vec![RefundSource::new(FundsAccount::Available, fen(60))];
    refund
}

fn abnormal() -> ApplyAbnormalRefund {
    ApplyAbnormalRefund::to_merchant(RemoteId::new(REFUND_ID).unwrap(), refund_no())
}

/// Two orders in one payment: of the merchant itself and another, or of a provider's merchant.
fn combined(form: &str) -> CombinedTerms {
    let participants = match form {
        "direct" => [Participant::Own, Participant::Merchant("1230000109".into())],
        _ => [(); 2]
            .map(|()| Participant::SubMerchant(SubMerchant::new(SUB_MERCHANT).unwrap().with_app(SUB_APP).unwrap())),
    };
    let parts = participants
        .into_iter()
        .zip([("20150806125346", 10), ("20150806125347", 5)]);
    let parts = parts.map(|(participant, (number, amount))| {
        let number = OrderNo::new(number).unwrap();
        SubOrder::new(participant, number, fen(amount), "腾讯充值中心", "深圳分店")
    });
    CombinedTerms::new(whole(), parts.collect(), terms().notify_url)
}

fn whole() -> CombinedOrderNo {
    CombinedOrderNo::new("P20150806125346").unwrap()
}

fn combined_jsapi(form: &str) -> PlaceCombinedJsapiOrder {
    PlaceCombinedJsapiOrder::new(combined(form), OpenId::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"))
}

fn combined_h5(form: &str) -> PlaceCombinedH5Order {
    let scene = CombinedScene::new("14.23.150.211".parse().unwrap());
    PlaceCombinedH5Order::new(combined(form), scene, H5Info::new(H5Type::Wap))
}

fn day() -> CalendarDate {
    CalendarDate::parse("2023-11-13").unwrap()
}

fn trade_bill(form: &str) -> RequestTradeBill {
    let scope = match form {
        "direct" => BillScope::Own,
        _ => BillScope::OneMerchant,
    };
    let mut bill = RequestTradeBill::of(scope, day());
    bill.bill_type = Some(BillType::All);
    bill
}

fn fund_flow() -> RequestFundFlowBill {
    let mut bill = RequestFundFlowBill::new(day());
    bill.account_type = Some(AccountType::Basic);
    bill
}

fn file(name: &str) -> MediaFile {
    MediaFile::new(name, bytes::Bytes::from_static(b"png"))
}

fn account_of(form: &str) -> Account {
    match form {
        "direct" => account(),
        "partner" => partner(),
        other => panic!("no form {other}"),
    }
}

fn calls(kind: &str) -> Vec<Case<'static>> {
    let mut cases = VECTORS.of(kind);
    cases.retain(|case| case.has("operation"));
    assert!(cases.len() >= 20, "{}", cases.len());
    cases
}

fn encoded(case: &Case<'_>, account: &Account) -> Message {
    let form = case.text("form");
    macro_rules! of {
        ($operation:expr) => {
            $operation.encode(account, &ambient()).unwrap()
        };
    }
    match case.text("operation") {
        "place_jsapi_order" => of!(jsapi(form)),
        "place_app_order" => of!(PlaceAppOrder::new(terms())),
        "place_native_order" => of!(PlaceNativeOrder::new(terms())),
        "place_h5_order" => of!(h5()),
        "query_order" if case.name().ends_with("by-order-no") => of!(QueryOrder::by_order_no(order_no())),
        "query_order" => of!(QueryOrder::by_transaction_id(RemoteId::new(TRANSACTION).unwrap())),
        "close_order" => of!(CloseOrder::new(order_no())),
        "pay_by_code" => of!(charge()),
        "reverse_order" => of!(ReverseOrder::new(order_no())),
        "refund" => of!(refund()),
        "query_refund" => of!(QueryRefund::new(refund_no())),
        "apply_abnormal_refund" => of!(abnormal()),
        "request_trade_bill" => of!(trade_bill(form)),
        "request_fund_flow_bill" => of!(fund_flow()),
        "request_sub_merchant_fund_flow_bill" => of!(RequestSubMerchantFundFlowBill::new(day())),
        "request_ecommerce_fund_flow_bill" => of!(RequestEcommerceFundFlowBill::new(day())),
        "download_certificates" => of!(DownloadCertificates::new()),
        "place_combined_jsapi_order" => of!(combined_jsapi(form)),
        "place_combined_app_order" => of!(PlaceCombinedAppOrder::new(combined(form))),
        "place_combined_native_order" => of!(PlaceCombinedNativeOrder::new(combined(form))),
        "place_combined_h5_order" => of!(combined_h5(form)),
        "query_combined_order" => of!(QueryCombinedOrder::new(whole())),
        "close_combined_order" => of!(CloseCombinedOrder::from(&combined(form))),
        "upload_image" => of!(UploadImage::new(file("a.png"))),
        "upload_video" => of!(UploadVideo::new(file("a.mp4"))),
        "upload_complaint_image" => of!(UploadComplaintImage::new(file("a.png"))),
        other => panic!("no operation for {other}"),
    }
}

/// The parameters of a query, whose order the documents leave open.
fn parameters(target: &str) -> (String, BTreeSet<String>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path.to_owned(), query.split('&').map(str::to_owned).collect())
}

/// Everything the tables ask for is sent and nothing else; and the key that signs is the one whose signature the case has.
#[test]
fn sends_what_the_tables_of_the_sheet_say() {
    let merchant: RsaVerifyingKey = RsaSigningKey::parse(pem("doc_merchant_private"))
        .unwrap()
        .verifying_key()
        .unwrap();
    for case in calls("request_sign") {
        let account = account_of(case.text("form"));
        let draft = account.draft(encoded(&case, &account), &ambient()).unwrap();
        let signed = std::str::from_utf8(draft.text()).unwrap().to_owned();
        // Of an upload it is what describes the file; of any other call, all that is sent.
        let signed = signed.splitn(5, '\n').nth(4).unwrap();
        let request = draft.finish("c2lnbmF0dXJl").unwrap();
        assert_eq!(request.method(), case.text("method"), "{case}");
        let target = request.uri().path_and_query().unwrap().as_str();
        assert_eq!(parameters(target), parameters(case.text("target")), "{case}");
        let json = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
        assert_eq!(json(signed.as_bytes()), json(&case.bytes("body")), "{case}");
        assert_eq!(account.identity().merchant_id(), case.text("mchid"), "{case}");
        let signature = case.expected_signature().unwrap();
        merchant.verify(case.expected_text().unwrap(), signature).unwrap();
    }
}

fn answer(case: &Case<'_>) -> Response<bytes::Bytes> {
    let headers = [
        ("Wechatpay-Timestamp", case.text("timestamp").to_owned()),
        ("Wechatpay-Nonce", case.text("nonce").to_owned()),
        ("Wechatpay-Serial", PUBLIC_KEY_ID.to_owned()),
        ("Wechatpay-Signature", case.text("signature").to_owned()),
    ];
    response(
        u16::try_from(case.number("status")).unwrap(),
        &headers,
        &case.bytes("body"),
    )
}

fn told<O: Operation<Provider = Account>>(case: &Case<'_>, operation: &O) -> O::Reply {
    let account = account_of(case.text("form"))
        .with_public_key(PUBLIC_KEY_ID, case.text("key"))
        .unwrap();
    let reply = operation.reply(&account, &answer(case), now());
    reply.unwrap_or_else(|error| panic!("{case}: {error:?}"))
}

fn reads(case: &Case<'_>) {
    let form = case.text("form");
    let sub_merchant = (form == "partner").then_some(SUB_MERCHANT);
    match case.text("operation") {
        "place_jsapi_order" => assert!(told(case, &jsapi(form)).prepay_id.as_str().starts_with("wx2014")),
        "place_app_order" => {
            let placed = told(case, &PlaceAppOrder::new(terms()));
            assert!(placed.prepay_id.as_str().starts_with("wx2014"));
        }
        "place_native_order" => {
            let placed = told(case, &PlaceNativeOrder::new(terms()));
            assert_eq!(placed.code_url.as_str(), "weixin://wxpay/bizpayurl?pr=p4lpSuKzz");
        }
        "place_h5_order" => assert!(told(case, &h5()).h5_url.as_str().ends_with("&package=1405458241")),
        "query_order" => {
            let order = told(case, &QueryOrder::by_order_no(order_no())).transaction;
            assert_eq!(order.sub_merchant.as_ref().map(|sub| &*sub.merchant_id), sub_merchant);
            if case.name().ends_with("unpaid") {
                assert_eq!((order.trade_state, order.total), (TradeState::NotPay, None));
            } else {
                assert_eq!(order.trade_state, TradeState::Success);
                assert_eq!(order.total, Some(Fen::new(100)));
                assert_eq!(order.transaction_id.unwrap().as_str(), TRANSACTION);
            }
        }
        "pay_by_code" => {
            let ChargedCode::Order(order) = told(case, &charge()) else {
                panic!("{case}")
            };
            assert_eq!(order.trade_state, TradeState::Success);
            assert_eq!(order.sub_merchant.map(|sub| sub.merchant_id).as_deref(), sub_merchant);
        }
        "reverse_order" => assert_eq!(told(case, &ReverseOrder::new(order_no())).order_no, order_no()),
        "refund" => {
            let record = told(case, &refund());
            assert_eq!(
                (record.standing(), record.amount.refund),
                (Standing::Accepted, Fen::new(60))
            );
            assert_eq!(record.amount.from.len(), 1);
        }
        "query_refund" => {
            let record = told(case, &QueryRefund::new(refund_no()));
            assert_eq!(record.status, RefundStatus::Success);
            assert!(record.success_time.is_some());
            assert_eq!(record.promotions[0].goods[0].refund_quantity, Some(1));
        }
        "apply_abnormal_refund" => {
            let record = told(case, &abnormal());
            assert_eq!(record.refund_id.as_str(), REFUND_ID);
            assert_eq!(record.channel, Some(RefundChannel::OtherBankCard));
        }
        "request_trade_bill" => {
            let bill = told(case, &trade_bill(form)).unwrap();
            assert_eq!(bill.sha1, "79bb0f45fc4c42234a918000b2668d689e2bde04");
        }
        "request_fund_flow_bill" => assert!(told(case, &fund_flow()).is_some()),
        "place_combined_jsapi_order" => {
            let placed = told(case, &combined_jsapi(form));
            assert!(placed.prepay_id.as_str().starts_with("wx2014"));
        }
        "place_combined_app_order" => {
            let placed = told(case, &PlaceCombinedAppOrder::new(combined(form)));
            assert!(placed.prepay_id.as_str().starts_with("wx2014"));
        }
        "place_combined_native_order" => {
            let placed = told(case, &PlaceCombinedNativeOrder::new(combined(form)));
            assert_eq!(placed.code_url.as_str(), "weixin://wxpay/bizpayurl?pr=p4lpSuKzz");
        }
        "place_combined_h5_order" => {
            let placed = told(case, &combined_h5(form));
            assert!(placed.h5_url.as_str().ends_with("&package=1405458241"));
        }
        "query_combined_order" => {
            let queried = told(case, &QueryCombinedOrder::new(whole()));
            assert_eq!(queried.standing(), Standing::Succeeded);
            assert_eq!(queried.transaction.sub_orders.len(), 2);
        }
        "close_combined_order" => {
            told(case, &CloseCombinedOrder::from(&combined(form)));
        }
        "upload_image" => assert!(
            told(case, &UploadImage::new(file("a.png")))
                .media_id
                .starts_with("H1ih")
        ),
        "upload_video" => assert!(
            told(case, &UploadVideo::new(file("a.mp4")))
                .media_id
                .starts_with("H1ih")
        ),
        "upload_complaint_image" => {
            let uploaded = told(case, &UploadComplaintImage::new(file("a.png")));
            assert!(uploaded.media_id.starts_with("H1ih"));
        }
        "upload_marketing_image" => {
            let uploaded = told(case, &UploadMarketingImage::new(file("a.png")));
            assert_eq!(uploaded.media_url, "https://qpic.cn/xxx");
        }
        other => panic!("no operation for {other}"),
    }
}

#[test]
fn reads_what_the_tables_of_the_sheet_promise() {
    for case in calls("message_verify") {
        reads(&case);
    }
}

/// Cases of other files that are about one call: what the vendors print, and what needs more than a line.
const ELSEWHERE: [(&str, &str, &str); 9] = [
    ("download_bill", "request", "derived-billdownload"),
    ("download_bill", "reply", "bill_file"),
    ("download_certificates", "reply", "certificates"),
    ("close_order", "reply", "derived-verify-204"),
    ("download_encrypted_bill", "request", "derived-billdownload"),
    ("download_encrypted_bill", "reply", "encrypted_bill"),
    ("request_sub_merchant_fund_flow_bill", "reply", "encrypted_bill"),
    ("request_ecommerce_fund_flow_bill", "reply", "encrypted_bill"),
    ("upload_marketing_image", "request", "sign-upload-meta-only"),
];

/// Which calls have a case of their own, and which do not: those are held by the tests of their own file.
#[test]
fn says_which_calls_have_cases() {
    let mut have: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (kind, side) in [("request_sign", "request"), ("message_verify", "reply")] {
        for case in calls(kind) {
            have.entry(case.text("operation")).or_default().insert(side);
        }
    }
    for (operation, side, named) in ELSEWHERE {
        let there = VECTORS
            .iter()
            .any(|case| case.name().starts_with(named) || case.kind() == named);
        assert!(there, "{named}");
        have.entry(operation).or_default().insert(side);
    }
    let missing: Vec<_> = routes()
        .iter()
        .map(|info| info.route.operation)
        .filter(|operation| have.get(operation).is_none_or(|sides| sides.len() < 2))
        .collect();
    assert_eq!(missing, [""; 0]);
}
