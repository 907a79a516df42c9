//! Baton itself at Exchange Online, with a password as before 2023: its folders, and what Outlook's users do with them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::mail;
use crate::world::exchange::knobs::{
    CachedMode, MoveAnswer, SentCopy, Throttle, Unavailable, Word,
};
use crate::world::exchange::{ANA, Language, SHARED, Tenant};
use crate::world::{Baton, PATIENCE, Status, Thread, poll};

/// A team with Baton on the shared mailbox.
pub(super) struct Team {
    // Dropped before the servers that it talks to.
    pub(super) baton: Baton,
    pub(super) tenant: Tenant,
    dir: tempfile::TempDir,
}

impl Team {
    pub(super) fn start(prepare: impl FnOnce(&Tenant)) -> Team {
        Team::start_in(Language::English, prepare)
    }

    fn start_in(language: Language, prepare: impl FnOnce(&Tenant)) -> Team {
        let tenant = Tenant::start_in(language);
        tenant.set(|knobs| knobs.basic_password = Some("secret"));
        prepare(&tenant);
        let dir = tempfile::Builder::new().prefix("baton-exchange-").tempdir().unwrap();
        fs::write(dir.path().join("password"), "secret").unwrap();
        let mut baton = Baton::new(dir.path(), "");
        baton.configure(&configuration(dir.path(), tenant.imap.port));
        baton.start(&[], None);
        let team = Team { baton, tenant, dir };
        team.waits("Baton's folders", |team| {
            let folders = team.tenant.mailbox(SHARED, |mailbox| {
                mailbox.store.folders.iter().map(|folder| folder.name.clone()).collect::<Vec<_>>()
            });
            ["Baton/Ana", "Baton/Resolved"].iter().all(|name| folders.iter().any(|one| one == name))
        });
        team
    }

    #[track_caller]
    pub(super) fn waits(&self, what: &str, holds: impl Fn(&Team) -> bool) {
        let held = poll(PATIENCE, || holds(self).then_some(()));
        assert!(
            held.is_some(),
            "in vain waited for {what}: {:#?}\n{}",
            self.tenant.shown(),
            self.baton.log_tail(30)
        );
    }

    /// What Baton was begun with.
    pub(super) fn configuration(&self) -> String {
        configuration(self.dir.path(), self.tenant.imap.port)
    }

    fn thread(&self) -> Option<Thread> {
        self.baton.threads().into_iter().next()
    }

    #[track_caller]
    fn owner_becomes(&self, owner: Option<&str>) {
        self.waits(&format!("owner {owner:?}"), |team| {
            team.thread().is_some_and(|thread| thread.owner.as_deref() == owner)
        });
    }

    /// Where the mail with this number lies.
    #[track_caller]
    fn lies_in(&self, number: u32, folder: &str) {
        let id = format!("<{number}@example.test>");
        self.waits(&format!("mail {number} in {folder}"), |team| {
            let shown = team.tenant.shown();
            let places: Vec<_> = shown.iter().filter(|one| one.message_id == id).collect();
            places.len() == 1 && places[0].folder == folder
        });
    }
}

fn configuration(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "state_dir = \"{dir}/state\"\n\n[[mailbox]]\nname = \"shared\"\naddress = \"{SHARED}\"\nsince = \"2020-01-01\"\n\
         layout = \"folders\"\npoll_seconds = 1\n\n[mailbox.imap]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         user = \"{SHARED}\"\npassword = {{ file = \"{dir}/password\" }}\n[mailbox.smtp]\nhost = \"127.0.0.1\"\n\
         port = 31025\ntls = \"none\"\n\n[[agent]]\nid = \"ana\"\nname = \"Ana\"\naddress = \"ana@contoso.com\"\n"
    )
}

/// A claim in Outlook, an order at the command line, and the way back, however MOVE is answered.
#[test]
fn folders_work_whatever_move_says() {
    for answer in [MoveAnswer::Proper, MoveAnswer::Empty, MoveAnswer::Silent, MoveAnswer::Bare] {
        let team = Team::start(|tenant| tenant.set(|knobs| knobs.move_answer = answer));
        team.tenant.delivers(&mail(1));
        team.owner_becomes(None);
        team.tenant.outlook(|outlook| outlook.moves("<1@example.test>", "Baton/Ana"));
        team.owner_becomes(Some("ana"));
        let id = team.thread().unwrap().id.to_string();
        team.baton.says(&["resolve", &id, "--as", "ana"]).done();
        team.lies_in(1, "Baton/Resolved");
        team.tenant.outlook(|outlook| outlook.moves("<1@example.test>", "INBOX"));
        team.owner_becomes(None);
        team.lies_in(1, "INBOX");
    }
}

