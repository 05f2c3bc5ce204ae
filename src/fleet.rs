//! Instances together: what the others on the same store change is told here, to whoever is looking.

use std::sync::Arc;

use tokio::sync::watch;

use crate::app::App;
use crate::store::{Following, Heard, Hearing};

/// Tells what is heard of other instances, until `stopped` says so.
pub async fn run(app: Arc<App>, mut following: Box<dyn Following>, mut stopped: watch::Receiver<bool>) {
    loop {
        let heard = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            heard = following.next() => heard,
        };
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
