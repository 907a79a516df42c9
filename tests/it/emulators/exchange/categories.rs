//! Baton shows owner and state as Outlook's categories, and reads them: the whole program at the emulators of Exchange,
//! Graph and the token endpoint.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::mail;
use crate::world::exchange::{ANA, SHARED, Tenant, graph};
use crate::world::tokens::browser;
use crate::world::tokens::http::{Answer, Trouble};
use crate::world::tokens::microsoft::{CLIENT_ID, SECRET, TENANT};
use crate::world::{Baton, PATIENCE, Thread, poll};

/// The mail that every story is about.
const MAIL: &str = "<1@example.test>";

/// A team that uses colours.
struct Team {
    // Dropped before the servers that it talks to.
    baton: Baton,
    tenant: Tenant,
    dir: tempfile::TempDir,
    /// How Baton logs in.
    login: String,
}

impl Team {
    fn start() -> Team {
        let mut team = Team::at(Tenant::start());
        team.begins();
        team
    }

    /// Configured, and not started.
    fn at(tenant: Tenant) -> Team {
        let dir = tempfile::Builder::new().prefix("baton-categories-").tempdir().unwrap();
        fs::write(dir.path().join("secret"), SECRET).unwrap();
        let login =
            "flow = \"client-credentials\"\nclient_secret = { file = \"DIR/secret\" }\n".to_owned();
        let team = Team { baton: Baton::new(dir.path(), ""), tenant, dir, login };
        team.configure(true, "Ana");
        team
    }

    /// With or without categories, and with what Ana's are called.
    fn configure(&self, categories: bool, ana: &str) {
        let (dir, tenant) = (self.dir.path().display(), &self.tenant);
        self.baton.configure(&format!(
            "state_dir = \"{dir}/state\"\n[[mailbox]]\nname = \"shared\"\naddress = \"{SHARED}\"\n\
             since = \"2020-01-01\"\nprovider = \"microsoft365\"\npoll_seconds = 1\ncategories = {categories}\n\
             [mailbox.login]\nmethod = \"oauth2\"\ntenant = \"{TENANT}\"\n\
             client_id = \"{CLIENT_ID}\"\n{login}\
             token_url = \"{token_url}\"\ngraph_url = \"{graph_url}\"\n\
             [mailbox.imap]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
             [mailbox.smtp]\nhost = \"127.0.0.1\"\nport = 31025\ntls = \"none\"\n\
             [[agent]]\nid = \"ana\"\nname = \"Ana\"\naddress = \"{ANA}\"\nmark = \"{ana}\"\n\
             [[agent]]\nid = \"ben\"\nname = \"Ben\"\naddress = \"ben@contoso.com\"\n",
            login = self.login.replace("DIR", &dir.to_string()),
            token_url = tenant.microsoft.token_url(TENANT),
            graph_url = tenant.graph_url(),
            port = tenant.imap.port,
        ));
    }

    fn begins(&mut self) {
        self.baton.start(&[], None);
        self.waits("Baton's folders", |team| {
            team.tenant.mailbox(SHARED, |mailbox| mailbox.store.find("Baton/Resolved").is_some())
        });
    }

    /// Ana agrees, with a browser on the same machine.
    #[track_caller]
    fn logs_in(&self) {
        let mut command = self.baton.command(&["login", "shared"]);
        let mut login = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(login.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| line.ok().filter(|line| line.contains("http://"))).unwrap();
        browser::visit(url.trim()).expect("no page at the end");
        lines.for_each(drop);
        assert!(login.wait().unwrap().success());
    }

    #[track_caller]
    fn waits(&self, what: &str, holds: impl Fn(&Team) -> bool) {
        let held = poll(PATIENCE, || holds(self).then_some(()));
        assert!(
            held.is_some(),
            "in vain waited for {what}: {:#?}\n{}",
            self.tenant.shown(),
            self.baton.log_tail(40)
        );
    }

