//! The sandbox under load: so many shops at once, each order placed, paid and told of, and nothing lost.

mod clients;
mod process;
mod sandbox;
mod shop;
mod tally;

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use yuanfen::core::{BaseUrl, Sign as _, Verify as _};
use yuanfen::sign::{ApiV3Key, RsaSigningKey, RsaVerifyingKey};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v3::{Account, SigningIdentity};
use yuanfen_sandbox::WechatV3Credentials;

use crate::{Error, machine};

pub(crate) use sandbox::{Arguments as ServeArguments, serve};

use clients::Clients;
pub(crate) use process::Usage;
use sandbox::Served;
use shop::Shop;
use tally::Tally;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many orders are placed, paid and told of
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    orders: u32,
    /// How many shops call at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    clients: u16,
}

/// How long nothing may arrive before what is missing counts as lost. The second attempt of a notice is after 15 seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Orders after which the sandbox's logs are full, so that from there on memory grows with the orders alone.
const LOGS_FULL: u32 = 8192;

/// Runs the load and prints what it took; whether nothing was lost.
///
/// # Errors
/// When the sandbox does not start, a call fails, or this is no Linux, which is asked for memory and time.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(load(arguments.orders, usize::from(arguments.clients)))
}

/// What the sandbox and this process had used at a moment.
struct Moment {
    at: Instant,
    done: u32,
    sandbox: Usage,
    ours: Usage,
}

impl Moment {
    fn now(served: &Served, done: u32) -> Result<Self, Error> {
        Ok(Self {
            at: Instant::now(),
            done,
            sandbox: Usage::of(served.id())?,
            ours: Usage::of(std::process::id())?,
        })
    }
}

async fn load(orders: u32, clients: usize) -> Result<bool, Error> {
    let (served, given) = Served::start()?;
    let account = Arc::new(account(&given)?);
    let (signature, verification) = rsa(&given)?;
    let tally = Arc::new(Tally::new(orders));
    let shop = Shop::open(Arc::clone(&account), Arc::clone(&tally)).await?;
    let clients = Clients::new(clients, account, given.openid, &served, shop.url(), Arc::clone(&tally))?;
    println!(
        "{orders} orders from {} clients; sandbox {} in a process of its own",
        clients.count(),
        served.base_url()
    );

    let start = Moment::now(&served, 0)?;
    let run = tokio::spawn(clients.run());
    let mut full = None;
    let mut told = (0, Instant::now());
    while told.0 < orders {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = tally.told();
        if now != told.0 {
            told = (now, Instant::now());
        } else if run.is_finished() && told.1.elapsed() > PATIENCE {
            break;
        }
        if full.is_none() && now >= LOGS_FULL.max(orders / 10) {
            full = Some(Moment::now(&served, now)?);
        }
        let elapsed = start.at.elapsed();
        if elapsed.as_secs().is_multiple_of(5) || now == orders {
            println!(
                "{:>4} s  {:>8} placed  {:>8} paid  {now:>8} told  {:>6} orders/s  sandbox {:>6} KiB",
                elapsed.as_secs(),
                tally.placed(),
                tally.paid(),
                rate(now, elapsed),
                Usage::of(served.id())?.resident / 1024,
            );
        }
    }
    let clients = run.await?.map_err(|trouble| -> Error { trouble })?;
    let end = Moment::now(&served, tally.told())?;
    let problems = clients.check(&tally).await?;

    print_costs(&tally, &start, full.as_ref(), &end, signature, verification);
    for problem in &problems {
        println!("LOST: {problem}");
    }
    if problems.is_empty() {
        println!("nothing lost: every order is paid, every notice came once, was genuine and was acknowledged");
    }
    println!("\ncargo xtask load: {}", machine::describe());
    Ok(problems.is_empty())
}

fn account(given: &WechatV3Credentials) -> Result<Account, Error> {
    let key = RsaSigningKey::parse(given.merchant_private_key_pem.expose())?;
    let identity = SigningIdentity::new(&given.merchant_id, &given.merchant_serial, Arc::new(key))?;
    let account = Account::direct(identity, &given.app_id, ApiV3Key::new(given.apiv3_key.expose())?)?;
    Ok(account
        .with_public_key(&given.platform_public_key_id, &given.platform_public_key_pem)?
        .with_base(BaseUrl::parse(&given.base_url)?))
}

/// What one signature and one verification take on this machine: the shortest of many, which nobody else disturbed.
fn rsa(given: &WechatV3Credentials) -> Result<(Duration, Duration), Error> {
    const TIMES: usize = 300;

    let key = RsaSigningKey::parse(given.merchant_private_key_pem.expose())?;
    let public = RsaVerifyingKey::parse(&given.merchant_certificate_pem)?;
    let text = [b'x'; 400];
    let (mut signing, mut verifying) = (Duration::MAX, Duration::MAX);
    for _ in 0..TIMES {
        let begin = Instant::now();
        let signature = key.sign(&text, &OsAmbient)?;
        signing = signing.min(begin.elapsed());
        let begin = Instant::now();
        public.verify(&text, &signature)?;
        verifying = verifying.min(begin.elapsed());
    }
    Ok((signing, verifying))
}

fn print_costs(
    tally: &Tally,
    start: &Moment,
    full: Option<&Moment>,
    end: &Moment,
    signature: Duration,
    verification: Duration,
) {
    let wall = end.at.duration_since(start.at);
    let orders = end.done.max(1);
    println!(
        "\n{orders} orders in {}: {} orders/s",
        seconds(wall),
        rate(orders, wall)
    );
    for (name, latencies) in tally.latencies() {
        println!("{name:<28} p50 {:>9}   p99 {:>9}", latencies.at(50), latencies.at(99));
    }
    let of = |what: &dyn Fn(&Moment) -> Duration| what(end).saturating_sub(what(start));
    let sandbox = of(&|moment| moment.sandbox.processor);
    let ours = of(&|moment| moment.ours.processor);
    println!(
        "processor: sandbox {}, clients and shop {}",
        seconds(sandbox),
        seconds(ours)
    );
    // Placing is verified and answered signed, and so is the notice.
    let rsa = signature * 2 + verification;
    println!(
        "an order costs the sandbox {} of processor, which is {} × its two signatures and one verification ({} when \
         nothing disturbs them)",
        micros(sandbox / orders),
        hundredths(sandbox.as_nanos() / u128::from(orders), rsa.as_nanos()),
        micros(rsa),
    );
    println!(
        "memory of the sandbox: {} KiB before, {} KiB after, {} bytes for each order with its part of the logs",
        start.sandbox.resident / 1024,
        end.sandbox.resident / 1024,
        end.sandbox.resident.saturating_sub(start.sandbox.resident) / u64::from(orders),
    );
    if let Some(full) = full.filter(|full| full.done < end.done) {
        println!(
            "once its logs are full ({} orders): {} bytes for each further order",
            full.done,
            end.sandbox.resident.saturating_sub(full.sandbox.resident) / u64::from(end.done - full.done),
        );
    }
}

fn rate(orders: u32, time: Duration) -> u128 {
    u128::from(orders) * 1000 / time.as_millis().max(1)
}

fn seconds(time: Duration) -> String {
    format!("{}.{:01} s", time.as_secs(), time.subsec_millis() / 100)
}

fn micros(time: Duration) -> String {
    format!("{} µs", time.as_micros())
}

/// Rounded up to two places.
fn hundredths(ours: u128, raw: u128) -> String {
    let hundredths = (ours * 100).div_ceil(raw.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
