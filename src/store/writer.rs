//! The one thread that writes: group commit.
//!
//! Work is an ordinary function, so a transaction can never be held across an `.await`. Several callers' work shares one
//! commit; each has its own savepoint, so that one's failure undoes nothing of another's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use crate::store::health::Health;
use crate::store::{Error, FILE_NAME, Result, Tx, open_for_writing};

/// How much work may wait; more makes the callers wait.
const QUEUE_MAX: usize = 1024;
/// How much work shares one commit.
const GROUP_MAX: usize = 128;

/// Does its work, and answers what to do once it is known whether the commit held.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(std::result::Result<(), Arc<rusqlite::Error>>) + Send>;

/// The way to the writing thread. Cheap to clone; the thread ends when the last one is gone.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Message>,
    health: Health,
    outbox: Arc<watch::Sender<()>>,
}

/// What the writing thread is told.
enum Message {
    Work(Job),
    /// To close the file, and say so.
    Close(oneshot::Sender<()>),
}

impl Store {
    /// Opens, or makes, the database in `state_dir`.
    ///
    /// # Errors
    /// When the file cannot be used, is damaged, or is of a newer Baton; nothing is changed then.
    pub fn open(state_dir: &Path) -> Result<Store> {
        let conn = open_for_writing(&state_dir.join(FILE_NAME))?;
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        let health = Health::default();
        std::thread::Builder::new()
            .name("store".into())
            .spawn({
                let health = health.clone();
                move || Writer::new(conn, health).write_all(waiting)
            })
            .map_err(|_| Error::Stopped)?;
        Ok(Store { jobs, health, outbox: Arc::default() })
    }

    /// Runs `work` in one transaction; returns when it is durable. An error undoes all of it.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (tell, told) = oneshot::channel();
        let health = self.health.clone();
        let outbox = Arc::clone(&self.outbox);
        let job: Job = Box::new(move |conn| {
            let mut sends = false;
            let done = in_savepoint(conn, &mut sends, work);
            let done = done.inspect_err(|error| health.failed(error));
            Box::new(move |committed| {
                if sends && committed.is_ok() {
                    outbox.send_replace(());
                }
                let answer = match (done, committed) {
                    (Ok(value), Ok(())) => Ok(value),
                    (Ok(_), Err(error)) => Err(anyhow!("cannot keep the change: {error}")),
                    (Err(error), _) => Err(error),
                };
                // Whoever asked may have gone away; the work is kept all the same.
                drop(tell.send(answer));
            })
        });
        self.jobs.send(Message::Work(job)).await.map_err(|_| Error::Stopped)?;
        told.await.map_err(|_| Error::Stopped)?
    }

    /// Tells whenever mail that is to be sent was kept, or stands elsewhere than before.
    pub fn outbox_changes(&self) -> watch::Receiver<()> {
        self.outbox.subscribe()
    }

    /// Why nothing can be kept at the moment, in SQLite's words: the disk is full, or cannot be written.
    pub fn trouble(&self) -> Option<String> {
        self.health.trouble()
    }

    /// Closes the file after all work that waits, so that it is whole without the write-ahead log beside it. Work that
    /// comes later fails.
    pub async fn close(&self) {
        let (tell, told) = oneshot::channel();
        if self.jobs.send(Message::Close(tell)).await.is_ok() && told.await.is_err() {
            tracing::warn!(
                "The database was not closed in order; it is read again at the next start"
            );
        }
    }
}

fn in_savepoint<T>(
    conn: &Connection,
    sends: &mut bool,
    work: impl FnOnce(&Tx<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    // A full disk makes SQLite give up the whole transaction; a savepoint would then be one of its own, and be kept.
    if conn.is_autocommit() {
        bail!("an earlier change failed, and this one with it");
    }
    conn.execute_batch("SAVEPOINT job").context("cannot begin a change")?;
    let tx = Tx::new(conn);
    let answer = catch_unwind(AssertUnwindSafe(|| work(&tx)))
        .unwrap_or_else(|_| Err(anyhow!("a change panicked and was undone")));
    *sends = answer.is_ok() && tx.sends.get();
    let end = if answer.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    conn.execute_batch(end).context("cannot end a change")?;
    answer
}

struct Writer {
    conn: Connection,
    health: Health,
    #[cfg(debug_assertions)]
    fuse: super::fuse::Fuse,
}

impl Writer {
    fn new(conn: Connection, health: Health) -> Writer {
        Writer {
            conn,
            health,
            #[cfg(debug_assertions)]
            fuse: super::fuse::Fuse::from_environment(),
        }
    }

    fn write_all(mut self, mut waiting: mpsc::Receiver<Message>) {
        while let Some(mut message) = waiting.blocking_recv() {
            let mut group = Vec::new();
            let closing = loop {
                match message {
                    Message::Work(job) => group.push(job),
                    Message::Close(tell) => break Some(tell),
                }
                match waiting.try_recv() {
                    Ok(next) if group.len() < GROUP_MAX => message = next,
                    Ok(next) => {
                        self.write_group(std::mem::take(&mut group));
                        message = next;
                    }
                    Err(_) => break None,
                }
            };
            if !group.is_empty() {
                self.write_group(group);
            }
            if let Some(tell) = closing {
                drop(waiting);
                drop(self);
                if tell.send(()).is_err() {
                    tracing::debug!("Nobody waited for the database to be closed");
                }
                return;
            }
        }
    }

    fn write_group(&mut self, group: Vec<Job>) {
        let changes = self.conn.total_changes();
        let (answers, committed) =
            match self.conn.transaction_with_behavior(TransactionBehavior::Immediate) {
                Ok(transaction) => {
                    let answers: Vec<Answer> =
                        group.into_iter().map(|job| job(&transaction)).collect();
                    #[cfg(debug_assertions)]
                    if transaction.total_changes() != changes {
                        self.fuse.before_commit();
                    }
                    (answers, transaction.commit())
                }
                Err(error) => {
                    // Without a transaction every savepoint would be one of its own; let each job fail by itself instead.
                    let answers = group.into_iter().map(|_| Box::new(|_| ()) as Answer).collect();
                    (answers, Err(error))
                }
            };
        match &committed {
            Ok(()) if self.conn.total_changes() != changes => {
                self.health.well();
                #[cfg(debug_assertions)]
                self.fuse.after_commit();
            }
            Ok(()) => {}
            Err(error) => {
                self.health.cannot_commit(error);
                tracing::error!("The database does not take changes: {error}");
            }
        }
        let committed = committed.map_err(Arc::new);
        for answer in answers {
            answer(committed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_failing_change_undoes_nothing_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let good = store.write(|tx| Ok(tx.mailbox("support")?));
        let bad = store.write(|tx| {
            tx.mailbox("billing")?;
            anyhow::bail!("changed my mind");
            #[expect(unreachable_code, reason = "gives the closure its type")]
            Ok(())
        });
        let panicking = store.write(|tx| -> anyhow::Result<()> {
            tx.mailbox("sales")?;
            panic!("oh");
        });
        let (good, bad, panicking) = tokio::join!(good, bad, panicking);
        assert!(good.is_ok() && bad.is_err() && panicking.is_err());
        let kept = store.write(|tx| Ok(tx.status()?)).await.unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].name, "support");
    }
}
