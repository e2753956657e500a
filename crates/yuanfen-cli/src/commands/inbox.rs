//! `yuanfen inbox`: what people look at in an inbox, and decide about it.

mod database;
mod decide;
mod health;
mod list;
mod pending;
mod show;
mod texts;

use yuanfen_inbox::Inbox;
use yuanfen_inbox::store::Store;

use self::database::Database;
use super::Outcome;
use crate::args::{InboxArguments, InboxCommand};

pub(crate) fn run(arguments: &InboxArguments) -> Outcome {
    let database = Database::of(arguments.database.as_ref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match &database {
            Database::Sqlite(file) => on(database::sqlite(file).await?, arguments).await,
            Database::Postgres(options) => on(database::postgres(options).await?, arguments).await,
        }
    })
}

async fn on<S: Store>(store: S, arguments: &InboxArguments) -> Outcome {
    let inbox = Inbox::new(store);
    let json = arguments.json;
    match &arguments.command {
        InboxCommand::List(filter) => list::run(&inbox, filter, json).await,
        InboxCommand::Show(which) => show::run(&inbox, which, json).await,
        InboxCommand::Retry(which) => decide::run(&inbox, decide::Decision::Retry, &which.ids, json).await,
        InboxCommand::Park(which) => decide::run(&inbox, decide::Decision::Park, &which.ids, json).await,
        InboxCommand::Dismiss(which) => decide::run(&inbox, decide::Decision::Dismiss, &which.ids, json).await,
        InboxCommand::Resolve(which) => decide::run(&inbox, decide::Decision::Resolve, &which.ids, json).await,
        InboxCommand::Pending(filter) => pending::run(&inbox, filter, json).await,
        InboxCommand::Requery(which) => decide::run(&inbox, decide::Decision::Requery, &which.ids, json).await,
        InboxCommand::Withdraw(which) => decide::run(&inbox, decide::Decision::Withdraw, &which.ids, json).await,
        InboxCommand::Health(limits) => health::run(&inbox, limits, json).await,
    }
}
