//! Mailboxes and their folders: how far each was read, and what lying in it means.

use rusqlite::{OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::desk::layout::Layout;
use crate::desk::marks::Place;
use crate::desk::thread::ThreadId;
use crate::store::{Error, Received, Result, Tx};

/// A mailbox and what its server was found to be like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MailboxRow {
    /// Its number in the database.
    pub id: i64,
    /// How marks are shown there; `None` before the first look.
    pub layout: Option<Layout>,
    /// What stands before the root where all folders lie below INBOX.
    pub prefix: String,
    /// The hierarchy delimiter.
    pub delimiter: char,
}

/// How a mailbox is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MailboxStatus {
    /// Its name.
    pub name: String,
    /// Since when it is connected.
    pub connected_since: Option<Timestamp>,
    /// When the server was heard last.
    pub last_seen_at: Option<Timestamp>,
    /// How many writes wait for it.
    pub queue: i64,
    /// What went wrong last, until it went well again.
    pub last_error: Option<String>,
    /// A thread that the server would not show when it was asked last, and what it said.
    pub not_shown: Option<(ThreadId, String)>,
    /// When it is tried again to connect, while it is not connected.
    pub waits_until: Option<Timestamp>,
    /// What holds it back although it is connected.
    pub notice: Option<String>,
    /// What came from its server on the last day on which anything did.
    pub received: Received,
    /// How marks are shown there.
    pub layout: Option<Layout>,
}

/// A folder and how far it was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Folder {
    /// Its number in the database.
    pub id: i64,
    /// Its name on the server.
    pub name: String,
    /// What it is for, in the word of the door.
    pub role: String,
    /// What lying there means.
    pub place: Place,
    /// Whether the server listed it at the last look.
    pub listed: bool,
    /// Its UIDVALIDITY; 0 before the first look.
    pub uidvalidity: u32,
    /// The lowest UID not read.
    pub next_uid: u32,
    /// The HIGHESTMODSEQ up to which flags are known.
    pub modseq: u64,
}

fn not_shown(row: &Row<'_>) -> Result<Option<(ThreadId, String)>> {
    let thread: Option<i64> = row.get("refused_thread")?;
    let words: Option<String> = row.get("refused_words")?;
    Ok(thread.map(ThreadId).zip(words))
}

fn layout_from(text: &str) -> Result<Option<Layout>> {
    match text {
        "" => Ok(None),
        "labels" => Ok(Some(Layout::Labels)),
        "folders" => Ok(Some(Layout::Folders)),
        "keywords" => Ok(Some(Layout::Keywords)),
        _ => Err(Error::Unknown { what: "the layout", value: text.to_string() }),
    }
}

fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Labels => "labels",
        Layout::Folders => "folders",
        Layout::Keywords => "keywords",
    }
}

fn folder(row: &Row<'_>) -> rusqlite::Result<Folder> {
    let place: String = row.get("place")?;
    let modseq: i64 = row.get("modseq")?;
    Ok(Folder {
        id: row.get("id")?,
        name: row.get("name")?,
        role: row.get("role")?,
        place: Place::from_stored(&place),
        listed: row.get("listed")?,
        uidvalidity: row.get("uidvalidity")?,
        next_uid: row.get("next_uid")?,
        modseq: u64::try_from(modseq).unwrap_or(0),
    })
}

const FOLDER: &str =
    "SELECT id, name, role, place, listed, uidvalidity, next_uid, modseq FROM folder";

