//! What happens at Gmail only.

use crate::world::{Host, Layout, Provider, Setup, World};

const SUBJECT: &str = "Broken kettle";
const ADDRESS: &str = "support@example.test";

/// Acts at the web on the conversation that the mail is in.
fn at_the_web(
    world: &World,
    message_id: &str,
    act: impl FnOnce(&mut crate::world::gmail::Account, &[crate::world::imapd::MailId]),
) {
    let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
    gmail.person(ADDRESS, |account| {
        let mail = account.find(message_id).expect("no such mail");
        let all = account.conversation(mail);
        act(account, &all);
    });
}

fn claimed(world: &mut World) -> String {
    let id = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    id
}

#[test]
fn a_label_that_was_deleted_is_made_again_and_releases_nothing() {
    Setup::labels().tell(|world| {
        claimed(world);
        world.eyes().deletes_folder("Baton/Ana");
        world.eventually("the label is back", |world| {
            world.eyes().folders().iter().any(|name| name == "Baton/Ana")
        });
        world.becomes(SUBJECT, "assigned, ana");
        assert!(world.thread(SUBJECT).events_like("released").is_empty());
    });
}

#[test]
fn a_label_that_was_renamed_is_made_again_and_releases_nothing() {
    Setup::labels().tell(|world| {
        claimed(world);
        world.eyes().renames_folder("Baton/Ana", "Anna");
        world.becomes(SUBJECT, "assigned, ana");
        assert!(world.thread(SUBJECT).events_like("released").is_empty());
    });
}

#[test]
fn moving_to_a_label_is_not_archiving() {
    Setup::labels().tell(|world| {
        let id = claimed(world);
        at_the_web(world, &id, |account, all| {
            account.unlabel(all, "Baton/Ana");
            account.label(all, "Baton/Ben");
            account.archive(all);
        });
        world.becomes(SUBJECT, "assigned, ben");
    });
}

#[test]
fn all_mail_that_is_hidden_is_told_and_nothing_is_lost() {
    Setup::labels().tell(|world| {
        claimed(world);
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        let show = |shown| {
            gmail.person(ADDRESS, |account| {
                account.show_in_imap("[Gmail]/All Mail", shown).unwrap();
            });
            gmail.drop_sessions(ADDRESS);
        };
        show(false);
        let told = crate::world::poll(crate::world::PATIENCE, || {
            let status = world.baton.says(&["status"]);
            status.out.contains("Show in IMAP").then_some(())
        });
        show(true);
        assert!(told.is_some(), "status does not tell that All Mail is hidden");
        world.becomes(SUBJECT, "assigned, ana");
        assert_eq!(world.thread(SUBJECT).messages().len(), 1);
    });
}

#[test]
fn a_session_that_gmail_ends_is_begun_anew() {
    Setup::labels().tell(|world| {
        claimed(world);
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        gmail.drop_sessions(ADDRESS);
        world.customer_writes("Late parcel");
        world.opens("Late parcel");
    });
}

#[test]
fn another_layout_can_be_chosen_later() {
    Setup::new(Layout::Keywords).at(Provider::Gmail).tell_before_baton(|world| {
        world.customer_writes(SUBJECT);
        world.start();
        world.opens(SUBJECT);
        world.agent("ana").commands("claim", SUBJECT, &[]).done();
        world.decides(SUBJECT, "assigned, ana");
        world.stop();
        world.chooses(Layout::Labels);
        world.start();
        world.becomes(SUBJECT, "assigned, ana");
        assert_eq!(world.baton.threads().len(), 1);
        world.customer_answers(SUBJECT, "One more thing that I forgot: it is the blue one.");
        world.holds(SUBJECT, 2);
        world.becomes(SUBJECT, "assigned, ana");
    });
}
