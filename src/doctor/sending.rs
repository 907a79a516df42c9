//! What is said of the server that sends: the way there, the login, and whether it may send as the shared address.

use super::check::{Check, Sheet, Theme};
use super::login::NOTHING_TO_SHOW;
use super::reach;
use super::submit::{Refusal, Submission, Traces, Trial};
use crate::clock::Timestamp;
use crate::config::{self, Mailbox, Provider};
use crate::daemon::Key;
use crate::login::{Answer, Case, Failure, Way, failure_of};
use crate::mail::parse::parse;
use crate::relay;

const NAMES: [&str; 16] = [
    "smtp-name",
    "smtp-port",
    "smtp-ipv6",
    "smtp-tls",
    "smtp-certificate",
    "smtp-certificate-name",
    "smtp-certificate-days",
    "smtp-hello",
    "smtp-size",
    "smtp-auth",
    "smtp-login",
    "send-as",
    "sent-copy",
    "from-kept",
    "message-id-kept",
    "sent-removed",
];
const TRACES: [&str; 4] = ["sent-copy", "from-kept", "message-id-kept", "sent-removed"];

/// What a mail with attachments needs, in bytes: 25 MB of files grow by a third on the way.
const SIZE_WANTED: u64 = 33_000_000;

/// What is to be said where there is no server to send by.
pub(super) fn absent() -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Sending);
    sheet.skip_all(&NAMES, "there is no [mailbox.smtp]");
    sheet.done()
}

/// What is to be said.
pub(super) fn checks(
    told: &Submission,
    mailbox: &Mailbox,
    server: &config::Server,
    key: &Key,
    now: Timestamp,
) -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Sending);
    reach::judge(&told.reach, &reach::SMTP, now, &mut sheet);
    hello(told, server, &mut sheet);
    let whose = Whose::of(mailbox, server, key);
    login(told, &whose, &mut sheet);
    send_as(&told.trial, &whose, &mut sheet);
    sheet.done()
}

/// Whose login it is, for the words of remedies.
struct Whose<'a> {
    provider: Provider,
    way: Way,
    /// Who logs in.
    user: &'a str,
    /// The shared address.
    address: &'a str,
    case: Case,
}

impl<'a> Whose<'a> {
    fn of(mailbox: &'a Mailbox, server: &'a config::Server, key: &Key) -> Whose<'a> {
        let way = match &server.login {
            config::Login::Password(_) => Way::Password,
            config::Login::OAuth2(_) => key.way(),
        };
        // What is switched off, is so for who logs in.
        let case = Case { user: server.user.clone(), address: server.user.clone(), ..key.case() };
        Whose {
            provider: mailbox.provider,
            way,
            user: &server.user,
            address: &mailbox.address,
            case,
        }
    }

    /// Whom Exchange has to let send: the application, or the person.
    fn trustee(&self) -> String {
        match self.way {
            Way::Application => {
                let id = self.case.object_id.as_deref();
                id.unwrap_or("ENTERPRISE-APP-OBJECT-ID").to_owned()
            }
            Way::Person | Way::Password => self.user.to_owned(),
        }
    }
}

fn hello(told: &Submission, server: &config::Server, sheet: &mut Sheet) {
    let names = ["smtp-hello", "smtp-size", "smtp-auth"];
    let offer = match &told.hello {
        None => return sheet.skip_all(&names, "the server was not reached"),
        Some(Err(error)) => {
            sheet.fail_in_words("smtp-hello", &error.to_string());
            return sheet.skip_all(names.get(1..).unwrap_or_default(), "it did not say hello");
        }
        Some(Ok(offer)) => offer,
    };
    sheet.pass("smtp-hello", "it speaks SMTP");
    match offer.size {
        Some(size) if size < SIZE_WANTED => sheet.warn(
            "smtp-size",
            format!("it takes mails of up to {} MB", size / 1_000_000),
            "answers with larger attachments will be refused; raise the limit if they are usual",
        ),
        Some(size) => sheet.pass("smtp-size", format!("mails of up to {} MB", size / 1_000_000)),
        None => sheet.pass("smtp-size", "it names no limit"),
    }
    let wanted: &[&str] = match server.login {
        config::Login::Password(_) => &["PLAIN", "LOGIN"],
        config::Login::OAuth2(_) => &["XOAUTH2"],
    };
    let offered = offer.logins.join(", ");
    match wanted.iter().any(|way| offer.logins.iter().any(|have| have == way)) {
        true => sheet.pass("smtp-auth", format!("it offers {offered}")),
        false if offered.is_empty() => sheet.fail(
            "smtp-auth",
            "it offers no login",
            "use the port for submission, 587 with \"starttls\" or 465 with \"implicit\": port 25 is for servers",
        ),
        false => sheet.fail(
            "smtp-auth",
            format!("it offers {offered}, but not {}", wanted.join(" or ")),
            "switch it on at the server, or write another login in [mailbox.smtp]",
        ),
    }
}