impl Tx<'_> {
    /// The number of the mailbox of this name, made if it is new.
    pub fn mailbox(&self, name: &str) -> Result<i64> {
        if let Some(id) = self.mailbox_id(name)? {
            return Ok(id);
        }
        self.conn.prepare_cached("INSERT INTO mailbox (name) VALUES (?)")?.execute([name])?;
        Ok(self.conn.last_insert_rowid())
    }

    /// The mailbox of this name, made if it is new.
    pub fn mailbox_row(&self, name: &str) -> Result<MailboxRow> {
        let id = self.mailbox(name)?;
        let (layout, prefix, delimiter): (String, String, String) = self
            .conn
            .prepare_cached("SELECT layout, prefix, delimiter FROM mailbox WHERE id = ?")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(MailboxRow {
            id,
            layout: layout_from(&layout)?,
            prefix,
            delimiter: delimiter.chars().next().unwrap_or('/'),
        })
    }

    /// The number of a mailbox that was seen before.
    pub fn mailbox_id(&self, name: &str) -> Result<Option<i64>> {
        Ok(self
            .conn
            .prepare_cached("SELECT id FROM mailbox WHERE name = ?")?
            .query_row([name], |row| row.get(0))
            .optional()?)
    }

    /// Keeps what the server was found to be like.
    pub fn set_dialect(
        &self,
        mailbox: i64,
        layout: Layout,
        prefix: &str,
        delimiter: char,
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE mailbox SET layout = ?, prefix = ?, delimiter = ? WHERE id = ?",
            )?
            .execute(params![layout_name(layout), prefix, delimiter.to_string(), mailbox])?;
        Ok(())
    }

    /// The mailbox is connected since `at`; `shadow` if it is only read. Answers whether the last connection only read, and when
    /// the server was heard before this one.
    pub fn set_connected(
        &self,
        mailbox: i64,
        at: Timestamp,
        shadow: bool,
    ) -> Result<(bool, Option<Timestamp>)> {
        let before = self
            .conn
            .prepare_cached("SELECT shadow, last_seen_at FROM mailbox WHERE id = ?")?
            .query_row([mailbox], |row| {
                Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Timestamp)))
            })?;
        self.conn
            .prepare_cached(
                "UPDATE mailbox SET connected_since = ?, last_seen_at = ?, last_error = NULL, shadow = ?,
                        waits_until = NULL, notice = NULL
                 WHERE id = ?",
            )?
            .execute(params![at.0, at.0, shadow, mailbox])?;
        Ok(before)
    }

    /// Keeps how marks are called. Answers whether they were shown under other names before.
    pub fn set_spelled(&self, mailbox: i64, spelled: &str) -> Result<bool> {
        let before: String = self
            .conn
            .prepare_cached("SELECT spelled FROM mailbox WHERE id = ?")?
            .query_row([mailbox], |row| row.get(0))?;
        if before != spelled {
            self.conn
                .prepare_cached("UPDATE mailbox SET spelled = ? WHERE id = ?")?
                .execute(params![spelled, mailbox])?;
        }
        Ok(!before.is_empty() && before != spelled)
    }

    /// The server was heard at `at`.
    pub fn set_seen(&self, mailbox: i64, at: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE mailbox SET last_seen_at = ? WHERE id = ?")?
            .execute([at.0, mailbox])?;
        Ok(())
    }

    /// How every mailbox is doing.
    pub fn status(&self) -> Result<Vec<MailboxStatus>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT name, layout, connected_since, last_seen_at, mailbox.last_error, waits_until, notice,
                    received_day, received_bytes,
                    (SELECT count(*) FROM outbox
                     WHERE outbox.mailbox = mailbox.id AND outbox.effect = 'show-marks') AS queue,
                    refused.thread AS refused_thread, refused.last_error AS refused_words
             FROM mailbox LEFT JOIN outbox AS refused ON refused.id =
                    (SELECT id FROM outbox
                     WHERE outbox.mailbox = mailbox.id AND outbox.effect = 'show-marks'
                           AND outbox.last_error IS NOT NULL
                     ORDER BY due_at DESC LIMIT 1)
             ORDER BY mailbox.id",
        )?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let layout: String = row.get("layout")?;
            all.push(MailboxStatus {
                name: row.get("name")?,
                connected_since: row.get::<_, Option<i64>>("connected_since")?.map(Timestamp),
                last_seen_at: row.get::<_, Option<i64>>("last_seen_at")?.map(Timestamp),
                queue: row.get("queue")?,
                last_error: row.get("last_error")?,
                not_shown: not_shown(row)?,
                waits_until: row.get::<_, Option<i64>>("waits_until")?.map(Timestamp),
                notice: row.get("notice")?,
                received: Received {
                    day: row.get("received_day")?,
                    bytes: u64::try_from(row.get::<_, i64>("received_bytes")?).unwrap_or(0),
                },
                layout: layout_from(&layout)?,
            });
        }
        Ok(all)
    }

    /// Every folder that was ever listed in the mailbox.
    pub fn folders(&self, mailbox: i64) -> Result<Vec<Folder>> {
        let mut statement =
            self.conn.prepare_cached(&format!("{FOLDER} WHERE mailbox = ? ORDER BY id"))?;
        let rows = statement.query_map([mailbox], folder)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The folder of this name.
    pub fn folder(&self, mailbox: i64, name: &str) -> Result<Option<Folder>> {
        Ok(self
            .conn
            .prepare_cached(&format!("{FOLDER} WHERE mailbox = ? AND name = ?"))?
            .query_row(params![mailbox, name], folder)
            .optional()?)
    }

    /// Keeps a folder that the server listed.
    pub fn set_listed(&self, mailbox: i64, name: &str, role: &str, place: &Place) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO folder (mailbox, name, role, place) VALUES (?, ?, ?, ?)
                 ON CONFLICT (mailbox, name) DO UPDATE
                 SET role = excluded.role, place = excluded.place, listed = 1",
            )?
            .execute(params![mailbox, name, role, place.stored()])?;
        Ok(())
    }

    /// The server no longer lists the folder; what was known of it is worthless, should it come back.
    pub fn set_unlisted(&self, folder: i64) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE folder SET listed = 0, uidvalidity = 0, next_uid = 1, modseq = 0 WHERE id = ?",
            )?
            .execute([folder])?;
        Ok(())
    }

    /// How far the folder was read.
    pub fn set_cursor(&self, folder: i64, uidvalidity: u32, next_uid: u32) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE folder SET uidvalidity = ?, next_uid = ? WHERE id = ?")?
            .execute(params![uidvalidity, next_uid, folder])?;
        Ok(())
    }

    /// Up to which HIGHESTMODSEQ the folder's flags are known.
    pub fn set_modseq(&self, folder: i64, modseq: u64) -> Result<()> {
        let modseq = i64::try_from(modseq).unwrap_or(0);
        self.conn
            .prepare_cached("UPDATE folder SET modseq = ? WHERE id = ?")?
            .execute([modseq, folder])?;
        Ok(())
    }
}