/// Everything that can go wrong for a while, and then no longer does.
#[test]
fn a_bad_day_passes() {
    let team = Team::start(|tenant| tenant.set(|knobs| knobs.deaf = true));
    let arrives = |number: u32| {
        team.tenant.delivers(&mail(number));
        let count = number as usize;
        team.waits("the mail is seen", |team| team.baton.threads().len() == count);
    };
    arrives(1);
    team.tenant.set(|knobs| knobs.unavailable = vec![Unavailable::Tagged]);
    arrives(2);
    team.tenant.closes_connections();
    arrives(3);
    let throttle = Throttle {
        verb: Some("UID FETCH"),
        times: 1,
        backoff: Duration::from_millis(300),
        word: Word::Bad,
        closes: true,
    };
    team.tenant.set(|knobs| knobs.throttle = Some(throttle));
    arrives(4);
    team.tenant.renumbers("INBOX");
    arrives(5);
    team.tenant.set(|knobs| knobs.logins = Some(0));
    team.tenant.closes_connections();
    team.waits("nobody is connected", |team| {
        team.baton
            .status()
            .iter()
            .all(|status| status.connected_since.is_none() && status.last_error.is_some())
    });
    team.tenant.set(|knobs| knobs.logins = None);
    arrives(6);
    assert_eq!(team.tenant.shown().len(), 6, "nothing is lost, nothing is doubled");
}

/// M33: an Outlook that puts back what Baton moves; Baton gives in, or insists, but not for ever.
#[test]
fn nobody_fights_for_ever() {
    let team = Team::start(|tenant| {
        tenant.set(|knobs| knobs.cached_mode = Some(CachedMode { seconds: 120, copies: 2 }));
    });
    team.tenant.delivers(&mail(1));
    team.owner_becomes(None);
    team.tenant.outlook(|outlook| outlook.moves("<1@example.test>", "Baton/Ana"));
    team.owner_becomes(Some("ana"));
    let id = team.thread().unwrap().id.to_string();
    team.baton.says(&["resolve", &id, "--as", "ana"]).done();
    team.waits("the copies", |team| team.tenant.shown().len() == 3);
    team.waits("Baton has nothing to do", |team| team.baton.status().iter().all(Status::is_idle));
    let moves =
        || team.tenant.imap.heard().iter().filter(|heard| heard.line.contains(" MOVE ")).count();
    let seen = team.tenant.imap.heard().len();
    team.waits("Baton has looked again", |team| team.tenant.imap.heard().len() > seen + 20);
    assert!(moves() <= 4, "{:#?}", team.tenant.imap.heard());
    assert_eq!(team.tenant.shown().len(), 3);
}

/// M17: bare words instead of an answer.
#[test]
fn bare_words_do_not_stop_baton() {
    let team = Team::start(|tenant| tenant.set(|knobs| knobs.deaf = true));
    team.tenant.set(|knobs| knobs.unavailable = vec![Unavailable::Bare]);
    team.tenant.delivers(&mail(1));
    team.owner_becomes(None);
}

/// M21, M22: folders in German, with nothing told of what they are for.
#[test]
fn folders_are_known_in_other_languages() {
    let team = Team::start_in(Language::German, |tenant| {
        tenant.set(|knobs| knobs.sent_copy = SentCopy::Shared);
    });
    team.tenant.delivers(&mail(1));
    team.owner_becomes(None);
    let reply = "From: shared@contoso.com\r\nTo: bob@example.test\r\nSubject: Re: Kettle 1\r\n\
        Message-ID: <r1@contoso.com>\r\nIn-Reply-To: <1@example.test>\r\nReferences: <1@example.test>\r\n\r\nSorry.\r\n";
    team.tenant.outlook(|outlook| outlook.replies(ANA, reply));
    team.waits("the answer is seen", |team| {
        team.thread().is_some_and(|thread| thread.state == "waiting")
    });
}
