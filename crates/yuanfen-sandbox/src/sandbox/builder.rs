//! How a sandbox is put together.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use yuanfen_core::Secret;

use super::{Sandbox, SandboxError, courier};
use crate::admin::Guard;
use crate::far_side::WaysIn;
use crate::hosts::Hosts;
use crate::keys::{CertifiedKey, KeySet};
use crate::wires::{Courier, Listeners, Plan, reachable};
use crate::{Clock, FarSide, FaultPlan, Platform, Scenario, admin};

/// A free port on loopback.
const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How a sandbox is to run.
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    listen: SocketAddr,
    tls: Option<SocketAddr>,
    connect_proxy: Option<SocketAddr>,
    names: Vec<(String, Option<Platform>)>,
    notice_roots: Vec<String>,
    private_http_notices: bool,
    admin_listen: SocketAddr,
    admin_names: Vec<String>,
    admin_token: Option<Secret<String>>,
    clock: Clock,
    seed: Option<u64>,
    faults: FaultPlan,
    keys: KeySet,
    scenario: Option<Scenario>,
    ladder_speed: u32,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            listen: FREE_PORT,
            tls: None,
            connect_proxy: None,
            names: Vec::new(),
            notice_roots: Vec::new(),
            private_http_notices: false,
            admin_listen: FREE_PORT,
            admin_names: Vec::new(),
            admin_token: None,
            clock: Clock::real(),
            seed: None,
            faults: FaultPlan::none(),
            keys: KeySet::built_in(),
            scenario: None,
            ladder_speed: 1,
        }
    }
}

impl SandboxBuilder {
    /// Where to listen in plain http; port 0 takes a free one. Loopback only.
    #[must_use]
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Whether to listen for TLS too, on a free loopback port. Not at first.
    #[must_use]
    pub const fn tls(mut self, tls: bool) -> Self {
        self.tls = if tls { Some(FREE_PORT) } else { None };
        self
    }

    /// Where to listen for TLS; port 0 takes a free one. Beyond loopback, everybody on that network can call the
    /// sandbox, whose keys protect nothing.
    #[must_use]
    pub const fn tls_listen(mut self, address: SocketAddr) -> Self {
        self.tls = Some(address);
        self
    }

    /// Whether to be a proxy too, on a free loopback port, for clients whose hosts are built in. Not at first.
    #[must_use]
    pub const fn connect_proxy(mut self, proxy: bool) -> Self {
        self.connect_proxy = if proxy { Some(FREE_PORT) } else { None };
        self
    }

    /// Where to listen as a proxy; port 0 takes a free one. Callers from other machines get TLS through it and nothing
    /// else.
    #[must_use]
    pub const fn connect_proxy_listen(mut self, address: SocketAddr) -> Self {
        self.connect_proxy = Some(address);
        self
    }