fn login(told: &Submission, whose: &Whose<'_>, sheet: &mut Sheet) {
    match &told.login {
        None => sheet.skip("smtp-login", "the server was not reached"),
        Some(Ok(())) => sheet.pass("smtp-login", format!("accepted, as {}", whose.user)),
        Some(Err(Refusal::NoProof)) => sheet.skip("smtp-login", NOTHING_TO_SHOW),
        Some(Err(Refusal::Door(relay::Error::LoginRefused { code, text, .. }))) => {
            let (what, remedy) = refused_login(whose, *code, text);
            sheet.fail("smtp-login", format!("{what} (the server says: {code} {text})"), remedy);
        }
        Some(Err(Refusal::Door(error))) => {
            sheet.fail_in_words("smtp-login", &error.to_string());
        }
    }
}

fn refused_login(whose: &Whose<'_>, code: u16, text: &str) -> (String, String) {
    let failure = failure_of(whose.provider, whose.way, &Answer::Smtp { code, text });
    let (user, address) = (whose.user, whose.address);
    let at_microsoft = whose.provider == Provider::Microsoft365;
    match (failure, whose.way) {
        // M84: IMAP wants the mailbox, SMTP the person whose token it is.
        (Failure::WrongSecret, Way::Person) if at_microsoft && user.eq_ignore_ascii_case(address) => (
            format!("Exchange does not let a person's token send as {user} itself"),
            "write in [mailbox.smtp] the user whose token it is; From stays the shared address, by Send As".into(),
        ),
        (Failure::WrongSecret, Way::Person) if at_microsoft => (
            format!("Exchange does not take the token of {user} for sending"),
            format!("see that the token may SMTP.Send (`scope-smtp` above); then, in Exchange Online PowerShell: Set-CASMailbox -Identity {user} -SmtpClientAuthenticationDisabled $false"),
        ),
        // M86
        (Failure::WrongSecret, Way::Application) if at_microsoft => (
            format!("Exchange does not let the application send for {user}"),
            format!("add Office 365 Exchange Online > Application > SMTP.SendAsApp in Microsoft Entra, with admin consent; then, in Exchange Online PowerShell: Add-MailboxPermission -Identity {user} -User {} -AccessRights FullAccess", whose.trustee()),
        ),
        (Failure::NoFullAccess, Way::Application) if at_microsoft => (
            format!("Exchange cannot log on to {user} to send: a shared mailbox without a licence may have no SMTP"),
            format!("give {user} a licence (Exchange Online Plan 1), or send as a person: write user and login of a member in [mailbox.smtp]"),
        ),
        _ => whose.case.told(failure, whose.provider, whose.way),
    }
}

fn send_as(trial: &Trial, whose: &Whose<'_>, sheet: &mut Sheet) {
    match trial {
        Trial::Skipped(why) => {
            sheet.skip("send-as", why);
            sheet.skip_all(&TRACES, why);
        }
        Trial::Refused(error) => {
            let (what, remedy) = refused_mail(whose, error);
            sheet.fail("send-as", what, remedy);
            sheet.skip_all(&TRACES, "no mail was sent");
        }
        Trial::Allowed => {
            sheet.pass("send-as", format!("the server takes mails from {}", whose.address));
            sheet.skip_all(&TRACES, "no mail was sent: this kind of server tells without one");
        }
        Trial::Sent(traces) => {
            sheet.pass("send-as", format!("a mail from {} to itself was taken", whose.address));
            traced(traces, whose, sheet);
        }
    }
}

