//! An organisation at Microsoft 365: its sign-in, its mailboxes over IMAP, submission, and the same mailboxes in Graph.
//!
//! ```ignore
//! let tenant = Tenant::start();                              // shared@ and ana@contoso.com; ana and the app have Full Access
//! tenant.imap.port; tenant.microsoft.token_url(TENANT);      // what a client is told
//! tenant.token_of_app(); tenant.token_of("ana@contoso.com"); // for raw clients
//! tenant.set(|knobs| knobs.deaf = true);                     // see knobs::Knobs
//! tenant.delivers("Subject: …");                             // a mail arrives at the shared mailbox
//! tenant.outlook(|outlook| outlook.moves("<1@x>", "Baton/Ana")); // people, see people::Person
//! tenant.shown();                                            // folders, UIDs, flags and categories as they are
//! tenant.imap.heard();                                       // every command, with bytes asked and answered
//! tenant.forward(3600);                                      // time passes: tokens end, in IDLE, too
//! tenant.smtp.port; tenant.sent();                           // submission, see smtp
//! tenant.graph_url();                                        // Graph, see graph
//! ```
//!
//! Points "7.n" in the tests are those of the list of what an emulator of Exchange Online must do; facts are named in the code.
//! IMAP itself is [`super::imapd`]'s; what is Exchange's is in [`service`] (the dialect), [`words`], [`faults`] and [`moves`].

mod faults;
pub(crate) mod graph;
pub(crate) mod knobs;
mod mailbox;
mod moves;
mod people;
mod rendering;
mod service;
pub(crate) mod smtp;
mod words;

use std::sync::Arc;

use self::knobs::Knobs;
use self::mailbox::Mailbox;
pub(crate) use self::mailbox::{Category, Language, Shown};
use self::people::Person;
use self::service::Exchange;
use self::smtp::Smtp;
use super::imapd::Server;
use super::tokens::microsoft::{CLIENT_ID, SECRET, TENANT};
use super::tokens::{Grant, Microsoft, Who, browser, http};

/// The shared mailbox.
pub(crate) const SHARED: &str = "shared@contoso.com";
/// A member with Full Access to it.
pub(crate) const ANA: &str = "ana@contoso.com";

/// A running organisation.
pub(crate) struct Tenant {
    pub(crate) microsoft: Microsoft,
    pub(crate) imap: Arc<Server<Exchange>>,
    /// Where mail is submitted.
    pub(crate) smtp: Smtp,
    /// Graph, for troubles and its record.
    pub(crate) graph: http::Server,
}

impl Tenant {
    pub(crate) fn start() -> Tenant {
        Tenant::start_in(Language::English)
    }

    /// With the folders of the shared mailbox in this language.
    pub(crate) fn start_in(language: Language) -> Tenant {
        let microsoft = Microsoft::start();
        let mut exchange = Exchange::new(Arc::clone(&microsoft.ledger));
        let mut shared = Mailbox::new(SHARED, language);
        shared.full_access = vec![ANA.to_owned(), CLIENT_ID.to_owned()];
        shared.send_as = shared.full_access.clone();
        exchange.mailboxes.insert(SHARED.to_owned(), shared);
        exchange.mailboxes.insert(ANA.to_owned(), Mailbox::new(ANA, Language::English));
        let imap = Arc::new(Server::start(exchange));
        let graph = graph::start(Arc::clone(&imap));
        let smtp = Smtp::start(Arc::clone(&imap));
        Tenant { microsoft, imap, smtp, graph }
    }

    /// Turns knobs.
    pub(crate) fn set(&self, turn: impl FnOnce(&mut Knobs)) {
        self.imap.with(|exchange| turn(&mut exchange.knobs));
    }

    /// Turns knobs of SMTP.
    pub(crate) fn set_smtp(&self, turn: impl FnOnce(&mut smtp::Knobs)) {
        self.imap.with(|exchange| turn(&mut exchange.smtp.knobs));
    }

