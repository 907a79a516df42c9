//! The engine with the smallest dialect there can be, in transcripts.

use super::client::Talk;
use super::*;

/// A server for `ann` with her password `secret`, or the token `token`.
#[derive(Default)]
struct Tiny {
    store: Store,
    /// Says BYE to everybody.
    tired: bool,
}

fn tiny() -> Server<Tiny> {
    let mut tiny = Tiny::default();
    tiny.store.add_folder("INBOX", &[]);
    tiny.store.add_folder("Sent", &["\\Sent"]);
    Server::start(tiny)
}

impl Dialect for Tiny {
    fn limits(&self) -> Limits {
        Limits { line: 1000, literal: 10_000, non_sync_literal: 100 }
    }

    fn grammar(&self) -> Grammar {
        Grammar { condstore: true, esearch: true, list_extended: true, ..Grammar::default() }
    }

    fn greeting(&mut self, _: &Session) -> Result<String, String> {
        Ok("* OK tiny".into())
    }

    fn capabilities(&self, _: &Session) -> String {
        "IMAP4rev1".into()
    }

    fn mechanisms(&self) -> &'static [&'static str] {
        &["PLAIN", "XOAUTH2", "OAUTHBEARER"]
    }

    fn login(&mut self, _: &Session, credentials: &Credentials) -> Verdict {
        let (user, right) = match credentials {
            Credentials::Password { user, password } => (user, password == "secret"),
            Credentials::Bearer { user, token } => (user, token == "token"),
            Credentials::Nonsense => (&String::new(), false),
        };
        if !right {
            let challenge =
                matches!(credentials, Credentials::Bearer { .. }).then(|| "e30=".to_owned());
            return Verdict::Refused { challenge, untagged: Vec::new(), tagged: "NO no".into() };
        }
        Verdict::Welcome { account: user.clone(), untagged: Vec::new(), tagged: "OK in".into() }
    }

    fn words(&self, _: &Session, moment: Moment<'_>) -> String {
        match moment {
            Moment::Done(_) | Moment::Selected { .. } => "OK done".into(),
            Moment::Appended(Placed { uid_validity, uid }) => {
                format!("OK [APPENDUID {uid_validity} {uid}] done")
            }
            Moment::Modified(which) => format!("OK [MODIFIED {which}] done"),
            Moment::NoSuchTarget(_) => "NO [TRYCREATE] no folder".into(),
            other => format!("BAD {other:?}"),
        }
    }

    fn opened(&self, _: &Session, folder: &Folder, _: bool) -> Vec<String> {
        vec![format!("* {} EXISTS", folder.entries.len())]
    }

    fn about(&self, _: &Session, _: &Command) -> Vec<String> {
        vec!["* ID NIL".into()]
    }

    fn farewell(&self) -> String {
        "* BYE bye".into()
    }

    fn idling(&self) -> String {
        "+ idling".into()
    }

    fn copied(&self, _: &str, uid_validity: u32, pairs: &Pairs) -> Copied {
        let (from, to): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
        let tagged =
            format!("OK [COPYUID {uid_validity} {} {}] done", compact(&from), compact(&to));
        Copied { untagged: Vec::new(), tagged }
    }

    fn store(&self, _: &str) -> &Store {
        &self.store
    }

    fn store_mut(&mut self, _: &str) -> &mut Store {
        &mut self.store
    }

    fn interrupts(&mut self, _: &Session) -> Option<Vec<String>> {
        self.tired.then(|| vec!["* BYE tired".into()])
    }

    fn listed(&self, _: &Session) -> Vec<Listed> {
        let folders = self.store.folders.iter();
        folders.map(|one| Listed { folder: one.id, attributes: one.attributes.clone() }).collect()
    }

    fn create(&mut self, _: &Session, name: &str) -> Result<(), Refused> {
        self.store.add_folder(name, &[]);
        Ok(())
    }

    fn delete(&mut self, _: &Session, name: &str) -> Result<(), Refused> {
        self.store.folders.retain(|folder| folder.name != name);
        Ok(())
    }

    fn rename(&mut self, _: &Session, from: &str, to: &str) -> Result<(), Refused> {
        let id = self.store.find(from).map(|folder| folder.id).ok_or("NO no such folder")?;
        to.clone_into(&mut self.store.folder_mut(id).ok_or("NO no such folder")?.name);
        Ok(())
    }
}

/// A session in INBOX, with so many mails in it.
fn inside(server: &Server<Tiny>, mails: usize) -> Talk {
    let mut talk = Talk::with(server.port);
    assert_eq!(talk.line(), "* OK tiny");
    talk.fine("LOGIN ann secret");
    for number in 1..=mails {
        talk.append("INBOX", "", &format!("From: Bob <bob@example.test>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= {number}\r\n\r\nText {number}\r\n"));
    }
    talk.fine("SELECT INBOX");
    talk
}

