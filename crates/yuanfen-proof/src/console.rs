//! The sandbox's console in a real browser: an order appears, the phone pays it, a fault is set and cleared, in both
//! languages, on a narrow screen, by keyboard alone. Pictures are kept to be looked at.

mod axe;
mod browser;
mod cases;
mod driver;
mod looks;
mod shop;
mod trouble;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use yuanfen_sandbox::Sandbox;

use self::browser::Browser;
use self::shop::Shop;
use crate::Error;

/// Longest that one case may take: a page that hangs must not hang CI.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the console is driven.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only cases whose name holds this
    filter: Option<String>,
    /// Where pictures are kept
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/console"))]
    folder: PathBuf,
}

/// What a case has at hand. Each begins on a sandbox of its own, in the same browser.
struct Stage<'a> {
    sandbox: Sandbox,
    shop: Shop,
    browser: &'a Browser,
    folder: &'a Path,
}

impl Stage<'_> {
    /// Opens a view, such as `/orders`, in a page that knows nothing of the one before.
    async fn open(&self, view: &str) -> Result<(), Error> {
        self.browser
            .open(&format!("{}/#{view}", self.sandbox.admin_url()))
            .await
    }

    async fn picture(&self, name: &str) -> Result<(), Error> {
        let path = self.folder.join(format!("{name}.png"));
        Ok(std::fs::write(path, self.browser.picture().await?)?)
    }
}

/// How a case ended.
enum End {
    Passed,
    Failed(Error),
    /// It could not run, for this reason.
    Ignored(String),
}

/// # Errors
/// When there is no browser, or it does not start.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Error> {
    std::fs::create_dir_all(&arguments.folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(drive(arguments))
}

async fn drive(arguments: &Arguments) -> Result<bool, Error> {
    let start = Instant::now();
    let folder = arguments.folder.canonicalize()?;
    let browser = Browser::start().await?;
    let [mut passed, mut failed, mut ignored] = [0_u32; 3];
    println!("running the console in {}", browser.name());
    for case in cases::all() {
        if arguments
            .filter
            .as_ref()
            .is_some_and(|filter| !case.name.contains(filter.as_str()))
        {
            continue;
        }
        match play(&case, &browser, &folder).await {
            End::Passed => {
                passed += 1;
                println!("test console::{} ... ok", case.name);
            }
            End::Ignored(reason) => {
                ignored += 1;
                println!("test console::{} ... ignored, {reason}", case.name);
            }
            End::Failed(error) => {
                failed += 1;
                println!("test console::{} ... FAILED\n  {error}", case.name);
            }
        }
    }
    browser.close().await?;
    println!("the pictures are in {}", folder.display());
    // In the words of the test harness, so that `cargo xtask ci` counts it like every other.
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out; finished \
         in {}.{:02}s",
        if failed == 0 { "ok" } else { "FAILED" },
        start.elapsed().as_secs(),
        start.elapsed().subsec_millis() / 10,
    );
    Ok(failed == 0 && passed > 0)
}

async fn play(case: &cases::Case, browser: &Browser, folder: &Path) -> End {
    let played = async {
        let sandbox = Sandbox::builder().seed(1).start().await?;
        let shop = Shop::open(&sandbox).await?;
        let stage = Stage {
            sandbox,
            shop,
            browser,
            folder,
        };
        browser.begin().await?;
        (case.play)(&stage).await?;
        browser
            .expect_silence(&stage.sandbox.admin_url(), case.has_failing_calls)
            .await
    };
    match tokio::time::timeout(PATIENCE, played).await {
        Ok(Ok(())) => End::Passed,
        Ok(Err(error)) => match error.downcast::<axe::Missing>() {
            Ok(missing) => End::Ignored(missing.to_string()),
            Err(error) => End::Failed(with_picture(case, browser, folder, error).await),
        },
        Err(_) => {
            let error = format!("it took longer than {} seconds", PATIENCE.as_secs()).into();
            End::Failed(with_picture(case, browser, folder, error).await)
        }
    }
}

/// Keeps what the page looked like when a case failed.
async fn with_picture(case: &cases::Case, browser: &Browser, folder: &Path, error: Error) -> Error {
    let path = folder.join(format!("failed-{}.png", case.name));
    match browser.picture().await.map(|picture| std::fs::write(&path, picture)) {
        Ok(Ok(())) => format!("{error}\n  the page: {}", path.display()).into(),
        _ => error,
    }
}