    /// A customer writes, and Baton and Graph have both seen it.
    #[track_caller]
    fn is_written_to(&self) {
        self.tenant.delivers(&mail(1));
        self.waits("the thread", |team| team.thread().is_some());
        self.has_polled();
    }

    /// Graph has been asked at least twice more.
    #[track_caller]
    fn has_polled(&self) {
        let polls = || {
            let requests = self.tenant.graph.requests();
            requests
                .iter()
                .filter(|one| one.method == "GET" && one.path.ends_with("/messages"))
                .count()
        };
        let before = polls();
        self.waits("two polls of Graph", |_| polls() >= before + 2);
    }

    fn thread(&self) -> Option<Thread> {
        self.baton.threads().into_iter().next()
    }

    /// The thread with its events.
    fn story(&self) -> Thread {
        self.baton.show(self.thread().unwrap().id).unwrap()
    }

    #[track_caller]
    fn becomes(&self, owner: Option<&str>, state: &str) {
        self.waits(&format!("{owner:?}, {state}"), |team| {
            team.thread()
                .is_some_and(|thread| thread.owner.as_deref() == owner && thread.state == state)
        });
    }

    fn categories(&self) -> Vec<String> {
        let shown = self.tenant.shown();
        let mail = shown.iter().find(|one| one.message_id == MAIL);
        mail.map(|mail| mail.categories.clone()).unwrap_or_default()
    }

    #[track_caller]
    fn shows(&self, categories: &[&str]) {
        self.waits(&format!("{categories:?}"), |team| team.categories() == categories);
    }

    fn colours(&self, categories: &[&str]) {
        self.tenant.outlook(|outlook| outlook.categorises(MAIL, categories));
    }

    fn writes(&self) -> usize {
        self.tenant.graph.requests().iter().filter(|request| request.method == "PATCH").count()
    }

    #[track_caller]
    fn lies_in(&self, folder: &str) {
        self.waits(folder, |team| {
            let shown = team.tenant.shown();
            shown.iter().any(|one| one.message_id == MAIL && one.folder == folder)
        });
    }

    fn orders(&self, arguments: &[&str]) {
        let id = self.thread().unwrap().id.to_string();
        let (verb, rest) = arguments.split_first().unwrap();
        let all = [&[*verb, id.as_str()], rest, &["--as", "ana"]].concat();
        self.baton.says(&all).done();
    }

    fn status(&self) -> serde_json::Value {
        let status: serde_json::Value = self.baton.json(&["status"]).unwrap_or_default();
        status["mailboxes"][0].clone()
    }
}

#[test]
fn a_colour_claims_and_the_mail_moves() {
    let team = Team::start();
    team.is_written_to();
    assert_eq!(team.writes(), 0, "nobody's mail carries nothing");
    team.colours(&["Red", "Baton: Ana"]);
    team.becomes(Some("ana"), "assigned");
    team.lies_in("Baton/Ana");
    let why = team.baton.says(&["why", &team.thread().unwrap().id.to_string()]).done();
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(why.contains("category +Baton: Ana in Outlook"), "{why}");
    team.has_polled();
    // What the person wrote is what should be there.
    assert_eq!((team.writes(), team.categories()), (0, vec!["Red".into(), "Baton: Ana".into()]));
}

#[test]
fn what_is_ordered_elsewhere_is_shown_and_other_categories_stay() {
    let team = Team::start();
    team.is_written_to();
    team.colours(&["Red"]);
    team.orders(&["claim"]);
    team.shows(&["Red", "Baton: Ana"]);
    let names: Vec<(String, String)> =
        team.tenant.categories().into_iter().map(|one| (one.name, one.colour)).collect();
    assert_eq!(names[0], ("Baton: Ana".to_owned(), "preset7".to_owned()));
    assert_eq!(names[1], ("Baton: Ben".to_owned(), "preset4".to_owned()));
    assert_eq!(names.len(), 6, "{names:?}");
    team.orders(&["resolve"]);
    team.shows(&["Red", "Baton: Ana", "Baton: Resolved"]);
    team.orders(&["assign", "ben"]);
    team.waits("Ben's colour", |team| team.categories().contains(&"Baton: Ben".to_owned()));
    team.orders(&["release"]);
    team.shows(&["Red"]);
    team.has_polled();
    assert_eq!(team.writes(), 4, "one write for each act");
    let kinds = team.story().events.into_iter().map(|event| event.kind).collect::<Vec<_>>();
    assert_eq!(kinds.len(), 5, "nothing of that was a gesture: {kinds:?}");
}

