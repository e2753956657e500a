#![doc = include_str!("../README.md")]

mod admin;
mod ambient;
mod arrival;
mod bills;
mod book;
mod clock;
mod console;
mod deliver;
mod diagnosis;
mod exchange;
mod far_side;
mod faults;
mod hosts;
mod keys;
mod log;
mod platforms;
mod sandbox;
mod scenario;
mod settings;
mod wires;

pub use bills::BillKind;
pub use book::{
    Account, BookError, Charge, Comment, Coupon, Details, Order, OrderState, Payer, Payment, Reaction, Refund,
    RefundState, Setback,
};
pub use clock::{Clock, ClockError};
pub use deliver::{NoticeAttempt, NoticeOutcome};
pub use diagnosis::{Divergence, Mistake};
pub use exchange::{Exchange, KeptBody, ReplyTrust, SignatureVerdict};
pub use far_side::{Cut, DueNotice, FarSide};
pub use faults::{
    FaultKind, FaultKindError, FaultPlan, FaultPlanError, FaultRule, FaultTally, FaultTextError, RefusalCode,
    RefusalCodeError,
};
pub use hosts::HostNameError;
pub use keys::{
    CertifiedKey, FshowsCredentials, KeySet, KeySetError, MpgatewayCredentials, StarposCredentials,
    WechatV2Credentials, WechatV2ProviderCredentials, WechatV3Credentials, WechatV3ProviderCredentials,
};
pub use platforms::{PageRefused, Platform, StarposPush, UnknownPlatform};
pub use sandbox::{Sandbox, SandboxBuilder, SandboxError};
pub use scenario::{Bilingual, Scenario, ScenarioError};
pub use settings::Settings;
pub use wires::TlsError;
