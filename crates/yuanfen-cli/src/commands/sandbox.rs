//! `yuanfen sandbox`: the far side by itself, until it is interrupted.

mod banner;
mod credentials;
mod folder;
mod keys;

use std::process::ExitCode;

use yuanfen_sandbox::{Sandbox, SandboxBuilder, Scenario};

use self::banner::Banner;
use self::folder::Folder;
use super::Outcome;
use crate::args::SandboxArguments;
use crate::{input, print};

pub(crate) fn run(arguments: &SandboxArguments) -> Outcome {
    if arguments.scenario.as_deref() == Some("list") {
        list_scenarios();
        return Ok(ExitCode::SUCCESS);
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(arguments))
}

async fn serve(arguments: &SandboxArguments) -> Outcome {
    let folder = arguments.dir.as_deref().map(Folder::open).transpose()?;
    let (keys, origin) = keys::choose(arguments.seed, folder.as_ref())?;
    let token = arguments.admin_token_file.as_deref().map(input::read_key).transpose()?;
    let scenario = arguments.scenario.as_deref().map(scenario).transpose()?;
    let mut builder = listening(arguments).keys(keys);
    if let Some(token) = &token {
        builder = builder.admin_token(token.clone());
    }
    if let Some(scenario) = &scenario {
        builder = builder.scenario(scenario.clone());
    }
    if let Some(seed) = arguments.seed {
        builder = builder.seed(seed);
    }
    for path in &arguments.notify_ca {
        builder = builder.notice_root(input::read_text("the authority", path)?);
    }
    // Before anything is told to anybody: whoever reads the banner may send the signal.
    let interrupted = interruption()?;
    let sandbox = builder.start().await?;
    let credentials = match &folder {
        Some(folder) => Some(credentials::write(&sandbox, token.as_ref(), folder)?),
        None => None,
    };
    let banner = Banner {
        sandbox: &sandbox,
        credentials: credentials.as_deref(),
        keys: origin,
        scenario: scenario.as_ref(),
        has_token: token.is_some(),
    };
    if arguments.json {
        print::json(&banner.json())?;
    } else {
        banner.print();
    }
    interrupted.await;
    drop(sandbox);
    Ok(ExitCode::SUCCESS)
}

/// Where and under which names.
fn listening(arguments: &SandboxArguments) -> SandboxBuilder {
    let mut builder = Sandbox::builder()
        .listen(arguments.listen)
        .tls_listen(arguments.tls_listen)
        .connect_proxy_listen(arguments.proxy_listen)
        .admin_listen(arguments.admin_listen)
        .private_http_notices(arguments.notify_plain_http);
    for name in &arguments.admin_name {
        builder = builder.admin_name(name);
    }
    for name in &arguments.tls_name {
        builder = builder.server_name(name);
    }
    for (platform, host) in &arguments.platform_host {
        builder = builder.platform_host(*platform, host);
    }
    builder
}

/// One that ships by its name; anything else is a file.
fn scenario(name: &str) -> Result<Scenario, Box<dyn std::error::Error>> {
    if Scenario::names().any(|shipped| shipped == name) {
        return Ok(Scenario::named(name)?);
    }
    // A name that was mistyped deserves the list of names rather than "no such file".
    if !name.contains(['.', '/', '\\']) {
        Scenario::named(name)?;
    }
    let text = input::read_text("the scenario", name.as_ref())?;
    Ok(Scenario::from_json(text)?)
}

fn list_scenarios() {
    let rows: Vec<Vec<String>> = Scenario::all()
        .map(|scenario| vec![scenario.name, scenario.title.en, scenario.title.zh])
        .collect();
    print::table(&["scenario", "what happens", "情形"], &rows);
}

/// Ready once the program is asked to end: by Ctrl-C, or by the signal that service managers and containers send.
#[cfg(unix)]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready once the program is asked to end.
#[cfg(not(unix))]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