#[test]
fn states_are_coloured_too_and_taking_the_owner_off_releases() {
    let team = Team::start();
    team.is_written_to();
    team.colours(&["Baton: Ana"]);
    team.becomes(Some("ana"), "assigned");
    team.lies_in("Baton/Ana");
    team.has_polled();
    team.colours(&["Baton: Ana", "Baton: Waiting"]);
    team.becomes(Some("ana"), "waiting");
    team.lies_in("Baton/Ana/Waiting");
    team.has_polled();
    team.colours(&["Baton: Ana"]);
    team.becomes(Some("ana"), "in-progress");
    team.lies_in("Baton/Ana");
    team.has_polled();
    // Ben's in place of Ana's hands it over.
    team.colours(&["Baton: Ben"]);
    team.becomes(Some("ben"), "assigned");
    team.lies_in("Baton/Ben");
    team.has_polled();
    team.colours(&["Blue"]);
    team.becomes(None, "new");
    team.lies_in("INBOX");
    team.has_polled();
    assert_eq!((team.categories(), team.writes()), (vec!["Blue".to_owned()], 0));
}

#[test]
fn of_two_colours_one_wins_and_the_mailbox_is_corrected_once() {
    let team = Team::start();
    team.is_written_to();
    team.colours(&["Baton: Ben", "Red", "Baton: Ana"]);
    team.becomes(Some("ana"), "assigned");
    team.shows(&["Red", "Baton: Ana"]);
    team.has_polled();
    let story = team.story();
    assert_eq!(story.events_like("lost").len(), 1, "Ben is told: {:?}", story.events);
    assert_eq!(team.writes(), 1);
}

#[test]
fn the_folder_counts_more_than_the_colour() {
    let team = Team::start();
    team.is_written_to();
    // While nobody looks over IMAP, Graph is faster.
    team.tenant.set(|knobs| knobs.deaf = true);
    team.tenant.outlook(|outlook| {
        outlook.moves(MAIL, "Baton/Ben");
        outlook.categorises(MAIL, &["Baton: Ana"]);
    });
    team.becomes(Some("ben"), "assigned");
    team.shows(&["Baton: Ben"]);
    team.lies_in("Baton/Ben");
    assert_eq!(team.story().events_like("lost").len(), 1);
    assert_eq!(team.writes(), 1);
}

#[test]
fn a_throttling_graph_is_left_alone_as_long_as_it_says() {
    let team = Team::start();
    team.is_written_to();
    team.tenant.graph.trouble_for("PATCH", graph::throttled(2));
    team.orders(&["claim"]);
    team.waits("the words", |team| team.baton.log().contains("it wants 2 seconds of quiet"));
    team.shows(&["Baton: Ana"]);
    team.waits("the end of the error", |team| team.status()["categories"]["last_error"].is_null());
    assert_eq!(team.writes(), 2);
}

#[test]
fn a_write_whose_answer_was_lost_with_baton_is_not_made_again() {
    let mut team = Team::start();
    team.is_written_to();
    team.tenant.graph.trouble_for("PATCH", Trouble::Mute);
    team.orders(&["claim"]);
    team.shows(&["Baton: Ana"]);
    team.baton.kill();
    team.tenant.graph.set_trouble(Trouble::None);
    team.begins();
    team.has_polled();
    team.waits("nothing to do", |team| team.status()["categories"]["queue"] == 0);
    assert_eq!((team.writes(), team.categories()), (1, vec!["Baton: Ana".to_owned()]));
    assert_eq!(team.story().events.len(), 2, "{:?}", team.story().events);
}

