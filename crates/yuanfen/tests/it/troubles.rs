//! Every call of WeChat Pay over real sockets, under each trouble that a wire can have: what may have happened is said
//! rightly, and what to do follows from it.

mod v2;
mod v3;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use yuanfen::core::{
    Advice, Effect, Error, ErrorKind, Fate, Operation, ProtocolErrorKind, Provider, ReplyTrust, RouteInfo,
    SignatureError, UnixTime,
};
use yuanfen::transport::{Client, ClientIdentity, HyperTransport};
use yuanfen_sandbox::{Clock, FaultKind, FaultRule, Platform, Sandbox};

use crate::shop::{START, Shop};

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens.
    Refused,
    /// The platform acts, and the connection ends before a byte of the answer.
    CutAfterSending,
    /// The platform acts, and the answer comes when nobody waits any more.
    Late,
    /// The platform acts, and a gateway answers in its place.
    BadGateway,
    /// The platform acts, and the signature of its answer does not hold.
    BadSignature,
}

impl Trouble {
    pub const ALL: [Self; 5] = [
        Self::Refused,
        Self::CutAfterSending,
        Self::Late,
        Self::BadGateway,
        Self::BadSignature,
    ];

    const fn fault(self) -> Option<FaultKind> {
        match self {
            Self::Refused => None,
            Self::CutAfterSending => Some(FaultKind::LoseReply),
            Self::Late => Some(FaultKind::DelayMs(60_000)),
            Self::BadGateway => Some(FaultKind::Status(502)),
            Self::BadSignature => Some(FaultKind::CorruptSignature),
        }
    }
}

/// One kind of account with its platform: what the matrix needs to know of it.
pub trait Side {
    type Account: Provider;
    const PLATFORM: Platform;

    /// The accounts of that shop that make this call: a merchant's own, and a service provider's for a sub-merchant.
    fn accounts(shop: &Shop, operation: &str) -> Vec<Self::Account>;
}

/// How long a call waits for its answer where that answer is to be late.
const IMPATIENT: Duration = Duration::from_millis(400);
/// How long it waits otherwise.
const PATIENT: Duration = Duration::from_secs(20);

/// With a client certificate for the calls that need one: the sandbox's plain port cannot ask for it, the client does.
fn wire(patience: Duration) -> HyperTransport {
    let made = rcgen::generate_simple_self_signed(["merchant".to_owned()]).unwrap();
    let identity = ClientIdentity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
    HyperTransport::builder()
        .identity(identity)
        .total_timeout(patience)
        .first_byte_timeout(patience)
        .stall_timeout(patience)
        .build()
        .unwrap()
}

/// Waits until the port is given up.
async fn closed(address: SocketAddr) {
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// Makes a call from each account under each trouble in turn, each in a world of its own, after `prepare` made that
/// world ready for it.
pub async fn befall<S, O, F>(far_name: &str, prepare: F)
where
    S: Side,
    O: Operation<Provider = S::Account>,
    F: AsyncFn(&Shop, &Client<S::Account>) -> O,
{
    let (sandbox, shop) = world().await;
    let count = S::accounts(&shop, O::ROUTE.operation).len();
    assert!(count > 0, "{far_name}");
    drop(sandbox);
    for (index, trouble) in (0..count).flat_map(|index| Trouble::ALL.map(|trouble| (index, trouble))) {
        let (sandbox, shop) = world().await;
        let account = Arc::new(S::accounts(&shop, O::ROUTE.operation).swap_remove(index));
        let client = |patience| Client::new(Arc::clone(&account), wire(patience)).with_ambient(shop.time());
        let operation = prepare(&shop, &client(PATIENT)).await;
        let before = shop.calls(S::PLATFORM, far_name);
        match trouble.fault() {
            None => {
                let address = sandbox.address();
                drop(sandbox);
                closed(address).await;
            }
            Some(kind) => shop.fault(FaultRule::new(kind).on(S::PLATFORM).during(far_name).first(1)),
        }
        let patience = if trouble == Trouble::Late { IMPATIENT } else { PATIENT };
        let outcome = client(patience).call(&operation).await;
        let reached = shop.calls(S::PLATFORM, far_name) - before;
        assert_eq!(
            reached,
            usize::from(trouble != Trouble::Refused),
            "{far_name} {trouble:?}"
        );
        judge::<O>(far_name, trouble, outcome.err());
    }
}

async fn world() -> (Sandbox, Shop) {
    let sandbox = Sandbox::builder()
        .clock(Clock::starting_at(UnixTime::from_seconds(START)))
        .seed(7)
        .start()
        .await
        .unwrap();
    let shop = Shop {
        far_side: sandbox.far_side().clone(),
    };
    (sandbox, shop)
}

fn judge<O: Operation>(name: &str, trouble: Trouble, error: Option<Error>) {
    let info = RouteInfo::of::<O>();
    if trouble == Trouble::BadSignature && info.reply != ReplyTrust::Signed {
        // Nothing signs it, so nothing can be wrong with a signature. What proves a file is its digest, where it has one.
        if let Some(error) = error {
            let digest = matches!(error.kind(), ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Digest);
            assert!(digest && error.fate() == Fate::Unknown, "{name}: {error:?}");
        }
        return;
    }
    let error = error.unwrap_or_else(|| panic!("{name} {trouble:?}: an answer"));
    let fate = if trouble == Trouble::Refused {
        Fate::NotSent
    } else {
        Fate::Unknown
    };
    assert_eq!(error.fate(), fate, "{name} {trouble:?}: {error:?}");
    let advice = match (fate, info.route.effect) {
        (Fate::Unknown, Effect::QueryFirst) => Advice::QueryFirst,
        _ => Advice::Repeat,
    };
    assert_eq!(error.advice(), advice, "{name} {trouble:?}: {error:?}");
    let told = match error.kind() {
        ErrorKind::Transport(_) => matches!(trouble, Trouble::Refused | Trouble::CutAfterSending | Trouble::Late),
        ErrorKind::Protocol(_) => trouble == Trouble::BadGateway,
        ErrorKind::Signature(error) => {
            trouble == Trouble::BadSignature
                && matches!(error, SignatureError::Mismatch | SignatureError::Malformed { .. })
        }
        _ => false,
    };
    assert!(told, "{name} {trouble:?}: {error:?}");
}

/// The operations that a table of troubles has, against those that there are.
pub fn assert_complete(routes: &[RouteInfo], befallen: &[&str]) {
    let there: BTreeSet<&str> = routes.iter().map(|info| info.route.operation).collect();
    let tried: BTreeSet<&str> = befallen.iter().copied().collect();
    let missing: Vec<_> = there.difference(&tried).collect();
    assert!(missing.is_empty(), "no trouble ever befell {missing:?}");
    assert_eq!(tried.difference(&there).count(), 0, "{tried:?}");
}

/// One test for each operation, and one that all operations have theirs.
macro_rules! troubles {
    ($side:ty, $routes:expr; $($operation:ident, $far_name:literal, $prepare:expr;)+) => {
        $(
            #[tokio::test]
            async fn $operation() {
                $crate::troubles::befall::<$side, _, _>($far_name, $prepare).await;
            }
        )+

        #[test]
        fn every_operation_has_been_in_trouble() {
            $crate::troubles::assert_complete(&$routes, &[$(stringify!($operation)),+]);
        }
    };
}
use troubles;