    /// Another name of the sandbox, such as that of its container: all platforms answer there as they do at
    /// [`base_url`](FarSide::base_url), and the certificate is for it too.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.names.push((name.into(), None));
        self
    }

    /// Another host of a platform, with the paths that it has in life: a deployment of fshows, or an operator of
    /// mpgateway, who publishes none (at first it answers under `mpgateway.test`).
    #[must_use]
    pub fn platform_host(mut self, platform: Platform, name: impl Into<String>) -> Self {
        self.names.push((name.into(), Some(platform)));
        self
    }

    /// Another authority, as PEM, that the shop's `https` addresses may have their certificates of. Mozilla's and the
    /// key set's own are trusted already.
    #[must_use]
    pub fn notice_root(mut self, pem: impl Into<String>) -> Self {
        self.notice_roots.push(pem.into());
        self
    }

    /// Whether notices go in plain http to private addresses too (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16,
    /// link-local, fc00::/7), by number or by a name that leads there: a network of containers. Anybody on it reads
    /// them. At first plain http goes to loopback only.
    #[must_use]
    pub const fn private_http_notices(mut self, allow: bool) -> Self {
        self.private_http_notices = allow;
        self
    }

    /// Where the admin API listens; port 0 takes a free one. Beyond loopback it wants a [token](Self::admin_token).
    #[must_use]
    pub const fn admin_listen(mut self, address: SocketAddr) -> Self {
        self.admin_listen = address;
        self
    }

    /// Another host under which the admin API is reached, such as a container's name; without a port it stands for
    /// every port. Calls for any other host are refused, since a foreign page can make its own name point here.
    #[must_use]
    pub fn admin_name(mut self, host: impl Into<String>) -> Self {
        self.admin_names.push(host.into());
        self
    }

    /// What callers of the admin API must know: at least 16 characters, letters, digits and `-._~`.
    #[must_use]
    pub fn admin_token(mut self, token: Secret<String>) -> Self {
        self.admin_token = Some(token);
        self
    }

    /// Which time to go by.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Where numbers and the odds of faults come from. The same seed, clock and calls give the same answers.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// A bad day: its faults, its agreements with the platforms, its seed unless another one is given, and the time of
    /// day from which it runs. What is given by [`faults`](Self::faults) gives way to it.
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = Some(scenario);
        self
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(mut self, plan: impl Into<FaultPlan>) -> Self {
        self.faults = plan.into();
        self
    }

    /// With which keys; the built-in ones unless told otherwise.
    #[must_use]
    pub fn keys(mut self, keys: KeySet) -> Self {
        self.keys = keys;
        self
    }

    /// How many times faster than in life the ladders of notices go: at 1000, fifteen seconds are fifteen
    /// milliseconds.
    #[must_use]
    pub const fn ladder_speed(mut self, speed: u32) -> Self {
        self.ladder_speed = speed;
        self
    }

    /// Starts.
    ///
    /// # Errors
    /// When an address cannot be had; when it is not loopback, but for TLS, the proxy, and the admin API with a token;
    /// when that token, a name or a root is not of its form; when the certificate for TLS cannot be made.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        let mut hosts = Hosts::default();
        for (name, platform) in &self.names {
            hosts.add(name, *platform).map_err(SandboxError::Name)?;
        }
        let given = self.seed.or(self.scenario.as_ref().map(|scenario| scenario.seed));
        let seed = match given {
            Some(seed) => seed,
            None => getrandom::u64().map_err(|_| SandboxError::Seed)?,
        };
        let listeners = Listeners::open(Plan {
            plain: self.listen,
            tls: self.tls,
            proxy: self.connect_proxy,
        })
        .await?;
        // A certificate names the address that it is shown on.
        for address in listeners.outer_addresses() {
            hosts.add(&address, None).map_err(SandboxError::Name)?;
        }
        let admin = SandboxError::listening(self.admin_listen);
        let admin_listener = TcpListener::bind(self.admin_listen).await.map_err(admin)?;
        let admin_address = admin_listener.local_addr().map_err(admin)?;
        let guard = Guard::new(admin_address, &self.admin_names, self.admin_token)?;
        let certificate = if listeners.want_tls() {
            Some(certificate(&self.keys, hosts.names()).await?)
        } else {
            None
        };
        let authority = self.keys.ca_certificate_pem();
        let carrier =
            Courier::new(authority, &self.notice_roots, self.private_http_notices).map_err(SandboxError::Tls)?;
        if self.private_http_notices {
            tracing::warn!("notices go to private addresses in plain http: anybody on that network reads them");
        }
        let ways_in = WaysIn {
            tls: listeners.tls(),
            server_names: hosts.names(),
            connect_proxy_url: listeners
                .proxy()
                .map(|address| format!("http://{}", reachable(address))),
        };
        let (address, hosts) = (listeners.plain(), Arc::new(hosts));
        let far_side = FarSide::with_hosts(
            format!("http://{address}"),
            Arc::clone(&hosts),
            self.clock,
            seed,
            self.ladder_speed,
            self.keys,
        )
        .map_err(SandboxError::Key)?;
        far_side.set_faults(self.faults);
        if let Some(scenario) = self.scenario {
            far_side.begin(scenario).map_err(SandboxError::Clock)?;
        }
        far_side.reached_by(ways_in.clone());
        let mut tasks = listeners
            .answer(&far_side, &hosts, certificate.as_ref())
            .map_err(SandboxError::Tls)?;
        tasks.push(tokio::spawn(admin::serve(admin_listener, far_side.clone(), guard)).abort_handle());
        tasks.push(tokio::spawn(courier::run(far_side.clone(), carrier)).abort_handle());
        Ok(Sandbox {
            far_side,
            address,
            admin_address,
            ways_in,
            private_http_notices: self.private_http_notices,
            tasks,
        })
    }
}

/// A set that is not built in makes the key now, which would hold up everything else on this thread.
async fn certificate(keys: &KeySet, names: Vec<String>) -> Result<CertifiedKey, SandboxError> {
    let keys = keys.clone();
    let made = tokio::task::spawn_blocking(move || keys.server_certificate(&names)).await;
    made.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        .map_err(SandboxError::Certificate)
}