#[test]
fn what_people_did_while_baton_was_down_is_read_later() {
    let mut team = Team::start();
    team.is_written_to();
    team.baton.stop();
    team.colours(&["Baton: Ben"]);
    team.tenant.delivers(&mail(2));
    team.tenant.outlook(|outlook| outlook.categorises("<2@example.test>", &["Baton: Ana"]));
    team.begins();
    team.waits("both claims", |team| {
        let threads = team.baton.threads();
        let owners: Vec<_> = threads.iter().map(|thread| thread.owner.as_deref()).collect();
        owners == [Some("ben"), Some("ana")]
    });
}

/// More than Baton reads in one round, all changed within the time that every round reads again.
#[test]
fn a_colour_is_seen_behind_thousands_of_mails_that_changed_at_once() {
    let team = Team::start();
    team.is_written_to();
    let folder = team.tenant.outlook(|outlook| outlook.makes_folder("Old"));
    team.tenant.mailbox(SHARED, |mailbox| {
        for number in 100..2_200 {
            let (bytes, now) = (mail(number).into_bytes(), jiff::Timestamp::now());
            let mail = mailbox.store.add_mail(bytes, now, Default::default());
            mailbox.store.place(mail, folder);
        }
    });
    team.has_polled();
    team.has_polled();
    team.colours(&["Baton: Ana"]);
    team.becomes(Some("ana"), "assigned");
}

#[test]
fn imap_goes_on_while_graph_is_down() {
    let team = Team::start();
    team.is_written_to();
    team.tenant.graph.set_trouble(Trouble::Down);
    team.waits("the error", |team| team.status()["categories"]["last_error"].is_string());
    team.orders(&["claim"]);
    team.lies_in("Baton/Ana");
    team.waits("nothing to do for IMAP", |team| team.status()["queue"] == 0);
    let status = team.status();
    assert!(status["last_error"].is_null() && status["connected_since"].is_string(), "{status}");
    assert_eq!(status["categories"]["queue"], 1, "{status}");
    let said = team.baton.says(&["status"]).done();
    assert!(said.contains("Outlook's categories rest, 1 thread(s) wait for them:"), "{said}");
    team.tenant.graph.set_trouble(Trouble::None);
    team.shows(&["Baton: Ana"]);
}

#[test]
fn a_missing_permission_is_told_with_its_remedy() {
    let tenant = Tenant::start();
    tenant.microsoft.set(|setup| setup.app_roles.retain(|role| !role.ends_with("Mail.ReadWrite")));
    let mut team = Team::at(tenant);
    team.begins();
    team.waits("the words", |team| {
        let error = team.status()["categories"]["last_error"].to_string();
        error.contains("give the application Mail.ReadWrite of Microsoft Graph")
    });
    team.tenant.delivers(&mail(1));
    team.waits("the thread", |team| team.thread().is_some());
}

#[test]
fn without_the_right_to_colours_categories_work_all_the_same() {
    let tenant = Tenant::start();
    tenant.microsoft.set(|setup| setup.app_roles.retain(|role| !role.contains("MailboxSettings")));
    let mut team = Team::at(tenant);
    team.begins();
    team.is_written_to();
    team.colours(&["Baton: Ana"]);
    team.becomes(Some("ana"), "assigned");
    team.orders(&["resolve"]);
    team.shows(&["Baton: Ana", "Baton: Resolved"]);
    assert!(team.tenant.categories().is_empty());
    let notice = team.status()["categories"]["notice"].to_string();
    assert!(notice.contains("MailboxSettings.ReadWrite"), "{notice}");
    assert_eq!(team.baton.log().matches("without colours of Baton's choice").count(), 1);
}