fn refused_mail(whose: &Whose<'_>, error: &relay::Error) -> (String, String) {
    let relay::Error::Refused { code, text, .. } = error else {
        let words = error.to_string();
        let (what, remedy) = words.rsplit_once("; ").unwrap_or((&words, "try again"));
        return (what.to_owned(), remedy.to_owned());
    };
    let said = text.to_ascii_lowercase();
    let (user, address) = (whose.user, whose.address);
    let has = |word: &str| said.contains(word);
    let denied = ["sendasdenied", "5.7.60", "not allowed to send as", "permissions to send as"];
    let (what, remedy) = match () {
        // M91: 550, where 554 is the refusal itself.
        () if *code == 550 && has("5.2.252") => (
            format!("Exchange has locked sending by {user} after too many refusals"),
            "wait an hour; do not try before Send As is given".to_owned(),
        ),
        () if denied.iter().any(|word| has(word)) && whose.provider == Provider::Microsoft365 => (
            format!(
                "{} has no right to send as {address}",
                match whose.way {
                    Way::Application => "the application",
                    Way::Person | Way::Password => user,
                }
            ),
            format!(
                "in Exchange Online PowerShell: Add-RecipientPermission {address} -AccessRights SendAs -Trustee {} -Confirm:$false; it can take an hour until it counts",
                whose.trustee()
            ),
        ),
        // M93
        () if has("mailbox full") || has("5.2.2 ") => (
            format!("the mailbox of {user} is full, and cannot send"),
            "make room: delete what is not needed, and empty the trash".to_owned(),
        ),
        // G98, M93
        () if has("quota") || has("sending limit") || has("5.4.5") => (
            format!("{user} has sent as much as it may for now"),
            "wait a day; if it happens often, raise the limit or send by another route".to_owned(),
        ),
        // M92
        () if has("concurrent") || has("thread limit") => (
            format!("too many connections send for {user} at once"),
            "close other programs that send for this mailbox".to_owned(),
        ),
        () if *code < 500 => (
            "the server does not take the mail just now".to_owned(),
            "try again in a while".to_owned(),
        ),
        () => (
            format!("the server does not let {user} send as {address}"),
            "let the account send as this address at the server".to_owned(),
        ),
    };
    (format!("{what} (the server says: {code} {text})"), remedy)
}

fn traced(traces: &Traces, whose: &Whose<'_>, sheet: &mut Sheet) {
    let in_sent = traces.found.iter().find(|one| one.folder == traces.sent_folder);
    let folder = &traces.sent_folder;
    match in_sent {
        Some(_) => sheet.pass("sent-copy", format!("the server puts a copy into `{folder}`")),
        None => {
            let what = format!("no copy came into `{folder}` of this mailbox");
            sheet.warn("sent-copy", what, copy_remedy(whose));
        }
    }
    let any = in_sent.or(traces.found.first()).map(|one| parse(&one.header));
    let Some(mail) = any else {
        sheet.skip_all(&["from-kept", "message-id-kept"], "the mail was not found again");
        return removed(traces, sheet);
    };
    let from = mail.from.first().map_or("nobody", |from| from.address.as_str());
    match from.eq_ignore_ascii_case(whose.address) {
        true => sheet.pass("from-kept", format!("it came from {from}")),
        // G93
        false => sheet.fail(
            "from-kept",
            format!("the server made {from} of From"),
            format!(
                "log in as {} itself; or in Gmail of {}, under Settings > Accounts > Send mail as, add that address and verify it",
                whose.address, whose.user
            ),
        ),
    }
    let is_kept = mail.written_ids.iter().any(|id| format!("<{id}>") == traces.message_id);
    let told = mail.written_ids.iter().any(|id| traces.answer.contains(id.as_str()));
    match (is_kept, told) {
        (true, _) => sheet.pass("message-id-kept", "it kept its Message-ID"),
        // M100, M101
        (false, true) => sheet.pass("message-id-kept", "the server gave it another one, and said which"),
        (false, false) => sheet.warn(
            "message-id-kept",
            "the server gave it another one, and did not say which",
            "answers are known by Subject and sender only; nothing to do where the server cannot be changed",
        ),
    }
    removed(traces, sheet);
}

fn copy_remedy(whose: &Whose<'_>) -> String {
    let (user, address) = (whose.user, whose.address);
    match whose.provider {
        // M96
        Provider::Microsoft365 if !user.eq_ignore_ascii_case(address) => format!(
            "it is in the Sent Items of {user}; in Exchange Online PowerShell: Set-Mailbox -Identity {address} -MessageCopyForSentAsEnabled $true"
        ),
        // M95
        Provider::Microsoft365 => format!(
            "in Exchange Online PowerShell: Set-Mailbox -Identity {address} -MessageCopyForSMTPClientSubmissionEnabled $true"
        ),
        // G100
        _ => "send by smtp.gmail.com; a relay keeps a copy only with comprehensive mail storage"
            .into(),
    }
}

fn removed(traces: &Traces, sheet: &mut Sheet) {
    match &traces.removed {
        Ok(()) => sheet.pass("sent-removed", "nothing is left of it in this mailbox"),
        Err(words) => sheet.warn(
            "sent-removed",
            format!("it could not be removed: {words}"),
            "delete the mail \"Baton tries out this mailbox\" in INBOX and in Sent",
        ),
    }
}
