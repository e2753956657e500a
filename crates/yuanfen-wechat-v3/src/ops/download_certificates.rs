//! `GET /v3/certificates`: the platform's certificates, encrypted under the APIv3 key.
//!
//! Read. The first answer proves itself: its signature must hold under the certificate in it that it names, which only a
//! holder of the APIv3 key can have encrypted. Later ones are checked with the keys that are known. Published as "获取平台证书列表";
//! v3 sheet, section 6.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use crate::{Account, DownloadedCertificates, Message};

/// Fetches the platform's certificates. Hand the reply to [`Account::adopt`]. The transport's client does both on its own;
/// without it, call this when [`Account::refresh_due`] says so, or a message names a certificate that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadCertificates {}

impl DownloadCertificates {
    /// All of them.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Operation for DownloadCertificates {
    type Provider = Account;
    type Inbound = Verified<DownloadedCertificates>;
    type Reply = Verified<DownloadedCertificates>;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "download_certificates",
        Method::GET,
        "/v3/certificates",
        Effect::Read,
    );

    fn encode(&self, _: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        Ok(Message::get("/v3/certificates"))
    }

    fn decode(
        &self,
        _: &Account,
        inbound: Verified<DownloadedCertificates>,
    ) -> Result<Verified<DownloadedCertificates>, OpenError> {
        Ok(inbound)
    }
}