#[test]
fn a_category_that_is_deleted_from_the_list_decides_nothing() {
    let team = Team::start();
    team.is_written_to();
    team.colours(&["Baton: Ana"]);
    team.becomes(Some("ana"), "assigned");
    team.lies_in("Baton/Ana");
    team.has_polled();
    team.tenant.mailbox(SHARED, |mailbox| {
        mailbox.categories.retain(|category| category.name != "Baton: Ana");
    });
    team.colours(&[]);
    team.shows(&["Baton: Ana"]);
    team.waits("the list", |team| {
        team.tenant.categories().iter().any(|category| category.name == "Baton: Ana")
    });
    assert_eq!(team.thread().unwrap().owner.as_deref(), Some("ana"));
}

#[test]
fn sent_copies_and_copies_of_people_are_told_apart() {
    let team = Team::start();
    team.is_written_to();
    team.tenant.outlook(|outlook| outlook.copies(MAIL, "Sent Items"));
    team.orders(&["claim"]);
    team.lies_in("Baton/Ana");
    team.waits("the colour", |team| {
        team.tenant.shown().iter().any(|one| one.categories == ["Baton: Ana"])
    });
    team.has_polled();
    for one in team.tenant.shown() {
        let expected: &[&str] = if one.folder == "Baton/Ana" { &["Baton: Ana"] } else { &[] };
        assert_eq!(one.categories, expected, "{}", one.folder);
    }
}

#[test]
fn switched_off_it_takes_only_its_own_away() {
    let team = Team::start();
    team.is_written_to();
    team.tenant.mailbox(SHARED, |mailbox| {
        let id = "mine".to_owned();
        let (name, colour) = ("Red".to_owned(), "preset0".to_owned());
        mailbox.categories.push(crate::world::exchange::Category { id, name, colour });
    });
    team.colours(&["Red"]);
    team.orders(&["claim"]);
    team.shows(&["Red", "Baton: Ana"]);
    team.waits("nothing to do", |team| team.status()["categories"]["queue"] == 0);
    team.configure(false, "Ana");
    team.baton.reload();
    team.shows(&["Red"]);
    team.waits("the list", |team| team.tenant.categories().len() == 1);
    team.waits("the end", |team| team.status()["categories"].is_null());
    assert_eq!(team.thread().unwrap().owner.as_deref(), Some("ana"));
    team.configure(true, "Ana");
    team.baton.reload();
    team.shows(&["Red", "Baton: Ana"]);
}

#[test]
fn one_mail_that_graph_will_not_have_keeps_no_other_from_being_cleaned() {
    let mut team = Team::start();
    team.is_written_to();
    team.tenant.delivers(&mail(2));
    team.waits("both threads", |team| team.baton.threads().len() == 2);
    let carry = |team: &Team| {
        let shown = team.tenant.shown();
        shown.iter().filter(|one| one.categories == ["Baton: Ana"]).count()
    };
    for thread in team.baton.threads() {
        team.baton.says(&["claim", &thread.id.to_string(), "--as", "ana"]).done();
    }
    team.waits("both colours", |team| carry(team) == 2);
    team.waits("nothing to do", |team| team.status()["categories"]["queue"] == 0);
    team.baton.stop();
    team.configure(false, "Ana");
    let error =
        serde_json::json!({ "error": { "code": "ErrorX", "message": "This item is odd." } });
    team.tenant.graph.trouble_once(Trouble::Says(Answer::json(400, &error)));
    team.baton.start(&[], None);
    team.waits("the end", |team| team.status()["categories"].is_null());
    assert_eq!((carry(&team), team.tenant.categories().len()), (1, 0));
}

#[test]
fn under_another_name_the_old_one_goes() {
    let team = Team::start();
    team.is_written_to();
    team.colours(&["Red"]);
    team.orders(&["claim"]);
    team.shows(&["Red", "Baton: Ana"]);
    team.configure(true, "Anna");
    team.baton.reload();
    team.shows(&["Red", "Baton: Anna"]);
    team.waits("the list", |team| {
        team.tenant.categories().iter().any(|category| category.name == "Baton: Anna")
    });
    assert_eq!(team.thread().unwrap().owner.as_deref(), Some("ana"));
    team.has_polled();
    assert_eq!(team.writes(), 2);
}

