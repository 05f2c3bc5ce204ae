//! Following what other instances change, by a connection beside the pool.
//!
//! Others' changes are read from a while before the last look on, for a transaction may become visible after one that
//! told later; what was read already is known by its number, and is not told twice. A look comes with each notice of
//! another instance, and by the clock in any case. Where the connection is cut off, it is made anew, after a while that
//! grows, and what was told meanwhile is read then: for as long as it is kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::{Client, Statement};

use super::changes::{self, Name, Teller};
use super::connect::{self, Way};
use super::notices::{self, Notices};
use super::statements as sql;
use super::transaction::{Fault, answer, text_of};
use crate::domain::change::Change;
use crate::store::{Following, Heard, Hearing, Result, StoreError};

/// How often it looks without a notice, where there are notices.
const EVERY: Duration = Duration::from_secs(1);

/// The same, where there are none.
const EVERY_WITHOUT_NOTICES: Duration = Duration::from_millis(500);

/// How long after a look the next notice waits, and others wait for one of ours: a busy hour makes no busier reader.
const BREATH: Duration = Duration::from_millis(50);

/// How far back a look by the clock goes behind the last one, in milliseconds: longer than it takes from telling to
/// having committed. What takes longer, like a commit that waits for a standby that is gone, is not told to others.
const OVERLAP: i64 = 10_000;

/// The same for a look by notice.
const SHORT_OVERLAP: i64 = 1_000;

/// How long what was told is kept, in milliseconds. Who is cut off for longer has lost it.
pub(super) const KEPT: i64 = 5 * 60_000;

/// How often what is kept no longer is taken away.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// How long is waited before a connection is made anew, at first and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What the name of its connection ends in, by which it is known who serves the database.
pub(super) const FOLLOWS: &str = "(changes of others)";

pub(super) struct Follower {
    way: Way,
    teller: Arc<Teller>,
    line: Option<Line>,
    /// What is to be said before it looks again.
    pending: Option<Heard>,
    /// Whether it hears, as it was said last.
    said: Option<bool>,
    /// What was heard, and when it was told.
    heard: HashMap<(Name, i64), i64>,
    /// What time it was by the database's clock at the last look.
    pub(super) looked: Option<i64>,
    /// When it looks by the clock, however often it does by notice.
    next_look: Instant,
    next_sweep: Instant,
    /// Whether the last sweep went wrong.
    unswept: bool,
    /// How often in a row it went wrong.
    failures: u32,
}

/// A connection, and what it hears.
struct Line {
    client: Client,
    notices: Notices,
    /// The statement that reads changes.
    changes: Statement,
    /// Whether there are notices here.
    notified: bool,
    /// Until when what was told has been taken away by it, in milliseconds.
    swept: i64,
}

/// Why it looks.
#[derive(Clone, Copy)]
enum Look {
    ByNotice,
    ByTheClock,
}

impl Follower {
    /// Follows from now on. Where the database can't be reached at this moment, it will be.
    pub(super) async fn start(way: Way, teller: Arc<Teller>) -> Self {
        let now = Instant::now();
        let mut follower = Self {
            way,
            teller,
            line: None,
            pending: None,
            said: None,
            heard: HashMap::new(),
            looked: None,
            next_look: now,
            next_sweep: now,
            unswept: false,
            failures: 0,
        };
        if let Ok(line) = Line::open(&follower.way).await {
            // Whatever was committed before is in every page that is made here: it is read, and told to nobody.
            if follower.read(&line, Look::ByTheClock).await.is_ok() {
                follower.pending = Some(Heard::By(line.hearing()));
                (follower.line, follower.said) = (Some(line), Some(true));
            }
        }
        follower
    }

    /// Looks once there is a reason to, by a connection that is made anew where there is none. That it hears is said when
    /// it has read something, and not when it has connected.
    async fn step(&mut self) -> Result<Option<Heard>, StoreError> {
        if let Some(heard) = self.pending.take() {
            return Ok(Some(heard));
        }
        let mut line = if let Some(mut line) = self.line.take() {
            self.sweep(&mut line).await;
            line
        } else {
            sleep(self.patience()).await;
            self.next_look = Instant::now();
            Line::open(&self.way).await?
        };
        let look = self.wait(&mut line).await?;
        let heard = self.read(&line, look).await?;
        if let Look::ByTheClock = look {
            self.next_look = Instant::now() + if line.notified { EVERY } else { EVERY_WITHOUT_NOTICES };
        }
        let hearing = line.hearing();
        (self.line, self.failures) = (Some(line), 0);
        if self.said.replace(true) == Some(true) {
            return Ok(heard);
        }
        self.pending = heard;
        Ok(Some(Heard::By(hearing)))
    }

