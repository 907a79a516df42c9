//! Baton at an Exchange Online that was asked too much (M57 to M61).

use std::time::Duration;

use super::baton::Team;
use super::mail;
use crate::world::exchange::knobs::{Throttle, Word};
use crate::world::{Status, poll};

fn throttle(times: u32, backoff: Duration, word: Word, closes: bool) -> Option<Throttle> {
    Some(Throttle { verb: Some("UID FETCH"), times, backoff, word, closes })
}

fn waits_for(status: &Status, reason: &str) -> bool {
    status.connected_since.is_none()
        && status.waits_until.is_some()
        && status.last_error.as_ref().is_some_and(|words| words.contains(reason))
}

/// M57: neither something to write, nor a reload, nor other settings make the wait shorter.
#[test]
fn the_time_that_the_server_names_is_waited_for_whoever_knocks() {
    let mut team = Team::start(|_| {});
    team.tenant.delivers(&mail(1));
    team.waits("a thread", |team| team.baton.threads().len() == 1);
    let long = throttle(1, Duration::from_millis(299_961), Word::Bad, true);
    team.tenant.set(|knobs| knobs.throttle = long);
    team.tenant.delivers(&mail(2));
    team.waits("a wait", |team| {
        let status = team.baton.status();
        status.iter().all(|one| waits_for(one, "Suggested Backoff Time: 299961 milliseconds"))
    });
    let before = team.tenant.imap.connections();
    let id = team.baton.threads()[0].id.to_string();
    team.baton.says(&["assign", &id, "ana", "--as", "ana"]).done();
    let patient = team.configuration().replace("poll_seconds = 1", "poll_seconds = 2");
    team.baton.reload();
    team.baton.configure(&patient);
    team.baton.reload();
    let connected = || (team.tenant.imap.connections() != before).then_some(());
    assert!(poll(Duration::from_secs(3), connected).is_none(), "{}", team.baton.log_tail(20));
    let still = team.baton.status();
    assert!(still.iter().all(|one| waits_for(one, "Suggested Backoff Time")), "{still:?}");
    team.baton.stop();
    team.baton.start(&[], None);
    team.waits("the other mail", |team| team.baton.threads().len() == 2);
    team.waits("the owner's folder", |team| {
        let shown = team.tenant.shown();
        shown.iter().any(|one| one.message_id == "<1@example.test>" && one.folder == "Baton/Ana")
    });
}

/// M58, M60: the first look is what is throttled mostly, in the middle of it, and again.
#[test]
fn a_first_look_that_is_throttled_again_and_again_loses_nothing() {
    for (word, closes) in [(Word::Bad, true), (Word::No, false)] {
        let team = Team::start(|tenant| {
            (1..=40).for_each(|number| tenant.delivers(&mail(number)));
            let short = Duration::from_millis(200);
            tenant.set(|knobs| knobs.throttle = throttle(3, short, word, closes));
        });
        team.waits("every mail", |team| team.baton.threads().len() == 40);
        let unread = |team: &Team| team.tenant.shown().len() == 40;
        assert!(unread(&team), "something is lost or doubled");
        assert!(team.baton.log().matches("Suggested Backoff Time").count() >= 3);
        team.baton.says(&["audit"]).done();
    }
}

/// M18, M59.
#[test]
fn a_full_house_is_left_alone() {
    let mut team = Team::start(|_| {});
    team.tenant.set(|knobs| knobs.connections = 0);
    team.tenant.closes_connections();
    team.waits("a wait", |team| {
        team.baton.status().iter().all(|one| waits_for(one, "phones and mail clients"))
    });
    team.tenant.set(|knobs| knobs.connections = 16);
    team.baton.stop();
    team.baton.start(&[], None);
    team.tenant.delivers(&mail(1));
    team.waits("the mail", |team| team.baton.threads().len() == 1);
}
