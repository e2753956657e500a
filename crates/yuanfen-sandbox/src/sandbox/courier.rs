//! Delivers notices as they fall due, so many at once and no more.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::far_side::DueNotice;
use crate::wires::Courier;
use crate::{FarSide, FaultKind};

/// Most notices that are on their way at once. The others wait for their turn.
const MOST_ON_THE_WAY: usize = 64;

/// Never ends. It goes on as long as there is a place: would it step back after each notice, every call that waits would
/// be answered first, and a busy sandbox would tell of one payment while it takes sixty.
pub(super) async fn run(far_side: FarSide, carrier: Courier) {
    let places = Arc::new(Semaphore::new(MOST_ON_THE_WAY));
    let mut errands = JoinSet::new();
    loop {
        while errands.try_join_next().is_some() {}
        // A place first, since a notice is signed for the moment at which it leaves.
        let place = take_place(&places).await;
        match far_side.due_notice() {
            Some(notice) => {
                errands.spawn(deliver(
                    far_side.clone(),
                    carrier.clone(),
                    notice,
                    Arc::clone(&places),
                    place,
                ));
            }
            None => {
                drop(place);
                far_side.something_due().await;
            }
        }
    }
}

/// `None` only where the places were closed, which nobody does.
async fn take_place(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(places).acquire_owned().await.ok()
}

async fn deliver(
    far_side: FarSide,
    carrier: Courier,
    mut notice: DueNotice,
    places: Arc<Semaphore>,
    mut place: Option<OwnedSemaphorePermit>,
) {
    if !notice.delay.is_zero() {
        // What is held back by plan holds nobody else back.
        drop(place);
        tokio::time::sleep(notice.delay).await;
        place = take_place(&places).await;
    }
    let request = std::mem::take(&mut notice.request);
    let answer = if notice.faults.contains(&FaultKind::LoseNotice) {
        Err("lost by plan".to_owned())
    } else {
        carrier.carry(request).await
    };
    drop(place);
    far_side.answered(notice, answer.as_ref().map_err(String::as_str));
}