    /// Waits until it is to look, and meanwhile wakes others where something was committed here.
    async fn wait(&self, line: &mut Line) -> Result<Look, StoreError> {
        loop {
            tokio::select! {
                biased;
                () = sleep_until(self.next_look) => return Ok(Look::ByTheClock),
                notice = line.notices.next() => {
                    notice?;
                    sleep(BREATH).await;
                    return Ok(Look::ByNotice);
                }
                () = self.teller.committed.notified() => {
                    answer(notices::notify(&line.client)).await?;
                    sleep(BREATH).await;
                }
            }
        }
    }

    /// What is new to this instance.
    async fn read(&mut self, line: &Line, look: Look) -> Result<Option<Heard>, Fault> {
        let now = changes::now(&line.client).await?;
        let back = match look {
            Look::ByNotice => SHORT_OVERLAP,
            Look::ByTheClock => OVERLAP,
        };
        // A new primary's clock may be behind.
        let looked = self.looked.map_or(now, |looked| looked.min(now));
        let all = changes::read(&line.client, &line.changes, self.teller.name, looked.saturating_sub(back)).await?;
        // The last that can fail: what it gives is not given again.
        let own = match look {
            Look::ByNotice => Vec::new(),
            Look::ByTheClock => changes::no_longer_in_doubt(&line.client, &self.teller).await?,
        };
        // Who could not look from the start on does not know since when.
        let lost = self.looked.is_none_or(|looked| now.saturating_sub(looked) > KEPT - OVERLAP);
        self.looked = Some(now);
        let others = all.iter().filter(|told| self.heard.insert(told.id, told.at).is_none());
        let new: Vec<Change> = others.chain(&own).map(changes::Told::change).collect();
        self.heard.retain(|_, at| now.saturating_sub(*at) <= 2 * OVERLAP);
        Ok(if lost { Some(Heard::Lost) } else { (!new.is_empty()).then_some(Heard::Changes(new)) })
    }

    /// Takes away what is kept no longer, when it is time. Others are heard where that fails, too, as it does where the
    /// database takes no writes; the log says so once.
    async fn sweep(&mut self, line: &mut Line) {
        let now = Instant::now();
        let Some(looked) = self.looked.filter(|_| self.next_sweep <= now) else { return };
        self.next_sweep = now + SWEEP_EVERY;
        let until = looked.saturating_sub(KEPT);
        let swept = answer(line.client.execute(sql::REMOVE_CHANGES, &[&line.swept, &until])).await;
        let was_unswept = std::mem::replace(&mut self.unswept, swept.is_err());
        match swept {
            Ok(_) => line.swept = until,
            Err(_) if was_unswept => {}
            Err(fault) => {
                let error = StoreError::from(fault);
                tracing::warn!(%error, "what instances have told each other cannot be taken away; it is tried again");
            }
        }
    }

    fn patience(&self) -> Duration {
        let (first, most) = PATIENCE;
        if self.failures == 0 { Duration::ZERO } else { (first * 2_u32.saturating_pow(self.failures - 1)).min(most) }
    }
}

#[async_trait]
impl Following for Follower {
    async fn next(&mut self) -> Heard {
        loop {
            match self.step().await {
                Ok(Some(heard)) => return heard,
                Ok(None) => {}
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    if self.said.replace(false) != Some(false) {
                        return Heard::By(Hearing::CutOff { why: error.to_string() });
                    }
                }
            }
        }
    }
}

impl Line {
    fn hearing(&self) -> Hearing {
        if self.notified { Hearing::Notices } else { Hearing::TheClock }
    }

    async fn open(way: &Way) -> Result<Self> {
        let open = async {
            let (client, connection) = way.connect(FOLLOWS).await?;
            let notices = Notices::of(connection);
            client.batch_execute(connect::BEGIN).await?;
            let notified = notices::listen(&client).await?;
            let changes = client.prepare(sql::CHANGES).await?;
            Ok::<_, tokio_postgres::Error>(Self { client, notices, changes, notified, swept: 0 })
        };
        match timeout(connect::CONNECT, open).await {
            Ok(opened) => opened.map_err(|error| StoreError::Failed(text_of(&error))),
            Err(_) => Err(StoreError::Failed(connect::NO_ANSWER.to_owned())),
        }
    }
}
