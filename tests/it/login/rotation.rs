//! Baton dies while it takes over a new refresh token: the newest one that can be known is never lost.

use std::os::unix::process::ExitStatusExt;

use super::Desk;
use super::flows::person_at;
use crate::world::exchange::Tenant;
use crate::world::tokens::microsoft::Rotation;

impl Desk {
    /// A command that needs a token dies when its new refresh token has come this far.
    #[track_caller]
    fn dies_when(&self, step: &str) {
        let mut command = self.baton.command(&["check", "--online"]);
        let ended = command.env("BATON_CRASH_IN_LOGIN", step).output().expect("cannot run baton");
        assert_eq!(ended.status.signal(), Some(6), "{step}: {ended:?}");
    }
}

/// A mailbox for which a person has agreed, at a provider that rotates so.
fn agreed(tenant: &Tenant, rotation: Rotation) -> Desk {
    tenant.microsoft.set(|setup| setup.rotation = rotation);
    let desk = person_at(tenant);
    desk.logs_in_by_browser();
    desk
}

#[test]
fn once_written_the_new_token_is_found_though_the_old_one_is_dead() {
    let tenant = Tenant::start();
    let desk = agreed(&tenant, Rotation::NewAndOldDies);
    for _ in 0..2 {
        for step in ["written", "synced", "renamed"] {
            desk.dies_when(step);
            desk.baton.says(&["check", "--online"]).done();
        }
    }
}

#[test]
fn dying_again_and_again_loses_nothing() {
    let tenant = Tenant::start();
    let desk = agreed(&tenant, Rotation::NewAndOldDies);
    for step in ["written", "written", "synced", "written", "renamed", "synced", "synced"] {
        desk.dies_when(step);
    }
    desk.baton.says(&["check", "--online"]).done();
}

/// A token that never reached the disk is lost; the old one is there still, and works where the provider lets it (M79).
#[test]
fn before_it_is_written_the_old_token_stays() {
    let tenant = Tenant::start();
    let desk = agreed(&tenant, Rotation::New);
    desk.dies_when("received");
    desk.baton.says(&["check", "--online"]).done();
}

/// What nobody can save is said with its remedy, and mended by it.
#[test]
fn a_login_that_died_on_the_way_is_asked_for_anew() {
    let tenant = Tenant::start();
    let desk = agreed(&tenant, Rotation::NewAndOldDies);
    desk.dies_when("received");
    let said = desk.baton.says(&["check", "--online"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let words = format!("{}{}", said.out, said.err).replace('\n', " ");
    assert!(words.contains("baton login support"), "{words}");
    desk.logs_in_by_browser();
    desk.baton.says(&["check", "--online"]).done();
}

#[test]
fn a_provider_that_keeps_the_token_is_served_as_well() {
    let tenant = Tenant::start();
    let desk = agreed(&tenant, Rotation::Keep);
    for step in ["received", "written", "synced", "renamed"] {
        desk.dies_when(step);
        desk.baton.says(&["check", "--online"]).done();
    }
}
