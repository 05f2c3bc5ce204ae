//! Instances together: what the others on the same store change is told here, to whoever is looking.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::store::{Following, Heard, Hearing};

/// How long a page is shown again at most, however little is heard: a change whose commit took very long is never told.
const DOUBT_EVERY: Duration = Duration::from_secs(10);

/// Tells what is heard of other instances, until `stopped` says so.
pub async fn run(app: Arc<App>, mut following: Box<dyn Following>, mut stopped: watch::Receiver<bool>) {
    let mut doubts = tokio::time::interval(DOUBT_EVERY);
    loop {
        let mut next = following.next();
        // What it is in the middle of is not to be broken off by a tick.
        let heard = loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                _ = doubts.tick() => app.live.doubt(),
                heard = &mut next => break heard,
            }
        };
        drop(next);
        match heard {
            Heard::Changes(changes) => {
                app.telemetry.changes_heard(changes.len());
                for change in &changes {
                    app.live.tell(change);
                }
            }
            Heard::By(hearing) => by(&app, &hearing),
            Heard::Lost => {
                tracing::warn!("other instances were not heard for too long: every open page looks anew");
                app.live.lose();
            }
        }
    }
}

fn by(app: &App, hearing: &Hearing) {
    app.live.hears(!matches!(hearing, Hearing::CutOff { .. }));
    let by = match hearing {
        Hearing::Notices => "notices",
        Hearing::TheClock => "the_clock",
        Hearing::CutOff { why } => {
            tracing::warn!(error = why, "other_instances_not_heard");
            return app.telemetry.hearing(None);
        }
    };
    tracing::info!(by, "other_instances_heard");
    app.telemetry.hearing(Some(by));
}
