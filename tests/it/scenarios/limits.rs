//! What a provider refuses because it was asked too much, told at Gmail: Baton waits as it is asked, says so, and loses
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::world::gmail::{Account, Gmail};
use crate::world::{Host, Setup, Status, World};

const SUBJECT: &str = "Broken kettle";
const ADDRESS: &str = "support@example.test";

fn setup() -> Setup {
    Setup::labels().with("provider = \"gmail\"")
}

fn gmail(world: &World) -> Arc<Gmail> {
    let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
    Arc::clone(gmail)
}

fn at_gmail<T>(world: &World, act: impl FnOnce(&mut Account) -> T) -> T {
    gmail(world).person(ADDRESS, act)
}

/// A mail of about so many bytes, most of them in its header or in its body.
fn mail(name: &str, header: usize, body: usize) -> String {
    let line = format!("{}\r\n", "x".repeat(70));
    let filler = |bytes: usize, indent: &str| format!("{indent}{line}").repeat(bytes / 72);
    format!(
        "Message-ID: <{name}@customer.test>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\
         From: Carla Customer <{name}@customer.test>\r\nTo: {ADDRESS}\r\nSubject: {name}\r\n\
         X-Filler: x\r\n{}\r\n{}",
        filler(header, " "),
        filler(body.max(72), "")
    )
}

/// Mail from before the cut-over.
fn history(world: &World, count: usize, header: usize) {
    let at = world.days_ago(60);
    at_gmail(world, |account| {
        for number in 0..count {
            account.holds(&mail(&format!("old{number}"), header, 0), at);
        }
    });
}

fn arrives(world: &World, name: &str, body: usize) {
    at_gmail(world, |account| account.deliver(&mail(name, 0, body)));
}

#[track_caller]
fn becomes(world: &mut World, what: &str, holds: impl Fn(&Status) -> bool) {
    world.eventually(what, |world| world.status().is_some_and(|status| holds(&status)));
}

fn says(words: Option<&String>, part: &str) -> bool {
    words.is_some_and(|words| words.contains(part))
}

/// Waits until `status` tells of a wait and of its reason; then nobody may make it shorter.
#[track_caller]
fn waits(world: &mut World, reason: &str) {
    becomes(world, &format!("a wait because of {reason}"), |status| {
        status.connected_since.is_none()
            && status.waits_until.is_some()
            && says(status.last_error.as_ref(), reason)
    });
    let told = world.baton.says(&["status"]).out;
    assert!(told.contains("waits until"), "{told}");
    let gmail = gmail(world);
    let before = gmail.connections();
    world.baton.reload();
    world.stays("nobody connects", |_| gmail.connections() == before);
}

/// Lets a new daemon try at once, as an admin does who knows that the limit is lifted.
fn restarts(world: &mut World) {
    world.stop();
    world.start();
}

#[test]
fn a_throttled_account_is_served_slowly_and_told_of() {
    setup().tell(|world| {
        let slow = |pause| move |account: &mut Account| account.faults.throttled = pause;
        at_gmail(world, slow(Some(Duration::from_millis(5))));
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        becomes(world, "a notice", |status| says(status.notice.as_ref(), "[THROTTLED]"));
        world.agent("ana").claims(SUBJECT);
        world.becomes(SUBJECT, "assigned, ana");
        at_gmail(world, slow(None));
        world.customer_answers(SUBJECT, "One more thing that I forgot: it is the blue one.");
        world.holds(SUBJECT, 2);
        becomes(world, "no notice", |status| status.notice.is_none());
        assert!(!world.baton.log().contains("trying again"), "{}", world.baton.log_tail(20));
    });
}

#[test]
fn an_account_that_is_locked_for_a_day_is_left_alone() {
    setup().tell(|world| {
        at_gmail(world, |account| account.faults.download_limit = Some(0));
        arrives(world, "late", 0);
        waits(world, "[OVERQUOTA] Account exceeded command or bandwidth limits.");
        at_gmail(world, |account| account.faults.lift_limits());
        restarts(world);
        world.opens("late");
    });
}

#[test]
fn a_lock_in_the_middle_of_history_loses_nothing() {
    setup().tell_before_baton(|world| {
        history(world, 450, 2_000);
        arrives(world, "new", 0);
        at_gmail(world, |account| account.faults.download_limit = Some(500_000));
        world.start_unattended();
        waits(world, "[OVERQUOTA]");
        at_gmail(world, |account| account.faults.lift_limits());
        restarts(world);
        world.opens("new");
    });
}

