//! `yuanfen sandbox`: the far side by itself, until it is interrupted.

use std::path::Path;
use std::process::ExitCode;

use yuanfen_sandbox::Sandbox;

use super::Outcome;
use crate::args::SandboxArguments;
use crate::print;

mod credentials;

pub(crate) fn run(arguments: &SandboxArguments) -> Outcome {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(arguments))
}

async fn serve(arguments: &SandboxArguments) -> Outcome {
    let sandbox = Sandbox::builder().listen(arguments.listen).start().await?;
    print::line(format_args!("sandbox at {}", sandbox.base_url()));
    if let Some(folder) = &arguments.dir {
        write(&sandbox, folder)?;
    }
    print::line("WeChat Pay v2 and v3 at the root, the acquirers below it; Ctrl-C ends it");
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

/// The files that a client needs. `credentials.json` comes last, by renaming: whoever waits for it finds it whole, and
/// the listener accepts by then.
fn write(sandbox: &Sandbox, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let written = credentials::write(sandbox, folder)?;
    print::line(format_args!("credentials in {}", written.display()));
    Ok(())
}