#[test]
fn logging_in() {
    let server = tiny();
    let mut talk = Talk::with(server.port);
    talk.line();
    assert_eq!(talk.ask("SELECT INBOX"), ["a1 BAD WrongState(\"SELECT\")"]);
    assert_eq!(talk.ask("LOGIN ann wrong"), ["a2 NO no"]);
    // X4: the refusal comes after the client has answered the challenge.
    assert_eq!(talk.ask("AUTHENTICATE XOAUTH2 dXNlcj1hAWF1dGg9QmVhcmVyIGIBAQ=="), ["+ e30="]);
    talk.send("");
    assert_eq!(talk.answer(), ["a3 NO no"]);
    assert_eq!(talk.ask("AUTHENTICATE PLAIN"), ["+ "]);
    talk.send("AGFubgBzZWNyZXQ=");
    assert_eq!(talk.answer(), ["a4 OK in"]);
    // X2 and X9, the test vectors.
    let xoauth2 = "AUTHENTICATE XOAUTH2 dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHRva2VuAQE=";
    let oauthbearer = "AUTHENTICATE OAUTHBEARER bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9aW1hcC5nbWFpbC5jb20BcG9ydD05OTMBYXV0aD1CZWFyZXIgdG9rZW4BAQ==";
    for command in [xoauth2, oauthbearer] {
        let mut talk = Talk::with(server.port);
        talk.line();
        assert_eq!(talk.ask(command), ["a1 OK in"]);
        talk.fine("SELECT INBOX");
        assert_eq!(talk.ask("LOGOUT"), ["* BYE bye", "a3 OK done"]);
    }
    assert_eq!(server.heard().last().unwrap().account.as_deref(), Some("user@example.com"));
}

#[test]
fn only_commands_are_commands() {
    let server = tiny();
    let mut talk = inside(&server, 1);
    for wrong in [
        "NOOP ",
        "FETCH 1 (FLAGS ) ",
        "FETCH  1 FLAGS",
        "FETCH 1 ALL",
        "STORE 1 FLAGS \\",
        "UID NOOP",
    ] {
        let answer = talk.ask(wrong).pop().unwrap();
        assert!(answer.contains("BAD Unparsable"), "{wrong}: {answer}");
    }
    let literal = talk.ask("APPEND INBOX {20000}").pop().unwrap();
    assert!(literal.ends_with("BAD LiteralTooLong"), "{literal}");
    talk.raw(format!("x LOGIN a {{101+}}\r\n{}\r\ny NOOP\r\n", "a".repeat(101)).as_bytes());
    assert_eq!(talk.line(), "x BAD LiteralNotAsked");
    assert_eq!(talk.line(), "y OK done");
    talk.raw(format!("x {}\r\ny NOOP\r\n", "a".repeat(50_000)).as_bytes());
    assert_eq!(talk.line(), "x BAD LineTooLong");
    assert_eq!(talk.line(), "y OK done");
    talk.raw(b"x LOGIN {3+}\r\nann {6+}\r\nsecret\r\n");
    assert_eq!(talk.line(), "x BAD WrongState(\"LOGIN\")");
}

#[test]
fn fetching() {
    let server = tiny();
    let mut talk = inside(&server, 2);
    let envelope = r#"ENVELOPE (NIL "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= 1" (("Bob" NIL "bob" "example.test")) (("Bob" NIL "bob" "example.test")) (("Bob" NIL "bob" "example.test")) NIL NIL NIL NIL NIL)"#;
    assert_eq!(
        talk.fine("FETCH 1 (UID ENVELOPE RFC822.SIZE)"),
        [format!("* 1 FETCH (UID 1 {envelope} RFC822.SIZE 80)")]
    );
    assert_eq!(
        talk.fine(
            "UID FETCH 2 (BODY.PEEK[HEADER.FIELDS (FROM)] BODY.PEEK[TEXT]<2.4> BODYSTRUCTURE)"
        ),
        [
            "* 2 FETCH (BODY[HEADER.FIELDS (FROM)] {32}From: Bob <bob@example.test>\r\n\r\n BODY[TEXT]<2> {4}xt 2 \
         BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 8 1 NIL NIL NIL NIL) UID 2)"
        ]
    );
    assert_eq!(talk.fine("FETCH 1 BODY[2]"), ["* 1 FETCH (BODY[2] NIL FLAGS (\\Seen))"]);
    assert_eq!(
        talk.fine("FETCH 1 (FLAGS BODY.PEEK[1])"),
        ["* 1 FETCH (FLAGS (\\Seen) BODY[1] {8}Text 1\r\n)"]
    );
    assert_eq!(talk.fine("SEARCH UNSEEN"), ["* SEARCH 2"]);
    assert_eq!(talk.fine("UID SEARCH CHARSET UTF-8 SUBJECT grüße BODY \"text 2\""), ["* SEARCH 2"]);
    assert_eq!(
        talk.fine("UID SEARCH RETURN (MIN MAX COUNT ALL) OR 1 NOT SEEN"),
        ["* ESEARCH (TAG \"a11\") UID MIN 1 MAX 2 ALL 1:2 COUNT 2"]
    );
}

