//! A bad line, and a server in a bad mood: cut, dead, slow, deaf, refusing, talking nonsense.
//!
//! While each trouble lasts or after it has happened, a customer writes and an agent claims; nothing may be lost or
//! doubled, and Baton must be back before the story loses its patience. [`check`] is the story of one trouble.

use std::time::{Duration, Instant};

use super::{Seed, is_long, times};
use crate::world::{ALWAYS, Fault, Server, Setup, World, poll};

/// One trouble. The ones that stay must be survived while they last.
type Trouble = Fault;

/// What commands are answered with, without reaching the server.
const REFUSALS: [&str; 5] = [
    "NO [UNAVAILABLE] try again later",
    "NO [INUSE] the mailbox is locked",
    "NO not now",
    "BAD what do you mean?",
    "BAD",
];

/// What a rich server is asked in the layouts.
const ASKED: [&str; 10] = [
    "CAPABILITY",
    "AUTHENTICATE",
    "ENABLE",
    "SELECT",
    "LIST",
    "NOTIFY",
    "IDLE",
    "UID FETCH",
    "UID STORE",
    "UID MOVE",
];

/// What a poor server is asked besides. What takes the original away after a copy is a story of its own.
const ASKED_OF_A_POOR_ONE: [&str; 3] = ["STATUS", "UID COPY", "SELECT"];

/// Lines that the parser refuses or dies of, and lines that tell of what was not asked.
const NONSENSE: [&[u8]; 30] = [
    b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n",
    b"* ESEARCH (TAG \"x\") UID COUNT 5\r\n",
    b"* SEARCH 1 2 3 (MODSEQ 917162500)\r\n",
    b"* THREAD (2)(3 6 (4 23)(44 7 96))\r\n",
    b"* XLIST (\\HasNoChildren \\Inbox) \"/\" \"Posteingang\"\r\n",
    b"* LIST () \"/\" \"Baton\" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n",
    b"* STATUS Sent Items (MESSAGES 3 SIZE 99)\r\n",
    b"* STATUS \"Other\" (MESSAGES 1 DELETED 0 MAILBOXID (abc))\r\n",
    b"* 1 FETCH (X (a (b)))\r\n",
    b"* 1 FETCH (FLAGS (\\Seen) X-NEST (a (b (c))))\r\n",
    b"* METADATA \"\" (/shared/comment NIL)\r\n",
    b"* MAYBE\r\n",
    b"* 1 FETCH (X-GM-LABELS NIL)\r\n",
    b"* OK [COPYUID 55 31 6]\r\n[COPYUID 55 31 6]\r\n",
    b"* CAPABILITY IMAP4rev1  IDLE   MOVE UIDPLUS\r\n",
    b"* CAPABILITY IMAP4rev2 IDLE\r\n",
    b"* OK nul\0byte\r\n",
    b"* FLAGS (a\0b)\r\n",
    b"* OK only a line feed\n",
    b"* 1 FETCH (ENVELOPE ())\r\n",
    b"* 1 FETCH (INTERNALDATE NIL)\r\n",
    b"* OK [READ-WRITE]\xc3\xa9\r\n",
    b"* OK [ALERT]\xff\xfe latin\r\n",
    b"* 1 FETCH (BODYSTRUCTURE (((\"TEXT\" \"PLAIN\" NIL) \"MIXED\") NIL ((((\r\n",
    b"\r\n",
    b"*\r\n",
    b"* \r\n",
    b"* 99999999999999999999 EXISTS\r\n",
    b"* LIST (\\Marked) \"/\" A\tB C\r\n",
    b"* VANISHED (EARLIER) 900:901\r\n",
];

/// In whose answers nonsense is put.
const ANSWERS: [&str; 7] =
    ["CAPABILITY", "AUTHENTICATE", "SELECT", "LIST", "UID FETCH", "IDLE", "UID STORE"];

/// Commands that are given once for each connection.
fn is_about_the_login(kind: &str) -> bool {
    matches!(kind, "CAPABILITY" | "AUTHENTICATE" | "ENABLE" | "NOTIFY")
}

fn is_about_writing(trouble: &Trouble) -> bool {
    let (Fault::Refuses(kind, ..) | Fault::Says(kind, ..)) = trouble else { return false };
    matches!(*kind, "UID STORE" | "UID MOVE" | "UID COPY" | "UID EXPUNGE")
}

/// Makes Baton connect anew, so that it comes to what it does once per connection.
fn cuts(world: &mut World) {
    world.mailbox().proxy.set_fault(Fault::CutAfter(0));
    let happened = || (world.mailbox().proxy.fault() == Fault::None).then_some(());
    assert!(poll(Duration::from_secs(10), happened).is_some(), "nothing is said any more");
}

