//! The far side with a socket and a courier.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use yuanfen_core::Secret;

use crate::admin::Guard;
use crate::far_side::DueNotice;
use crate::keys::{KeyError, KeySet};
use crate::{Clock, ClockError, FarSide, FaultKind, FaultPlan, Scenario, admin, http};

/// A running sandbox. It ends when it is dropped.
///
/// It is a [`FarSide`] that listens on a loopback port and delivers its own notices. Any number of them run side by
/// side; they share nothing.
#[derive(Debug)]
pub struct Sandbox {
    far_side: FarSide,
    address: SocketAddr,
    admin_address: SocketAddr,
    tasks: [AbortHandle; 3],
}

/// How a sandbox is to run.
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    listen: SocketAddr,
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

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// It speaks plain http, which goes to this machine only.
    #[error("the sandbox listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The port cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A key of the set does not load.
    #[error("a key of the set does not load")]
    Key(#[source] KeyError),
    /// Who reaches the admin API moves the payer's hand.
    #[error("the admin API listens beyond loopback, on {0}, only with a token")]
    AdminWithoutToken(SocketAddr),
    /// A token that is easy to guess, or that a header cannot carry.
    #[error("a token of the admin API has at least 16 characters, letters, digits and `-._~`")]
    AdminToken,
    /// Not the name of a host, with or without a port.
    #[error("`{0}` is no host under which the admin API could be reached")]
    AdminName(String),
    /// The scenario's time of day is past the end of the clock.
    #[error("the clock cannot be moved to the scenario's time of day")]
    Clock(#[source] ClockError),
    /// The system has no randomness to offer.
    #[error("no random seed could be had; give one")]
    Seed,
}

impl SandboxError {
    fn listening(address: SocketAddr) -> impl Fn(std::io::Error) -> Self + Copy {
        move |source| Self::Listen { address, source }
    }
}

impl Sandbox {
    /// Starts on a free loopback port, on real time, with a random seed and nothing going wrong.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::builder().start().await
    }

    /// Another way to run.
    #[must_use]
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin API listens.
    #[must_use]
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Where the admin API answers, without a slash at its end: the payer's phone, the logs and the console.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin_address)
    }

    /// The sandbox without its wires; a clone of it outlives the listener.
    #[must_use]
    pub const fn far_side(&self) -> &FarSide {
        &self.far_side
    }

    /// Waits until no notice is due or on its way: each was acknowledged, waits for its next attempt, or was given up.
    pub async fn delivered(&self) {
        self.far_side.idle().await;
    }

    /// Moves the clock on, and delivers on the way what falls due, each attempt at its own moment. Returns when the last
    /// of them came back. Time in between is skipped: weeks take as long as the shop's answers do.
    ///
    /// # Errors
    /// When that is past the year 9999; nothing is delivered then.
    pub async fn advance(&self, by: Duration) -> Result<(), ClockError> {
        self.far_side.advance_delivering(by).await
    }
}

impl Deref for Sandbox {
    type Target = FarSide;

    fn deref(&self) -> &FarSide {
        &self.far_side
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
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
    /// Where to listen; port 0 takes a free one. Loopback only.
    #[must_use]
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
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
    /// When an address cannot be had or is not loopback, but for the admin API's with a token, and when that token or a
    /// name is not of its form.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        if !self.listen.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(self.listen));
        }
        let given = self.seed.or(self.scenario.as_ref().map(|scenario| scenario.seed));
        let seed = match given {
            Some(seed) => seed,
            None => getrandom::u64().map_err(|_| SandboxError::Seed)?,
        };
        let listening = SandboxError::listening(self.listen);
        let listener = TcpListener::bind(self.listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let admin = SandboxError::listening(self.admin_listen);
        let admin_listener = TcpListener::bind(self.admin_listen).await.map_err(admin)?;
        let admin_address = admin_listener.local_addr().map_err(admin)?;
        let guard = Guard::new(admin_address, &self.admin_names, self.admin_token)?;
        let far_side = FarSide::with_speed(
            format!("http://{address}"),
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
        let server = tokio::spawn(http::serve(listener, far_side.clone()));
        let admin = tokio::spawn(admin::serve(admin_listener, far_side.clone(), guard));
        let courier = tokio::spawn(courier(far_side.clone()));
        Ok(Sandbox {
            far_side,
            address,
            admin_address,
            tasks: [server.abort_handle(), admin.abort_handle(), courier.abort_handle()],
        })
    }
}

/// Delivers notices as they fall due.
async fn courier(far_side: FarSide) {
    let mut errands = JoinSet::new();
    loop {
        while errands.try_join_next().is_some() {}
        for notice in far_side.due_notices() {
            errands.spawn(deliver(far_side.clone(), notice));
        }
        far_side.something_due().await;
    }
}

async fn deliver(far_side: FarSide, mut notice: DueNotice) {
    if !notice.delay.is_zero() {
        tokio::time::sleep(notice.delay).await;
    }
    let request = std::mem::take(&mut notice.request);
    let answer = if notice.faults.contains(&FaultKind::LoseNotice) {
        Err("lost by plan".to_owned())
    } else {
        http::carry(request).await
    };
    far_side.answered(notice, answer.as_ref().map_err(String::as_str));
}
