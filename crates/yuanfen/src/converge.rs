//! Joins the inbox to the routes: how each of them is asked about an order whose notice does not come, and how it hands out
//! the key of a notice that nobody knows yet.
//!
//! ```
//! use yuanfen::converge;
//! use yuanfen::inbox::{Inbox, SqliteStore};
//! use yuanfen::transport::Client;
//! use yuanfen::wechat_v3::Account;
//!
//! async fn run(inbox: Inbox<SqliteStore>, client: Client<Account>, shutdown: impl Future<Output = ()> + Send) {
//!     inbox.convergence([converge::wechat_v3(&client)]).run(shutdown).await;
//! }
//! ```
//!
//! | Route | Queried | Closed when it expires | Schedule |
//! | --- | --- | --- | --- |
//! | wechat-v2, wechat-v3 | orders and refunds | yes | [`Schedule::WECHAT`](yuanfen_inbox::Schedule::WECHAT) |
//! | starpos | orders and refunds | there is no such call | [`Schedule::UNPUBLISHED`](yuanfen_inbox::Schedule::UNPUBLISHED) |
//! | fshows | orders and refunds | its call is not in this version | the same |
//! | mpgateway | orders; it has no refunds | with [`mpgateway_cancel`] | [`Schedule::MPGATEWAY`](yuanfen_inbox::Schedule::MPGATEWAY) |
//!
//! Where nothing closes an order that expires unpaid, no platform says its end: it is queried from its expiry on as from its
//! beginning, and then lapses ([`PendingState::Lapsed`](yuanfen_inbox::PendingState::Lapsed)). What the shop holds for it the
//! shop releases by itself, and a payer who was later than that still pays. The notice or call-back of so late a payment is
//! taken all the same: one that settles is handed to the handler, and one that is a hint opens the order again and has it
//! queried. An order that the platform does not know is over some minutes after its expiry on every route that says so
//! ([`NEVER_PLACED`](yuanfen_inbox::NEVER_PLACED)).
//!
//! Give the platform the same expiry as the inbox where an order has a field for it (`time_expire` of wechat-v2's
//! `PlaceOrder`, `expires_at` of wechat-v3's `OrderTerms` and `CombinedTerms`): then nobody can be that late.

#[cfg(feature = "fshows")]
mod fshows;
#[cfg(feature = "mpgateway")]
mod mpgateway;
#[cfg(feature = "starpos")]
mod starpos;
#[cfg(feature = "wechat-v2")]
mod wechat_v2;
#[cfg(feature = "wechat-v3")]
mod wechat_v3;

use std::future::Future;
use std::pin::Pin;

use yuanfen_core::Provider;
use yuanfen_transport::{Client, Transport};

#[cfg(feature = "fshows")]
pub use fshows::fshows;
#[cfg(feature = "mpgateway")]
pub use mpgateway::{mpgateway, mpgateway_cancel};
#[cfg(feature = "starpos")]
pub use starpos::starpos;
#[cfg(feature = "wechat-v2")]
pub use wechat_v2::wechat_v2;
#[cfg(feature = "wechat-v3")]
pub use wechat_v3::wechat_v3;

/// Whether a key was fetched, when it is known.
pub type KeyFetched = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Fetches the platform's keys for a notice that is signed with one that nobody knows, on the night when it changes. It is for
/// [`Receiver::with_key_fetch`](yuanfen_inbox::Receiver::with_key_fetch):
/// `inbox.receiver(account).with_key_fetch(converge::key_fetch(&client))`, with a client of the same account. Only wechat-v3
/// has such keys.
pub fn key_fetch<P, T>(client: &Client<P, T>) -> impl Fn(String) -> KeyFetched + Send + Sync + 'static + use<P, T>
where
    P: Provider + Send + Sync + 'static,
    T: Transport + Clone + Send + Sync + 'static,
{
    let client = client.clone();
    move |serial| {
        let client = client.clone();
        Box::pin(async move { client.fetch_key(&serial).await })
    }
}
