#![doc = include_str!("../README.md")]
#![cfg(any(feature = "aws-lc", feature = "pure-rust"))]

mod account;
mod auth_code;
mod bill;
mod certificates;
pub mod codes;
mod combined;
mod finding;
mod handed_out;
mod http_date;
mod ids;
mod incoming;
mod media;
mod message;
pub mod notify;
pub mod ops;
mod order_detail;
mod order_ref;
mod order_terms;
mod pay_params;
mod payer;
mod private;
mod provider;
mod refund_record;
mod scene;
mod sensitive;
pub mod settle;
pub mod sign;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
mod till;
mod transaction;

pub use account::{Account, BACKUP_BASE, DEFAULT_BASE, SetupError, SigningIdentity};
pub use auth_code::AuthCode;
pub use bill::{
    BILL_CEILING, BillCheck, BillMismatch, EncryptedBill, EncryptedBillFile, EncryptedBillPart, RequestedBill,
    bill_ready_at,
};
pub use certificates::{DownloadedCertificates, PlatformCertificate};
pub use codes::Code;
pub use combined::{
    CombinedOrderNo, CombinedScene, CombinedTerms, CombinedTransaction, Participant, SubOrder, SubTransaction,
};
pub use handed_out::{CodeUrl, H5Url};
pub use ids::{DirectIds, MerchantIds, PartnerIds, SubMerchant};
pub use media::{MediaFile, UploadedMedia};
pub use message::{Message, segment};
pub use notify::Event;
pub use order_detail::{OrderDetail, OrderedGoods};
pub use order_ref::OrderRef;
pub use order_terms::{LimitPay, OrderTerms};
pub use pay_params::{
    AppParams, AppParamsDraft, Cashier, CashierApp, JsapiParams, PayParamsDraft, RequestPaymentParams,
};
pub use payer::Payer;
pub use private::{OpenId, PayerText};
pub use provider::{File, Progress, Reply};
pub use refund_record::{
    FundsAccount, PaidFrom, PromotedRefundGoods, RefundAmounts, RefundChannel, RefundRecord, RefundStatus,
    RefundedPromotion,
};
pub use scene::{H5Info, H5Type, Scene, Store};
pub use sensitive::{Ciphertext, EncryptedBody, EncryptedText, MessageCipher, Sensitive};
pub use till::{Till, TillStore};
pub use transaction::{PromotedGoods, Promotion, PromotionScope, PromotionType, TradeState, TradeType, Transaction};
pub use yuanfen_core::{BillError, BillLine, BillText, PrepayId};
