//! A database with any number of threads, made from one real thread by copying rows.

use std::path::PathBuf;
use std::sync::Arc;

use baton::clock::Timestamp;
use baton::config;
use baton::desk::policy::Policy;
use baton::engine::{self, Desk, ListedFolder, Seen};
use baton::mail::parse::parse;
use baton::store::{FILE_NAME, MIGRATIONS, Store, Tx};
use rusqlite::Connection;

use super::daemon::{Daemon, Shared, days_ago};
use crate::letters;

/// A daemon that is never started, with a database of this many threads, of which some are open.
pub(crate) fn with_threads(threads: u64, open: u64) -> (Daemon, Arc<Policy>) {
    let shared = Shared { name: "support".into(), port: 1, since: days_ago(200), settings: "" };
    let daemon = Daemon::new(&[shared]);
    let policy = Arc::new(config::load(&daemon.config()).unwrap().mailboxes[0].policy.clone());
    let (state_dir, kept) = (daemon.state_dir(), kept(threads, open));
    std::fs::create_dir_all(&state_dir).unwrap();
    if !kept.exists() {
        let store = Store::open(&state_dir).unwrap();
        block_on(first(&store, Arc::clone(&policy)));
        drop(store);
        multiply(state_dir.join(FILE_NAME), threads, open);
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::copy(state_dir.join(FILE_NAME), &kept).unwrap();
    } else {
        std::fs::copy(&kept, state_dir.join(FILE_NAME)).unwrap();
    }
    (daemon, policy)
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Where the database is kept for the next run. The name changes with the schema.
fn kept(threads: u64, open: u64) -> PathBuf {
    let schema: usize = MIGRATIONS.iter().map(|(_, sql)| sql.len()).sum();
    let tmp = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    tmp.join(format!("desks/{threads}-{open}-{schema}.sqlite"))
}

/// Runs `work` at the desk in one transaction.
pub(crate) async fn at_desk<T: Send + 'static>(
    store: &Store,
    policy: Arc<Policy>,
    work: impl FnOnce(&Desk<'_>) -> anyhow::Result<T> + Send + 'static,
) -> T {
    let now = Timestamp(jiff::Timestamp::now().as_second());
    let write = move |tx: &Tx<'_>| {
        let (mailbox, dialect) = engine::dialect(tx, &policy)?;
        work(&Desk {
            tx,
            policy: &policy,
            dialect: &dialect,
            mailbox,
            now,
            away: std::time::Duration::ZERO,
        })
    };
    store.write(write).await.unwrap()
}

/// A letter as the door sees it.
pub(crate) fn seen(uid: u32, letter: &[u8]) -> Seen {
    let arrived_at = Timestamp(jiff::Timestamp::now().as_second() - 86_400);
    let size = u32::try_from(letter.len()).unwrap();
    Seen {
        uid,
        flags: Vec::new(),
        arrived_at,
        size,
        gmail: None,
        message: Some(parse(letter)),
        raw: None,
    }
}

/// The first thread, made by the engine itself.
async fn first(store: &Store, policy: Arc<Policy>) {
    at_desk(store, policy, |desk| {
        let inbox = ListedFolder { name: "INBOX".into(), role: "inbox".into(), selectable: true };
        engine::list(desk.tx, desk.policy, desk.dialect, desk.mailbox, &[inbox])?;
        let mut folder = desk.tx.folder(desk.mailbox, "INBOX")?.unwrap();
        folder.uidvalidity = 1;
        engine::arrivals(desk, &folder, &[seen(1, &letters::letter(1))], 2)
    })
    .await;
}

/// Copies the first thread, with everything that belongs to it, under other numbers, ids and subjects.
fn multiply(database: PathBuf, threads: u64, open: u64) {
    let conn = Connection::open(database).unwrap();
    let every = threads.div_ceil(open.max(1));
    conn.execute_batch(&format!(
        "PRAGMA cache_size = -1000000; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
         BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n(n) AS
            (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {threads}) SELECT n FROM n;
         CREATE TEMP TABLE id AS SELECT n, 'letter-' || (n * 7919) || '.' || n || '@customer' || (n % 997) || '.example' AS id FROM n;
         INSERT INTO thread (id, mailbox, subject, customer, state, owner, escalated, before, last_customer_at,
            resolved_at, reopens, drafted, created_at, updated_at)
            SELECT n, mailbox, 'My order ' || n, 'person' || n || '@customer' || (n % 997) || '.example',
            iif(n % {every} = 0, 'new', 'resolved'), owner, 0, before, last_customer_at,
            iif(n % {every} = 0, NULL, updated_at), 0, 0, created_at, updated_at
            FROM n, thread WHERE thread.id = 1;
         UPDATE thread SET state = 'resolved', resolved_at = updated_at WHERE id = 1 AND {every} > 1;
         INSERT INTO message (id, mailbox, identity, message_id, fingerprint, thread, status, direction, kind, sender,
            recipients, subject, arrived_at, sent_at, size, excerpt, joined_by, place)
            SELECT n, mailbox, id.id, id.id, fingerprint, n, status, direction, kind, sender, recipients,
            'My order ' || n, arrived_at, sent_at, size, excerpt, joined_by, place FROM id, message WHERE message.id = 1;
         INSERT INTO location (folder, uid, message, flags) SELECT folder, n, n, flags FROM n, location WHERE message = 1;
         INSERT INTO reference (mailbox, ref, message) SELECT mailbox, id.id, n FROM id, message WHERE message.id = 1 ORDER BY id.id;
         INSERT INTO participant (thread, address)
            SELECT n, 'person' || n || '@customer' || (n % 997) || '.example' FROM n;
         INSERT INTO event (mailbox, thread, at, body)
            SELECT mailbox, n, at, replace(body, '\"message\":1,', '\"message\":' || n || ',') FROM n, event WHERE thread = 1;
         UPDATE folder SET next_uid = {threads} + 1 WHERE name = 'INBOX';
         COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);"
    ))
    .unwrap();
}
