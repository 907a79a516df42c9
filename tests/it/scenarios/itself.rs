//! The world itself: whether its server, its proxy and its eyes can be trusted.

use crate::world::{Dovecot, Eyes, Fault, Imap, Proxy, Server, Side};

const USER: &str = "support@example.test";
const SECRET: &str = crate::world::PASSWORD;

fn letter(id: &str) -> String {
    format!("Message-ID: <{id}>\r\nSubject: {id}\r\n\r\nHello\r\n")
}

#[test]
fn people_can_deliver_tag_move_copy_and_delete() {
    let dovecot = Dovecot::start(Server::default());
    let mut eyes = Eyes::new(dovecot.port, USER, SECRET);
    eyes.append("INBOX", "", Some("01-Nov-2026 10:00:00 +0000"), letter("a@x").as_bytes());
    eyes.stores("a@x", "+", "baton-ana");
    eyes.moves("a@x", "Baton/Ana");
    eyes.copies("a@x", "Archive");
    let places = eyes.find("a@x");
    let folders: Vec<&str> = places.iter().map(|place| place.folder.as_str()).collect();
    assert_eq!(folders.len(), 2, "{places:?}");
    assert!(folders.contains(&"Baton/Ana") && folders.contains(&"Archive"));
    assert!(places.iter().all(|place| place.flags.contains("baton-ana")), "{places:?}");
    eyes.renames_folder("Baton/Ana", "Baton/Anna");
    assert!(eyes.folders().contains(&"Baton/Anna".to_owned()));
    eyes.reads("a@x");
    eyes.expunges("a@x");
    assert!(eyes.find("a@x").is_empty());
    eyes.deletes_folder("Baton/Anna");
    assert!(!eyes.folders().contains(&"Baton/Anna".to_owned()));
}

#[test]
fn a_lost_index_changes_uidvalidity_and_keeps_the_keywords() {
    let mut dovecot = Dovecot::start(Server::default());
    let mut eyes = Eyes::new(dovecot.port, USER, SECRET);
    eyes.append("INBOX", "baton-ana", None, letter("a@x").as_bytes());
    let before = validity(&dovecot);
    dovecot.loses_uids(USER, "INBOX");
    assert_ne!(validity(&dovecot), before);
    assert!(eyes.find("a@x")[0].flags.contains("baton-ana"));
}

fn validity(dovecot: &Dovecot) -> String {
    let mut imap = Imap::login(dovecot.port, USER, SECRET).unwrap();
    let responses = imap.run("STATUS INBOX (UIDVALIDITY)").unwrap();
    responses[0].text.clone()
}

#[test]
fn a_poorer_server_does_not_admit_to_what_it_hides() {
    let dovecot = Dovecot::start(Server::without(&["MOVE", "NOTIFY", "SPECIAL-USE"]));
    let mut imap = Imap::login(dovecot.port, USER, SECRET).unwrap();
    let text = imap.run("CAPABILITY").unwrap()[0].text.clone();
    for hidden in ["MOVE", "NOTIFY", "SPECIAL-USE"] {
        assert!(!text.split(' ').any(|word| word == hidden), "{text}");
    }
    assert!(text.contains("UIDPLUS"));
    let list = imap.run("LIST \"\" *").unwrap();
    assert!(!list.iter().any(|line| line.text.contains("\\Sent")), "{list:?}");
}

#[test]
fn folders_may_all_lie_under_inbox() {
    let server = Server { separator: '.', prefix: "INBOX.", ..Server::default() };
    let dovecot = Dovecot::start(server);
    let mut eyes = Eyes::new(dovecot.port, USER, SECRET);
    assert!(eyes.folders().contains(&"INBOX.Sent".to_owned()), "{:?}", eyes.folders());
}

#[test]
fn the_proxy_writes_down_who_said_what_in_which_folder() {
    let dovecot = Dovecot::start(Server::default());
    let proxy = Proxy::start(dovecot.port);
    let mut eyes = Eyes::new(proxy.port, USER, SECRET);
    eyes.append("INBOX", "", None, letter("a@x").as_bytes());
    eyes.stores("a@x", "+", "baton-ana");
    let recording = proxy.recording();
    let store = recording.iter().find(|line| line.text.contains(" UID STORE ")).unwrap();
    assert_eq!((store.side, store.folder.as_deref()), (Side::Client, Some("INBOX")));
    assert!(
        recording.iter().any(|line| line.side == Side::Server && line.text.contains("APPENDUID"))
    );
    assert!(!recording.iter().any(|line| line.text.contains(SECRET)));
    assert!(
        recording.iter().any(|line| line.text.contains("APPEND \"INBOX\" () ‹")),
        "{recording:?}"
    );
}

#[test]
fn the_proxy_can_fall_silent_and_cut() {
    let dovecot = Dovecot::start(Server::default());
    let proxy = Proxy::start(dovecot.port);
    proxy.set_fault(Fault::CutAfter(1));
    assert!(Imap::login(proxy.port, USER, SECRET).is_err());
    assert!(Imap::login(proxy.port, USER, SECRET).is_ok());
    proxy.set_fault(Fault::Closed);
    assert!(Imap::greeting(proxy.port).is_err());
    proxy.set_fault(Fault::None);
    assert!(Imap::greeting(proxy.port).is_ok());
    assert_eq!(proxy.connections(), 4);
}

#[test]
fn the_server_comes_back_on_its_port() {
    let mut dovecot = Dovecot::start(Server::default());
    dovecot.stop();
    assert!(Imap::greeting(dovecot.port).is_err());
    dovecot.resume();
    assert!(Imap::greeting(dovecot.port).is_ok());
}
