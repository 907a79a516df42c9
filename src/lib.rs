//! Baton: one owner and one state for every thread of a shared mailbox, shown in the mailbox itself.
//!
//! The modules below are the rooms of the house, in reading order. Which room may import which is listed in
//! `tests/it/architecture.rs`, and held there.
//!
//! # The story of a message
//!
//! 1. [`imap`] learns of a change: IDLE, NOTIFY, a poll where those cannot see, or a nudge because something is to be
//!    written. It compares UIDVALIDITY with the cursor that its [`imap::Memory`] gave it, fetches from the cursor on with
//!    PEEK, in bounded batches, and hands over what it saw: folder, UIDs, flags, bytes.
//! 2. [`daemon`] reads the bytes ([`mail::parse`]) and gives them to [`engine`], one transaction for each batch: is it a mail
//!    that we know, in a new place; does it join a thread ([`desk::joining`]); what does it do to that thread
//!    ([`desk::arrival`])? Messages, events, threads, wishes **and cursor** are kept together or not at all. A crash means
//!    that the batch is seen again, and a message's identity makes that harmless.
//! 3. Where a mail lies and which keywords it carries is compared in three looks ([`desk::marks`]): what Baton last wrote or
//!    saw, what is there, what should be there. What moved away from *should be* was a person: a gesture, which becomes
//!    the same command as on the command line, decided by [`desk::command::decide`].
//!    At Gmail a mail's labels travel as words among its flags ([`desk::label`]), and say where it lies.
//! 4. Every event carries what it changed in the thread. The thread table is the fold of the log; `baton rebuild` folds it
//!    anew and compares.
//! 5. Where an event changed what should be shown, the outbox holds a wish: *show this thread*. The lane works out the
//!    difference when it writes ([`engine::plan`]), [`imap`] writes one STORE or MOVE for all the mails of a folder that need
//!    the same, and what it wrote is kept ([`engine::settle`]), so that its echo is no news. A mail that a person has just
//!    moved is left alone for as long as the admin says ([`desk::leave`]); the wish waits, and a timer wakes the lane.
//!
//! # The story of a colour
//!
//! Beside a mailbox's lane a task of its own speaks with Microsoft Graph, where the admin wants Outlook's categories
//! ([`desk::category`]). Where marks are wished for, the store wishes for categories too; the task finds the mails,
//! compares the three looks ([`engine::outlook`]) and writes what differs. It also polls what changed, and what a person
//! coloured becomes the same gesture as a keyword. [`graph`] is the door; it goes to HTTPS as [`login`] does, with tokens of
//! its own. When Graph fails, the wishes wait, and the lane knows nothing of it.
//!
//! # The story of a command
//!
//! `baton claim 12 --as ana` connects to the socket in the state directory. The daemon decides in the store's one writing
//! thread, where gestures are decided as well: whoever is decided first has won. Without a daemon the command takes the
//! lock of the state directory and decides by itself, with the same function; the mailbox shows it at the next start.
//!
//! # The story of a login
//!
//! For each connection the door asks its [`imap::connect::Credential`], which the daemon made: a password is read from its
//! place, a token is handed out by [`login::Tokens`]. That one holds a token in memory, renews it before it ends, and keeps
//! the refresh token of a person's consent, sealed, in a file beside the database: nobody else's lock is held while the
//! provider is asked, and a restored database brings back no token that was replaced. `baton login` gets that consent. What a
//! provider says when it refuses goes through [`login::failure_of`] to a sentence and a remedy, which `baton status` shows.
//!
//! # The story of a limit
//!
//! A server that was asked too much says so in answer to anything. [`imap::limit`] knows its words; the connection ends, and
//! the lane waits as [`desk::retry`] says, which `baton status` shows. Such a wait is the account's: no wish, no reload and
//! no login makes it shorter. What comes through the line is counted by the day, and [`desk::budget`] says what may be read
//! on: near the end of a day's budget mail from before the cut-over waits, and new mail is read ahead of it.
//!
//! # The story of a reply
//!
//! 1. Ana's mail client connects to [`submission`]. [`submission::session`], which knows no socket, says what to do: read, say,
//!    shake hands, ask. What it has to ask goes through [`submission::Clerk`] to [`daemon`]: whose password is this, may she
//!    write as this address. At the final dot it says *keep*; the client waits.
//! 2. [`engine::hand_in`], one transaction: what do its first lines say to Baton ([`mail::orders`], [`desk::verb`]); which
//!    thread does it answer, or does it begin one; is it hers, and has anybody written since ([`desk::answer`]); what would leave ([`mail::outgoing`])? The bytes, a state of [`desk::sending`] and the event are kept
//!    together or not at all. Only then does the client hear 250, with the thread's number; or it hears a refusal as a
//!    sentence. The same mail, handed in again because the 250 was lost, is the same mail.
//! 3. `baton outbox` shows it. A person may drop it as long as it has not left, or release what waits.
//! 4. When its time has come, the mailbox's sender (in [`daemon`]) asks [`engine`] what is next. The answer was written down as
//!    *attempting* before it is given, so after a crash the mail is looked for in Sent and not sent again. [`relay`] hands it
//!    over; what its server said decides what follows.
//!    Drafts that people move to Baton/Send come the same way ([`engine`], `drafts`): the lane reads them whole, they are
//!    handed in, and while they can be stopped they lie in Baton/Outbox, beside copies of what came by submission. Where each
//!    of them belongs is decided by [`desk::draft`]; what a person takes out of Baton/Outbox is stopped.
//! 5. Some servers put a copy into Sent and some do not: [`imap`] looks for it, and adds one where none came.
//!
//! # The story of two machines
//!
//! A mail opens a thread, and the customer is to be told that it has come ([`desk::automatic`] says whether). The letter
//! ([`mail::outgoing`]) says that a machine wrote it, carries an id that only this installation can have made
//! ([`mail::proof`]), and leaves through the same outbox. If the other side is a machine as well, its answer is known as one
//! ([`mail::kind`]) and gets none. If it hides that, the engine still hears another Baton, our own mail coming back, or the
//! same words again and again, counts what it wrote to whom, falls silent towards the address, and tells one person. What
//! comes back undelivered returns its thread to its owner ([`desk::arrival`]).
//!
//! # The story of a card
//!
//! 1. An event gives a thread to Ana, or its customer writes again ([`desk::card::occasion`]). In the event's own transaction a
//!    card goes into the outbox: a mail to Ana's own address, whose ids are signed ([`mail::proof`]).
//! 2. She answers it from her phone. The answer comes into the shared mailbox; [`engine`] sees that it names a card, and that
//!    the card was hers. [`mail::authentication`] reads what the receiving server found out, [`desk::proof`] says whether that
//!    is enough. Where it is not, nothing leaves, and she is told.
//! 3. What she wrote herself ([`mail::written`]) becomes a mail to the customer ([`mail::outgoing::answer`]), and is handed in: from
//!    here on it is the story of a reply. Her own mail stays in the thread, among the team's.
//!
//! # Where to change what
//!
//! | to change | go to |
//! | --- | --- |
//! | what a state, a gesture or a command means | [`desk`] |
//! | how mail is understood | [`mail`] |
//! | until when something is due | [`desk::clocks`]; business time in [`desk::calendar`] |
//! | what is remembered | [`store`]; a new migration, with sample rows |
//! | how a server is spoken to | [`imap`] |
//! | how agents' mail clients are spoken to | [`submission`] |
//! | how Graph is spoken to | [`graph`] |
//! | how a token is got, what a refused login means | [`login`] |
//! | how mail leaves | [`relay`] |
//! | what `baton doctor` looks at, and says | [`doctor`], a file for each theme; then its cases below `tests/data/doctor` |
//! | a key of the configuration | [`config`], and `config.example.toml` |
//! | what a person sees on the command line | [`cli`] |

// What the desk knows and decides: pure.
pub mod clock;
pub mod desk;
pub mod mail;

// What it remembers.
pub mod store;

// The doors: to the mailboxes, to Microsoft Graph, to the server that sends; and what opens them.
pub mod graph;
pub mod imap;
pub mod login;
pub mod relay;
pub mod submission;
pub mod tls;

// What turns the wheels.
pub mod daemon;
pub mod engine;

// What looks at all of it, and changes nothing.
pub mod doctor;

// The hallway.
pub mod cli;
pub mod config;