/// One trouble: a customer writes, an agent claims what came before, and all is well; the trouble stays if it is of
/// that kind.
#[track_caller]
fn check(world: &mut World, number: usize, trouble: &Trouble) {
    let begun = Instant::now();
    if let Fault::Refuses(kind, ..)
    | Fault::Says(kind, ..)
    | Fault::Amid(kind, ..)
    | Fault::Floods(kind, _) = trouble
        && is_about_the_login(kind)
    {
        cuts(world);
    }
    eprintln!("  {number}: {trouble:?}");
    world.mailbox().proxy.set_fault(trouble.clone());
    let subject = format!("Order {number}");
    world.customer_writes(&subject);
    world.becomes(&subject, "new");
    // By hand there is nothing left to write; after a command Baton has to.
    if number % 3 == 2 && !is_about_writing(trouble) {
        world.agent("ana").claims(&subject);
    } else {
        world.agent("ana").commands("claim", &subject, &[]).done();
    }
    world.becomes(&subject, "assigned, ana");
    world.mailbox().proxy.set_fault(Fault::None);
    eprintln!("  {number}: {} ms", begun.elapsed().as_millis());
}

/// All these troubles, one after the other, in one world.
fn survives(setup: Setup, name: &str, all: &[Trouble], short: usize) {
    let chosen = Seed::printed(name).some_of(all, times(short, all.len()));
    survives_these(setup, &chosen);
}

fn survives_these(setup: Setup, chosen: &[Trouble]) {
    setup.with("patience_seconds = 2").tell(|world| {
        for (number, trouble) in chosen.iter().enumerate() {
            check(world, number, trouble);
        }
        let threads = world.baton.threads();
        assert_eq!(threads.len(), chosen.len(), "{}", world.picture());
        for thread in threads {
            let thread = world.baton.show(thread.id).unwrap();
            let kinds: Vec<&str> = thread.events.iter().map(|event| event.kind.as_str()).collect();
            assert_eq!(kinds, ["opened", "claimed"], "#{}", thread.id);
        }
        for (id, places) in world.eyes().look().unwrap() {
            assert_eq!(places.len(), 1, "<{id}>: {places:?}");
        }
    });
}

/// The connection ends, in every way in which a connection ends, at a random point; in the long form after each line.
fn ends(name: &str) -> Vec<Trouble> {
    let mut seed = Seed::printed(name);
    let mut all = vec![Fault::Deaf, Fault::Slow(Duration::from_millis(30))];
    let mut line = || seed.below(60);
    let lines = if is_long() { (0..60).collect() } else { vec![line(), line()] };
    for line in lines {
        all.push(Fault::CutAfter(line));
        all.push(Fault::CutAfterBytes(seed.below(4000)));
        all.push(Fault::DeadAfter(line));
        all.push(Fault::ByeAfter(line));
    }
    let wanted = if is_long() { all.len() } else { 4 };
    seed.some_of(&all, wanted)
}

#[test]
fn with_keywords_a_connection_ends_anywhere() {
    survives_these(Setup::keywords(), &ends("ends keywords"));
}

#[test]
fn with_folders_a_connection_ends_anywhere() {
    survives_these(Setup::folders(), &ends("ends folders"));
}