#[test]
fn a_sixteenth_connection_is_waited_for() {
    setup().tell(|world| {
        at_gmail(world, |account| account.settings.connections = 0);
        gmail(world).drop_sessions(ADDRESS);
        waits(world, "phones and mail clients");
        at_gmail(world, |account| account.settings.connections = 15);
        restarts(world);
        arrives(world, "late", 0);
        world.opens("late");
    });
}

#[test]
fn a_login_that_wants_a_browser_goes_on_when_a_person_has_seen_to_it() {
    setup().tell(|world| {
        at_gmail(world, |account| account.faults.web_login_required = true);
        gmail(world).drop_sessions(ADDRESS);
        world.eventually("a person is asked for", |world| {
            world.baton.log().contains("ERROR")
                && world.status().is_some_and(|status| {
                    says(status.last_error.as_ref(), "sign in to support@example.test once")
                })
        });
        at_gmail(world, |account| account.faults.web_login_required = false);
        world.baton.reload();
        arrives(world, "late", 0);
        world.opens("late");
    });
}

#[test]
fn sessions_that_end_soon_lose_nothing() {
    setup().tell(|world| {
        at_gmail(world, |account| {
            account.settings.session_lifetime = Some(Duration::from_millis(400));
        });
        for name in ["one", "two", "three"] {
            arrives(world, name, 0);
            world.opens(name);
        }
        at_gmail(world, |account| account.settings.session_lifetime = None);
    });
}

#[test]
fn near_the_days_budget_history_waits_and_new_mail_does_not() {
    setup().with("daily_megabytes = 2").tell_before_baton(|world| {
        // Two batches of two hundred are most of the budget.
        history(world, 450, 4_200);
        arrives(world, "new", 0);
        world.start();
        becomes(world, "a notice", |status| says(status.notice.as_ref(), "until 00:00 UTC"));
        world.opens("new");
        arrives(world, "newer", 0);
        world.opens("newer");
        let label = |world: &World, name: &str| {
            at_gmail(world, |account| {
                let mail = account.find(&format!("{name}@customer.test")).unwrap();
                account.label(&[mail], "Baton/Ana");
            });
        };
        label(world, "newer");
        world.becomes("newer", "assigned, ana");
        world.stop();
        label(world, "new");
        world.start();
        world.becomes("new", "assigned, ana");
        assert!(says(world.status().unwrap().notice.as_ref(), "2 MB"));
        let unbounded = world.configuration().replace("megabytes = 2", "megabytes = 0");
        world.baton.configure(&unbounded);
        world.baton.reload();
        becomes(world, "no notice", |status| status.notice.is_none());
        world.becomes("newer", "assigned, ana");
        assert_eq!(world.baton.threads().len(), 2);
    });
}

#[test]
fn a_day_that_is_spent_stays_so_after_a_restart() {
    setup().with("daily_megabytes = 1").tell(|world| {
        for number in 0..30 {
            arrives(world, &format!("large{number}"), 60_000);
        }
        let spent = |world: &mut World| {
            becomes(world, "a spent day", |status| {
                says(status.last_error.as_ref(), "daily_megabytes")
                    && says(status.waits_until.as_ref(), "T00:00:00Z")
                    && 1_000_000 <= status.received_today_bytes
            });
        };
        spent(world);
        world.stop();
        world.start_unattended();
        spent(world);
        let unbounded = world.configuration().replace("megabytes = 1", "megabytes = 5");
        world.baton.configure(&unbounded);
        world.baton.reload();
        world.eventually("everything is read", |world| world.baton.threads().len() == 30);
    });
}

/// Reloads that connect anew and commands that look at the mailbox, all at the same time.
#[test]
fn an_account_never_has_more_than_two_connections_of_batons() {
    setup().tell(|world| {
        at_gmail(world, |account| account.settings.connections = 2);
        let visits = [["audit", "--json"], ["check", "--online"], ["audit", "--json"]];
        let visits = visits.iter().cycle().take(6).map(|words| world.baton.command(words));
        let visits: Vec<_> = visits
            .map(|mut command| std::thread::spawn(move || command.output().expect("cannot run")))
            .collect();
        for seconds in 121..126 {
            let other = format!("poll_seconds = 1\npatience_seconds = {seconds}");
            let before = world.baton.log().matches("is connected").count();
            // In one step, because the commands read it, too.
            let text = world.configuration().replace("poll_seconds = 1", &other);
            world.writes_file("next.toml", &text);
            let dir = world.state_dir().parent().unwrap().to_owned();
            std::fs::rename(dir.join("next.toml"), dir.join("baton.toml")).unwrap();
            world.baton.reload();
            world.eventually("another connection", |world| {
                before < world.baton.log().matches("is connected").count()
            });
        }
        for visit in visits {
            let out = visit.join().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
        assert_eq!(gmail(world).most_sessions(), 2);
    });
}