#[test]
fn a_shadow_reads_colours_and_writes_none() {
    let mut team = Team::at(Tenant::start());
    team.baton.start(&["--shadow"], None);
    team.is_written_to();
    team.tenant.delivers(&mail(2));
    team.waits("both threads", |team| team.baton.threads().len() == 2);
    team.orders(&["claim"]);
    team.tenant.outlook(|outlook| outlook.categorises("<2@example.test>", &["Baton: Ben"]));
    team.waits("the claim", |team| team.baton.threads()[1].owner.as_deref() == Some("ben"));
    team.has_polled();
    assert!(team.tenant.graph.requests().iter().all(|request| request.method == "GET"));
    team.baton.stop();
    team.begins();
    team.shows(&["Baton: Ana"]);
}

/// M112: the refresh token of the one consent opens Graph as well, where an admin has agreed to that for everybody.
#[test]
fn a_persons_consent_is_enough() {
    let tenant = Tenant::start();
    tenant.microsoft.set(|setup| {
        setup.admin_consent = vec!["https://graph.microsoft.com/Mail.ReadWrite.Shared"];
    });
    let mut team = Team::at(tenant);
    team.login = format!(
        "flow = \"authorization-code\"\nuser = \"{ANA}\"\nauthorize_url = \"{}\"\n",
        team.tenant.microsoft.authorize_url(TENANT)
    );
    team.configure(true, "Ana");
    team.logs_in();
    team.begins();
    team.is_written_to();
    team.colours(&["Baton: Ben"]);
    team.becomes(Some("ben"), "assigned");
    team.orders(&["resolve"]);
    team.shows(&["Baton: Ben", "Baton: Resolved"]);
    // The list of a shared mailbox is beyond a member's reach (M107).
    assert!(team.status()["categories"]["notice"].is_string(), "{}", team.status());
}

#[test]
fn tokens_for_graph_are_not_told() {
    let mut team = Team::at(Tenant::start());
    team.baton.set_log_level("trace");
    team.begins();
    team.is_written_to();
    team.orders(&["claim"]);
    team.shows(&["Baton: Ana"]);
    let log = team.baton.log();
    let bearers: Vec<String> = team
        .tenant
        .graph
        .requests()
        .iter()
        .filter_map(|request| request.bearer().map(str::to_owned))
        .collect();
    assert!(!bearers.is_empty() && log.len() > 1000);
    assert!(bearers.iter().all(|bearer| !log.contains(bearer)), "a token is in the log");
}

#[test]
fn a_daemon_that_dies_again_and_again_writes_once_for_each_act() {
    let mut team = Team::start();
    team.is_written_to();
    team.orders(&["claim"]);
    team.shows(&["Baton: Ana"]);
    let mut acts = 1;
    for commits in [5, 8, 9, 11, 12, 15] {
        team.baton.stop();
        team.orders(&[if acts % 2 == 1 { "resolve" } else { "reopen" }]);
        acts += 1;
        let variable = ["BATON_CRASH_AFTER_COMMITS", "BATON_CRASH_BEFORE_COMMIT"][commits % 2];
        team.baton.start(&[], Some((variable, commits)));
        let ended = poll(PATIENCE, || team.baton.has_aborted().then_some(()));
        assert!(ended.is_some(), "it lives after {commits} commits\n{}", team.baton.log_tail(20));
        team.begins();
        team.waits("nothing to do", |team| {
            let status = team.status();
            status["categories"]["queue"] == 0 && status["queue"] == 0
        });
        let done: &[&str] = &["Baton: Ana", "Baton: Resolved"];
        team.shows(if acts % 2 == 1 { &done[..1] } else { done });
    }
    team.has_polled();
    assert_eq!(team.story().events.len(), acts + 1, "{:?}", team.story().events);
    assert!(team.writes() <= acts, "{} writes for {acts} acts", team.writes());
}