fn refusals(kinds: &[&'static str], times: usize) -> Vec<Trouble> {
    let of = |kind: &&'static str| REFUSALS.map(|answer| Fault::Refuses(kind, answer, times));
    kinds.iter().flat_map(of).collect()
}

#[test]
fn with_keywords_every_command_is_refused() {
    survives(Setup::keywords(), "refused keywords", &refusals(&ASKED, 1), 4);
}

#[test]
fn with_folders_every_command_is_refused() {
    survives(Setup::folders(), "refused folders", &refusals(&ASKED, 1), 4);
}

#[test]
fn with_folders_on_a_poor_server_every_command_is_refused() {
    let poor = Server::without(&["MOVE", "NOTIFY", "LIST-STATUS", "CONDSTORE", "QRESYNC", "IDLE"]);
    let all = refusals(&ASKED_OF_A_POOR_ONE, 1);
    survives(Setup::folders().on(poor), "refused poor", &all, 3);
}

/// Without MOVE a mail is copied first. If its original cannot be taken away then, it is in the mailbox twice, and never
/// less than once; the thread knows nothing of it.
#[test]
fn on_a_poor_server_an_original_that_stays_is_seen_twice_and_never_lost() {
    let poor = Server::without(&["MOVE"]);
    Setup::folders().on(poor).with("patience_seconds = 2").tell(|world| {
        for (number, kind) in ["UID STORE", "UID EXPUNGE"].into_iter().enumerate() {
            let subject = format!("Order {number}");
            let mail = world.customer_writes(&subject);
            world.opens(&subject);
            world.mailbox().proxy.set_fault(Fault::Refuses(kind, "NO not now", 1));
            world.agent("ana").commands("claim", &subject, &[]).done();
            world.eventually("its copy is where it belongs", |world| {
                world.eyes().find(&mail).iter().any(|place| place.folder == "Baton/Ana")
            });
            world.remains(&subject, "assigned, ana");
            assert!(world.eyes().find(&mail).len() <= 2);
            assert_eq!(world.thread(&subject).events.len(), 2);
        }
    });
}

/// What is done once for each mailbox: a folder that the server would not make is made later, and used.
#[test]
fn a_folder_that_was_refused_is_made_later() {
    let mut all = Vec::new();
    for kind in ["CREATE", "SUBSCRIBE"] {
        all.extend(REFUSALS.map(|answer| Fault::Refuses(kind, answer, 4)));
        all.push(Fault::Says(
            kind,
            b"* LIST () \"/\" Baton (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n",
            4,
        ));
    }
    let wanted = if is_long() { all.len() } else { 2 };
    for refusal in Seed::printed("refused folders").some_of(&all, wanted) {
        eprintln!("  {refusal:?}");
        Setup::folders().with("patience_seconds = 2").tell_before_baton(|world| {
            world.mailbox().proxy.set_fault(refusal);
            world.start();
            world.customer_writes("Order");
            world.opens("Order");
            world.agent("ana").commands("claim", "Order", &[]).done();
            world.becomes("Order", "assigned, ana");
            assert_eq!(world.mailbox().proxy.fault(), Fault::None, "it did not happen");
        });
    }
}

fn nonsense(times: usize) -> Vec<Trouble> {
    let mut all = Vec::new();
    for line in NONSENSE {
        all.extend(ANSWERS.map(|kind| Fault::Says(kind, line, times)));
    }
    all
}

#[test]
fn with_keywords_a_server_that_talks_nonsense() {
    survives(Setup::keywords(), "nonsense keywords", &nonsense(1), 4);
}

/// Also before every answer, on every connection, for ever.
#[test]
fn with_folders_a_server_that_always_talks_nonsense() {
    survives(Setup::folders(), "nonsense folders", &nonsense(ALWAYS), 5);
}

#[test]
fn what_happens_in_the_middle_of_something_else_is_not_missed() {
    let all = [
        Fault::Says("UID FETCH", b"* 1 EXPUNGE\r\n", 3),
        Fault::Amid("UID FETCH", b"* 1 EXPUNGE\r\n", 3),
        Fault::Amid("UID FETCH", b"* 2 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Seen))\r\n", ALWAYS),
        Fault::Amid("SELECT", b"* 3 EXISTS\r\n* 2 EXPUNGE\r\n", 2),
        Fault::Amid("LIST", b"* OK [ALERT] soon\r\n* 1 RECENT\r\n", ALWAYS),
        Fault::Says("UID FETCH", b"* 4000 EXISTS\r\n* 4000 EXPUNGE\r\n", 3),
        Fault::Says("IDLE", b"* 7 EXISTS\r\n", 3),
        Fault::Says("IDLE", b"* 7 EXISTS\r\n* 1 RECENT\r\n", ALWAYS),
        Fault::Says("UID FETCH", b"* BYE Session invalidated - AccessTokenExpired\r\n", 1),
        Fault::Says("IDLE", b"Server Unavailable. 15\r\n", 1),
        Fault::Floods("UID FETCH", 100 << 20),
        Fault::Floods("LIST", 100 << 20),
        Fault::Floods("CAPABILITY", 100 << 20),
    ];
    survives(Setup::keywords(), "in the middle", &all, 6);
}

/// While it lasts, `status` says what is wrong; and Baton is back as soon as it is over.
#[test]
fn what_is_wrong_is_said_while_it_is() {
    let lasting = [
        (Fault::Closed, "closed"),
        (Fault::Silent, "silent"),
        (Fault::Refuses("SELECT", "NO [UNAVAILABLE] backend down", ALWAYS), "backend down"),
        (Fault::Refuses("LIST", "BAD no lists today", ALWAYS), "no lists today"),
        (Fault::Refuses("AUTHENTICATE", "NO [INUSE] too busy", ALWAYS), "too busy"),
        (Fault::Refuses("UID FETCH", "NO storage is away", ALWAYS), "storage is away"),
        (Fault::Says("SELECT", b"* BYE closing time\r\n", ALWAYS), "closing time"),
    ];
    Setup::keywords().with("patience_seconds = 2").tell(|world| {
        for (number, (fault, words)) in lasting.iter().enumerate() {
            cuts(world);
            world.mailbox().proxy.set_fault(fault.clone());
            let subject = format!("Order {number}");
            world.customer_writes(&subject);
            world.eventually(&format!("the status says {words:?}"), |world| {
                let error = world.status().and_then(|status| status.last_error);
                error.unwrap_or_default().contains(words)
            });
            world.mailbox().proxy.set_fault(Fault::None);
            world.becomes(&subject, "new");
            world.settle();
            let error = world.status().and_then(|status| status.last_error);
            assert_eq!(error, None, "it is well again");
        }
    });
}
