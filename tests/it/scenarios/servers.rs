//! Servers of every kind: poor ones, slow ones, dead ones, and two at once.

use crate::world::{ALWAYS, Fault, Layout, Server, Setup, Side, World};

const SUBJECT: &str = "Broken kettle";

/// What a team does with one customer, in any layout, on any server.
fn an_ordinary_day(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").replies(SUBJECT);
    world.becomes(SUBJECT, "waiting, ana");
    world.customer_answers(SUBJECT, "I did as you said. Which part should I send back?");
    world.becomes(SUBJECT, "in-progress, ana");
    world.agent("ben").commands("assign", SUBJECT, &["ben"]).done();
    world.becomes(SUBJECT, "in-progress|assigned, ben");
    world.agent("ben").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ben");
    world.holds(SUBJECT, 3);
}

/// The day on a server without these capabilities; nothing that it does not offer may be asked of it.
#[track_caller]
fn a_day_without(layout: Layout, hidden: &[&'static str], never: &[&str]) {
    Setup::new(layout).on(Server::without(hidden)).tell(|world| {
        an_ordinary_day(world);
        for line in world.mailbox().proxy.recording() {
            let words = line.text.to_ascii_uppercase();
            let asked = never.iter().find(|word| words.contains(&format!(" {word}")));
            assert!(
                line.side == Side::Server || asked.is_none(),
                "asked for {asked:?}: {}",
                line.text
            );
        }
    });
}

#[test]
fn with_folders_without_move() {
    a_day_without(Layout::Folders, &["MOVE"], &["UID MOVE"]);
}

#[test]
fn with_folders_without_notify_and_list_status() {
    a_day_without(Layout::Folders, &["NOTIFY", "LIST-STATUS"], &["NOTIFY", "RETURN (STATUS"]);
}

#[test]
fn with_keywords_without_notify() {
    a_day_without(Layout::Keywords, &["NOTIFY"], &["NOTIFY"]);
}

#[test]
fn with_keywords_without_condstore() {
    let never =
        ["ENABLE QRESYNC", "ENABLE CONDSTORE", "(CHANGEDSINCE", "(UNCHANGEDSINCE", "NOTIFY"];
    a_day_without(Layout::Keywords, &["CONDSTORE", "QRESYNC", "NOTIFY"], &never);
}

#[test]
fn with_folders_without_idle() {
    a_day_without(Layout::Folders, &["IDLE", "NOTIFY"], &["IDLE", "NOTIFY"]);
}

#[test]
fn with_keywords_without_special_use_attributes() {
    a_day_without(
        Layout::Keywords,
        &["SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS"],
        &["RETURN ("],
    );
}

/// What was usual twenty years ago.
const OLD: [&str; 12] = [
    "MOVE",
    "NOTIFY",
    "CONDSTORE",
    "QRESYNC",
    "IDLE",
    "LIST-STATUS",
    "LIST-EXTENDED",
    "SPECIAL-USE",
    "ENABLE",
    "ESEARCH",
    "LITERAL+",
    "ID",
];

#[test]
fn with_keywords_on_an_old_server() {
    a_day_without(Layout::Keywords, &OLD, &["UID MOVE", "NOTIFY", "IDLE", "ENABLE", "RETURN ("]);
}

#[test]
fn with_folders_on_an_old_server() {
    a_day_without(Layout::Folders, &OLD, &["UID MOVE", "NOTIFY", "IDLE", "ENABLE", "RETURN ("]);
}

/// Courier and Cyrus: everything lies under INBOX, and a dot separates.
#[test]
fn with_folders_that_all_lie_under_inbox() {
    let server = Server { separator: '.', prefix: "INBOX.", ..Server::default() };
    Setup::folders().on(server).tell(|world| {
        let id = world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        world.eyes().moves(&id, "INBOX.Baton.Ana");
        world.decides(SUBJECT, "assigned, ana");
        world.agent("ana").commands("resolve", SUBJECT, &[]).done();
        world.eventually("it lies with the resolved", |world| {
            world.eyes().find(&id).iter().all(|place| place.folder == "INBOX.Baton.Resolved")
        });
    });
}

/// One mailbox's server accepts the connection and never answers; the other mailbox does not wait for it.
#[test]
fn a_mailbox_that_hangs_delays_no_other() {
    Setup::keywords().and_mailbox("billing").tell_before_baton(|world| {
        world.turns_to("billing");
        world.mailbox().proxy.set_fault(Fault::Silent);
        world.turns_to("support");
        world.start_unattended();
        an_ordinary_day(world);
        world.turns_to("billing");
        assert!(
            world.status().is_some_and(|status| status.connected_since.is_none()),
            "{}",
            world.picture()
        );
        world.customer_writes("Wrong invoice");
        world.mailbox().proxy.set_fault(Fault::None);
        world.opens("Wrong invoice");
        world.agent("cleo").claims("Wrong invoice");
        world.becomes("Wrong invoice", "assigned, cleo");
    });
}

#[test]
fn a_mailbox_that_falls_silent_in_the_middle_delays_no_other() {
    Setup::folders().and_mailbox("billing").tell(|world| {
        world.turns_to("billing");
        world.customer_writes("Wrong invoice");
        world.opens("Wrong invoice");
        world.mailbox().proxy.set_fault(Fault::Silent);
        world.agent("cleo").claims("Wrong invoice");
        world.turns_to("support");
        an_ordinary_day(world);
        world.turns_to("billing");
        world.mailbox().proxy.set_fault(Fault::None);
        world.becomes("Wrong invoice", "assigned, cleo");
    });
}

#[test]
fn a_connection_that_is_cut_again_and_again_loses_nothing() {
    Setup::folders().tell(|world| {
        for after in [0, 1, 3, 6] {
            let subject = format!("Order {after}");
            world.mailbox().proxy.set_fault(Fault::CutAfter(after));
            world.customer_writes(&subject);
            world.opens(&subject);
            world.mailbox().proxy.set_fault(Fault::CutAfter(after));
            world.agent("ana").claims(&subject);
            world.becomes(&subject, "assigned, ana");
        }
        world.mailbox().proxy.set_fault(Fault::None);
        assert_eq!(world.baton.threads().len(), 4);
    });
}

#[test]
fn a_server_that_is_down_is_said_to_be_and_taken_up_again() {
    Setup::keywords().tell(|world| {
        world.customer_writes(SUBJECT);
        let id = world.opens(SUBJECT).to_string();
        world.dovecot().stop();
        world.eventually("the status says so", |world| {
            world.status().is_some_and(|status| {
                status.connected_since.is_none() && status.last_error.is_some()
            })
        });
        // The desk stays open meanwhile.
        world.agent("ana").types(&["claim", &id]).done();
        assert!(world.baton.is_running());
        world.dovecot().resume();
        world.customer_writes("Late parcel");
        world.opens("Late parcel");
        world.becomes(SUBJECT, "assigned, ana");
        assert!(world.status().is_some_and(|status| status.last_seen_at.is_some()));
    });
}

#[test]
fn a_wrong_password_is_told_apart_and_not_tried_again_and_again() {
    Setup::keywords().tell_before_baton(|world| {
        let good = world.configuration();
        world.baton.configure(&good.replace("/password\"", "/no-password\""));
        world.writes_file("no-password", "swordfish");
        world.start_unattended();
        world.eventually("the status says so", |world| {
            let error = world.status().and_then(|status| status.last_error).unwrap_or_default();
            let error = error.to_lowercase();
            error.contains("password") || error.contains("login") || error.contains("log in")
        });
        world.stays("the daemon runs on", |world| world.baton.is_running());
        let recording = world.mailbox().proxy.recording();
        let tries = recording.iter().filter(|line| {
            let words = line.text.to_ascii_uppercase();
            line.side == Side::Client
                && (words.contains(" LOGIN ") || words.contains(" AUTHENTICATE "))
        });
        let tries = tries.count();
        assert!(tries <= 2, "{tries} tries within seconds");
        assert!(!world.baton.log().contains("swordfish"), "the password is in the log");
        // Whoever corrects the password reloads, and need not wait for the next try.
        world.writes_file("no-password", crate::world::PASSWORD);
        world.baton.reload();
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
    });
}

/// A mailbox that is full keeps what it has: nothing can be added, and Exchange and others count a move as that (M62).
fn a_full_mailbox(setup: Setup) {
    setup.tell(|world| {
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        let full = "NO [OVERQUOTA] Quota exceeded (mailbox for user is full)";
        world.mailbox().proxy.set_fault(Fault::Refuses("UID MOVE", full, ALWAYS));
        world.agent("ana").commands("claim", SUBJECT, &[]).done();
        world.decides(SUBJECT, "assigned, ana");
        world.eventually("the admin is told", |world| {
            let told = world.status().unwrap().last_error.unwrap_or_default();
            told.contains("does not show #1") && told.contains("Quota exceeded")
        });
        // It is no lock of the account: new mail is read, and decisions count.
        assert!(world.status().unwrap().connected_since.is_some(), "{}", world.picture());
        world.customer_writes("Another");
        world.opens("Another");
        world.mailbox().proxy.set_fault(Fault::None);
        world.becomes(SUBJECT, "assigned, ana");
        assert_eq!(world.status().unwrap().last_error, None);
    });
}

#[test]
fn a_full_mailbox_at_dovecot_catches_up_when_there_is_room() {
    a_full_mailbox(Setup::folders());
}

#[test]
fn a_full_mailbox_at_exchange_catches_up_when_there_is_room() {
    a_full_mailbox(Setup::exchange());
}
