//! Every migration runs on a desk with data, and a stored event of every version can be read.

use std::fs;
use std::path::Path;

use baton::desk::roster::AgentId;
use baton::desk::thread::{State, ThreadId};
use baton::store::{FILE_NAME, MIGRATIONS, Reader, ThreadFilter, migrate_to};
use rusqlite::Connection;

fn migrated(path: &Path) -> Connection {
    let mut conn = Connection::open(path).unwrap();
    for (index, (name, _)) in MIGRATIONS.iter().enumerate() {
        migrate_to(&mut conn, index + 1).unwrap();
        let sample = format!("tests/data/migrations/{name}");
        let rows = fs::read_to_string(&sample)
            .unwrap_or_else(|_| panic!("write {sample}: rows a desk may hold after {name}"));
        conn.execute_batch(&rows).unwrap_or_else(|error| panic!("{sample}: {error}"));
    }
    conn
}

#[test]
fn each_migration_runs_on_a_desk_with_data() {
    let dir = tempfile::tempdir().unwrap();
    let conn = migrated(&dir.path().join(FILE_NAME));
    let broken: i64 = conn
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(broken, 0);
}

#[test]
fn the_sample_rows_are_read_as_threads_and_events() {
    let dir = tempfile::tempdir().unwrap();
    drop(migrated(&dir.path().join(FILE_NAME)));
    let reader = Reader::open(dir.path()).unwrap();
    let (threads, events) = reader
        .read(|tx| Ok((tx.threads(&ThreadFilter::default())?, tx.events_of(ThreadId(1))?)))
        .unwrap();
    assert_eq!(threads[0].thread.now.state, State::Blocked);
    assert_eq!(threads[0].messages, 1);
    assert_eq!(events[0].what.kind(), "opened");
    let ana = AgentId("ana".into());
    let (sendings, passwords) =
        reader.read(|tx| Ok((tx.sendings(9)?, tx.passwords(&ana)?))).unwrap();
    assert_eq!(sendings.len(), 3);
    assert_eq!(sendings[2].thread, Some(ThreadId(1)));
    assert_eq!(
        passwords.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
        ["mail", "phone"]
    );
}

#[test]
fn hot_questions_are_served_by_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let conn = migrated(&dir.path().join(FILE_NAME));
    let hot = [
        "SELECT id FROM message WHERE mailbox = 1 AND identity = 'x'",
        "SELECT id FROM message WHERE mailbox = 1 AND message_id = 'x'",
        "SELECT message.thread FROM reference JOIN message ON message.id = reference.message
         WHERE reference.mailbox = 1 AND reference.ref = 'x' AND message.thread IS NOT NULL
         ORDER BY reference.message DESC LIMIT 1",
        "SELECT id FROM thread WHERE mailbox = 1 AND subject = 'x' ORDER BY updated_at DESC LIMIT 1",
        "SELECT min(block_until) FROM thread WHERE mailbox = 1 AND block_until IS NOT NULL AND state = 'blocked'",
        "SELECT uid FROM location WHERE folder = 1 AND uid = 7",
        "SELECT uid FROM location WHERE message = 7",
        "SELECT flags FROM location WHERE folder = 1 ORDER BY uid DESC LIMIT 9",
        "SELECT location.uid FROM thread JOIN message ON message.thread = thread.id
         JOIN location ON location.message = message.id
         WHERE thread.mailbox = 1 AND thread.state NOT IN ('resolved', 'ignored') AND location.folder = 1
         ORDER BY location.uid DESC LIMIT 9",
        "SELECT id FROM outbox WHERE mailbox = 1 AND due_at <= 7 ORDER BY due_at, id LIMIT 9",
        "SELECT id FROM outlook_copy WHERE mailbox = 1 AND id = 'x'",
        "SELECT id FROM outlook_copy WHERE message = 7",
        "SELECT id FROM outlook_copy WHERE mailbox = 1 AND decide_at <= 7 ORDER BY decide_at LIMIT 9",
        "SELECT id FROM sending WHERE mailbox = 1 AND due_at <= 7 ORDER BY due_at LIMIT 9",
        "SELECT id FROM sending WHERE mailbox = 1 AND message_id = 'x'",
        "SELECT id FROM sending WHERE thread = 1 ORDER BY id",
        "SELECT sending.id FROM sending JOIN mailbox ON mailbox.id = sending.mailbox
         WHERE state ->> 'state' NOT IN ('accepted', 'dropped') ORDER BY sending.id DESC LIMIT 9",
        "SELECT id FROM sending WHERE fingerprint = 'x' AND created_at >= 7 ORDER BY created_at DESC LIMIT 1",
        "SELECT seq FROM event WHERE thread = 1 UNION ALL SELECT seq FROM event WHERE other = 1 ORDER BY seq",
    ];
    for question in hot {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {question}")).unwrap();
        let plan: Vec<String> =
            statement.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        let scans = plan.iter().any(|step| step.starts_with("SCAN") && !step.contains("INDEX"));
        assert!(!scans, "{question}\n{plan:#?}");
    }
}