#[test]
fn changes_are_told_to_the_others_when_they_may_be() {
    let server = tiny();
    let (mut one, mut two) = (inside(&server, 3), inside(&server, 0));
    assert_eq!(two.ask("IDLE"), ["+ idling"]);
    assert_eq!(one.fine("STORE 2 +FLAGS (\\Flagged work)"), ["* 2 FETCH (FLAGS (\\Flagged work))"]);
    assert_eq!(two.line(), "* 2 FETCH (FLAGS (\\Flagged work))");
    assert_eq!(one.fine("UID STORE 1 +FLAGS.SILENT (\\Deleted)"), [""; 0]);
    assert_eq!(two.line(), "* 1 FETCH (FLAGS (\\Deleted))");
    two.send("DONE");
    assert_eq!(two.answer().len(), 1);
    assert_eq!(one.fine("EXPUNGE"), ["* 1 EXPUNGE", "* 2 EXISTS"]);
    // RFC 3501, section 7.4.1: no EXPUNGE in FETCH, and the numbers stay what they were.
    assert_eq!(two.fine("FETCH 2 UID"), ["* 2 FETCH (UID 2)"]);
    assert!(two.ask("FETCH 1 UID").pop().unwrap().ends_with("BAD SomeAreGone"));
    assert_eq!(two.fine("NOOP"), ["* 1 EXPUNGE", "* 2 EXISTS"]);
    assert_eq!(two.fine("UID COPY 2:3 Sent"), [""; 0]);
    let moved = two.ask("UID MOVE 2 Sent");
    assert_eq!(moved, ["* 1 EXPUNGE", "* 1 EXISTS", "a8 OK [COPYUID 2 2 3] done"]);
    assert!(two.ask("COPY 1 Nowhere").pop().unwrap().contains("NO [TRYCREATE]"));
}

#[test]
fn modseq() {
    let server = tiny();
    let mut talk = inside(&server, 2);
    let before = server.with(|tiny| tiny.store.modseq);
    talk.fine("STORE 2 +FLAGS.SILENT (\\Seen)");
    let after = server.with(|tiny| tiny.store.modseq);
    assert_eq!(
        talk.fine(&format!("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {before})")),
        [format!("* 2 FETCH (FLAGS (\\Seen) UID 2 MODSEQ ({after}))")]
    );
    let answer = talk.ask(&format!("UID STORE 1:2 (UNCHANGEDSINCE {before}) +FLAGS.SILENT (x)"));
    assert!(
        answer[0].starts_with("* 1 FETCH (MODSEQ (") && answer[1].contains("[MODIFIED 2]"),
        "{answer:?}"
    );
}

#[test]
fn folders_come_and_go() {
    let server = tiny();
    let mut talk = inside(&server, 1);
    talk.fine("CREATE \"Entw&APw-rfe/alt\"");
    talk.fine("UNSUBSCRIBE Sent");
    assert_eq!(
        talk.fine("LIST \"\" * RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))"),
        [
            "* LIST (\\Subscribed) \"/\" \"INBOX\"",
            "* STATUS \"INBOX\" (MESSAGES 1 UNSEEN 1)",
            "* LIST (\\Sent) \"/\" \"Sent\"",
            "* STATUS \"Sent\" (MESSAGES 0 UNSEEN 0)",
            "* LIST (\\Subscribed) \"/\" \"Entw&APw-rfe/alt\"",
            "* STATUS \"Entw&APw-rfe/alt\" (MESSAGES 0 UNSEEN 0)",
        ]
    );
    assert_eq!(talk.fine("LIST (SPECIAL-USE) \"\" *"), ["* LIST (\\Sent) \"/\" \"Sent\""]);
    talk.fine("RENAME \"Entw&APw-rfe/alt\" Old");
    assert_eq!(talk.fine("LSUB \"\" O%"), ["* LSUB () \"/\" \"Old\""]);
    talk.fine("DELETE Old");
    assert!(talk.ask("STATUS Old (MESSAGES)").pop().unwrap().contains("NoSuchFolder"));
}

#[test]
fn people_can_change_the_mailbox_and_end_sessions() {
    let server = tiny();
    let mut talk = inside(&server, 1);
    talk.ask("IDLE");
    server.with(|tiny| {
        tiny.store.mails.values_mut().for_each(|mail| mail.flags = ["seen-by-hand".into()].into())
    });
    assert_eq!(talk.line(), "* 1 FETCH (FLAGS (seen-by-hand))");
    server.with(|tiny| tiny.tired = true);
    assert_eq!(talk.line(), "* BYE tired");
    assert_eq!(talk.line(), "");
    server.with(|tiny| tiny.tired = false);
    let mut talk = inside(&server, 0);
    server.cut();
    assert_eq!(talk.line(), "");
    assert_eq!(server.connections(), 2);
}