    /// What has left by SMTP.
    pub(crate) fn sent(&self) -> Vec<smtp::Sent> {
        self.imap.with(|exchange| exchange.smtp.sent.clone())
    }

    /// Looks at a mailbox, or changes what nobody can with Outlook: permissions, for one.
    #[track_caller]
    pub(crate) fn mailbox<T>(&self, address: &str, act: impl FnOnce(&mut Mailbox) -> T) -> T {
        self.imap.with(|exchange| act(exchange.mailbox(address)))
    }

    /// A mail arrives at the shared mailbox.
    pub(crate) fn delivers(&self, message: &str) {
        self.imap.with(|exchange| exchange.delivers(SHARED, message));
    }

    /// Somebody works in the shared mailbox with Outlook.
    #[track_caller]
    pub(crate) fn outlook<T>(&self, act: impl FnOnce(&mut Person<'_>) -> T) -> T {
        self.imap.with(|exchange| act(&mut exchange.outlook(SHARED)))
    }

    /// Everything in the shared mailbox.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.mailbox(SHARED, |mailbox| mailbox.shown())
    }

    /// The list of categories of the shared mailbox.
    pub(crate) fn categories(&self) -> Vec<Category> {
        self.mailbox(SHARED, |mailbox| mailbox.categories.clone())
    }

    /// A folder of the shared mailbox is numbered anew; who has it open is thrown out (M49).
    pub(crate) fn renumbers(&self, folder: &str) {
        self.imap.with(|exchange| {
            let mailbox = exchange.mailbox(SHARED);
            let folder = mailbox.folder(folder).id;
            mailbox.store.renumber(folder);
            exchange.throw_out("* BYE Connection is closed. 14");
        });
    }

    /// Every connection is closed, as after too long a silence (M18, M54).
    pub(crate) fn closes_connections(&self) {
        self.imap.with(|exchange| exchange.throw_out("* BYE Connection is closed. 13"));
    }

    /// A message cannot be fetched any more (M48).
    #[track_caller]
    pub(crate) fn cannot_render(&self, message_id: &str) {
        self.imap.with(|exchange| {
            let places = exchange.mailbox(SHARED).places(message_id);
            exchange.unrenderable.extend(places.into_iter().map(|(_, _, mail)| mail));
        });
    }

    /// Time passes, for tokens and for Outlook.
    pub(crate) fn forward(&self, seconds: i64) {
        self.microsoft.ledger.forward(seconds);
        self.imap.with(|exchange| exchange.delivers_copies());
    }

    /// A token as the app gets it (M71).
    #[track_caller]
    pub(crate) fn token_of_app(&self) -> String {
        self.app_token("https://outlook.office365.com/.default")
    }

    /// The same for Graph (M112).
    #[track_caller]
    pub(crate) fn token_for_graph(&self) -> String {
        self.app_token("https://graph.microsoft.com/.default")
    }

    #[track_caller]
    fn app_token(&self, scope: &str) -> String {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", SECRET),
            ("scope", scope),
        ];
        let reply = browser::post(&self.microsoft.token_url(TENANT), &fields);
        reply.expect("no answer").text("access_token")
    }

    /// A token of a member for IMAP and SMTP, without the way through the browser (M75).
    pub(crate) fn token_of(&self, member: &str) -> String {
        let scopes = ["IMAP.AccessAsUser.All", "SMTP.Send"];
        let scopes = scopes.map(|scope| format!("https://outlook.office.com/{scope}")).to_vec();
        let who = Who::Person(member.to_owned());
        let token = format!("eyJ{}", super::tokens::random(600));
        let grant = Grant { who, client: CLIENT_ID.to_owned(), scopes };
        self.microsoft.ledger.give_access(&token, grant, 3600);
        token
    }

    /// What stands for `https://graph.microsoft.com/v1.0`.
    pub(crate) fn graph_url(&self) -> String {
        format!("{}/v1.0", self.graph.url())
    }
}
