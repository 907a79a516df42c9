//! Checks one `[[mailbox]]`, and that no two of them mean the same mail.

use std::path::Path;
use std::time::Duration;

use super::document::Field;
use super::file::{FoldersForm, MailboxForm, MarksForm, ServerForm};
use super::preset::{Preset, preset};
use super::problem::{Problems, Wrong, shown};
use super::server::{self, Defaults};
use super::{
    Folders, LayoutChoice, Login, Mailbox, Provider, Server, cards, categories, login, rules,
    sending,
};
use crate::desk::layout::MarkNames;
use crate::desk::policy::{KeepText, Policy};

const DEFAULT_REOPEN_DAYS: u32 = 14;
const DEFAULT_JOIN_DAYS: u32 = 14;
const DAYS_MAX: u32 = 365;
const DEFAULT_BURST: u32 = 30;
const BURST_MAX: u32 = 10_000;
const POLL_SECONDS_MAX: u32 = 3600;
const PATIENCE_SECONDS_MAX: u32 = 600;
const LEAVE_MOVED_SECONDS_MAX: u32 = 600;
const DAILY_MEGABYTES_MAX: u32 = 1_000_000;
const MEGABYTE: u64 = 1_000_000;

/// The checked mailbox, with no agents yet; `None` when something was wrong, which has then been reported.
pub(super) fn check(form: &MailboxForm, base: &Path, problems: &mut Problems) -> Option<Mailbox> {
    let name = form
        .name
        .required(problems, "write name = \"support\", a short name for commands and logs")
        .check(problems, |text| rules::name(text));
    let address = form
        .address
        .required(
            problems,
            "write address = \"support@example.com\", the address that customers write to",
        )
        .check(problems, |text| rules::address(text));
    let aliases = check_aliases(form, problems);
    let provider = check_provider(&form.provider, problems);
    let usual = preset(provider.unwrap_or(Provider::Imap));
    let layout = check_layout(&form.layout, usual.layout, problems);
    let poll = form.poll_seconds.check_or(usual.poll_seconds, problems, |number| {
        rules::within(*number, 1..=POLL_SECONDS_MAX)
    });
    let patience = form.patience_seconds.check_or(usual.patience_seconds, problems, |number| {
        rules::within(*number, 1..=PATIENCE_SECONDS_MAX)
    });
    let megabytes = form.daily_megabytes.check_or(usual.daily_megabytes, problems, |number| {
        rules::within(*number, 0..=DAILY_MEGABYTES_MAX)
    });
    let folders = check_folders(&form.folders, problems);
    // Which keys are needed depends on the provider, so nothing can be said while that is wrong.
    let (imap, smtp) = match provider {
        Some(provider) => check_servers(form, provider, usual, address.clone(), base, problems),
        None => (None, None),
    };
    let policy = check_policy(form, usual, problems);
    let pace = sending::pace(&form.sending, usual, problems);
    let categories = match (provider, &imap, layout) {
        (Some(provider), Some(imap), Some(layout)) => {
            categories::check(&form.categories, provider, &imap.login, layout, problems)
        }
        _ => None,
    };

    let (name, address, aliases) = (name?, address?, aliases?);
    let mut policy = policy?;
    policy.mailbox.clone_from(&name);
    policy.sending.can = matches!(smtp, Some(Some(_)));
    policy.sending.cards = cards::complete(
        policy.sending.cards,
        form.sending.given(),
        &usual,
        policy.sending.can,
        problems,
    );
    policy.own_addresses.push(address.clone());
    policy.own_addresses.extend(aliases.iter().cloned());
    Some(Mailbox {
        name,
        address,
        aliases,
        provider: provider?,
        layout: layout?,
        imap: imap?,
        smtp: smtp?,
        pace: pace?,
        folders: folders?,
        categories: categories?,
        poll: Duration::from_secs(poll?.into()),
        patience: Duration::from_secs(patience?.into()),
        daily_bytes: Some(u64::from(megabytes?) * MEGABYTE).filter(|bytes| 0 < *bytes),
        policy,
    })
}

fn check_aliases(form: &MailboxForm, problems: &mut Problems) -> Option<Vec<String>> {
    if form.aliases.is_absent() {
        return Some(Vec::new());
    }
    let checked: Vec<Option<String>> = form
        .aliases
        .given()?
        .iter()
        .map(|alias| alias.check(problems, |text| rules::address(text)))
        .collect();
    checked.into_iter().collect()
}

fn check_provider(field: &Field<String>, problems: &mut Problems) -> Option<Provider> {
    field.check_or(Provider::Imap, problems, |text| {
        let choices = [
            ("gmail", Provider::Gmail),
            ("microsoft365", Provider::Microsoft365),
            ("imap", Provider::Imap),
        ];
        rules::one_of(text, &choices)
    })
}

fn check_layout(
    field: &Field<String>,
    usual: LayoutChoice,
    problems: &mut Problems,
) -> Option<LayoutChoice> {
    field.check_or(usual, problems, |text| {
        let choices = [
            ("auto", LayoutChoice::Auto),
            ("keywords", LayoutChoice::Keywords),
            ("folders", LayoutChoice::Folders),
            ("labels", LayoutChoice::Labels),
        ];
        rules::one_of(text, &choices)
    })
}

type Servers = (Option<Server>, Option<Option<Server>>);

fn check_servers(
    form: &MailboxForm,
    provider: Provider,
    usual: Preset,
    address: Option<String>,
    base: &Path,
    problems: &mut Problems,
) -> Servers {
    if form.imap.is_absent() && usual.imap.is_none() {
        let remedy = "write [mailbox.imap] with host and password below this [[mailbox]]";
        form.imap.required(problems, remedy);
    }
    let absent = ServerForm::absent(&form.imap.at);
    let imap = if form.imap.is_absent() { Some(&absent) } else { form.imap.given() };
    let second = !form.login.is_absent()
        && imap.is_some_and(|imap| login::refuse_second(&imap.password, problems));
    let checked = form
        .login
        .given()
        .and_then(|login| login::check(login, provider, address.as_deref(), base, problems));
    if form.imap.is_absent() && usual.imap.is_none() {
        return (None, None);
    }
    if form.login.is_absent() && form.imap.is_absent() {
        let remedy = "write [mailbox.login] below this [[mailbox]], with method = \"password\" or \"oauth2\"";
        form.login.required(problems, remedy);
        return (None, None);
    }
    let token_user = checked.as_ref().map(|checked| checked.user.clone());
    let is_password =
        checked.as_ref().is_some_and(|checked| matches!(checked.login, Login::Password(_)));
    let imap = imap.filter(|_| !second).and_then(|imap| {
        let defaults = Defaults {
            ports: (993, 143),
            preset: usual.imap,
            example_host: "imap.example.com",
            // A password opens its user's own mailbox; a token opens the one that is named.
            user: if is_password { token_user.clone() } else { address.clone() },
            login: checked.as_ref().map(|checked| checked.login.clone()),
            ask_for_password: form.login.is_absent(),
        };
        server::check(imap, defaults, base, problems)
    });
    let absent = ServerForm::absent(&form.smtp.at);
    let smtp = match (form.smtp.is_absent(), usual.smtp) {
        (true, None) => return (imap, Some(None)),
        (true, Some(_)) => Some(&absent),
        (false, _) => form.smtp.given(),
    };
    let smtp = smtp.and_then(|smtp| {
        let defaults = Defaults {
            ports: (465, 587),
            preset: usual.smtp,
            example_host: "smtp.example.com",
            user: imap.as_ref().map(|imap| smtp_user(imap, provider)),
            login: imap.as_ref().map(|imap| imap.login.clone()),
            ask_for_password: false,
        };
        server::check(smtp, defaults, base, problems)
    });
    (imap, smtp.map(Some))
}

/// M84: with a person's token, Microsoft's SMTP wants that person, although IMAP wants the shared mailbox.
fn smtp_user(imap: &Server, provider: Provider) -> String {
    match &imap.login {
        Login::OAuth2(oauth) if provider == Provider::Microsoft365 && oauth.is_delegated() => {
            oauth.user.clone()
        }
        _ => imap.user.clone(),
    }
}

fn check_folders(field: &Field<FoldersForm>, problems: &mut Problems) -> Option<Folders> {
    if field.is_absent() {
        return Some(Folders::default());
    }
    let form = field.given()?;
    let all = [&form.sent, &form.drafts, &form.junk, &form.archive, &form.trash];
    refuse_repeated(&all, problems, "another role", "name a folder of its own for each role");
    let mut check = |field: &Field<String>| {
        field.check_or(None, problems, |text| rules::folder(text).map(Some))
    };
    let (sent, drafts, junk) = (check(&form.sent), check(&form.drafts), check(&form.junk));
    let (archive, trash) = (check(&form.archive), check(&form.trash));
    Some(Folders { sent: sent?, drafts: drafts?, junk: junk?, archive: archive?, trash: trash? })
}

/// Refuses each text that has been used before, whatever its case.
fn refuse_repeated(fields: &[&Field<String>], problems: &mut Problems, by: &str, remedy: &str) {
    let mut seen: Vec<String> = Vec::new();
    for field in fields {
        let Some(text) = field.given() else { continue };
        if seen.contains(&text.to_lowercase()) {
            problems.add(&field.at, format!("{} is taken by {by}", shown(text)), remedy);
        }
        seen.push(text.to_lowercase());
    }
}

fn check_policy(form: &MailboxForm, usual: Preset, problems: &mut Problems) -> Option<Policy> {
    let since = form
        .since
        .required(
            problems,
            "choose the day on which Baton takes over and write it as since = \"2026-11-01\"; \
             mail from before is history: it opens no threads, and nothing is shown on it",
        )
        .check(problems, |text| rules::moment(text));
    let reopen_days = form
        .reopen_days
        .check_or(DEFAULT_REOPEN_DAYS, problems, |number| rules::within(*number, 0..=DAYS_MAX));
    let join_days = form
        .join_days
        .check_or(DEFAULT_JOIN_DAYS, problems, |number| rules::within(*number, 0..=DAYS_MAX));
    let burst = form
        .burst_moves_per_minute
        .check_or(DEFAULT_BURST, problems, |number| rules::within(*number, 1..=BURST_MAX));
    let leave_moved =
        form.leave_moved_seconds.check_or(usual.leave_moved_seconds, problems, |number| {
            rules::within(*number, 0..=LEAVE_MOVED_SECONDS_MAX)
        });
    let flag_escalates = form.flag_escalates.check_or(None, problems, |truth| Ok(Some(*truth)));
    let keep_text = form.keep_text.check_or(KeepText::Excerpt, problems, |text| {
        rules::one_of(text, &[("excerpt", KeepText::Excerpt), ("none", KeepText::None)])
    });
    let names = check_marks(&form.marks, problems);
    let sending = sending::check(&form.sending, problems);
    let acknowledgement = sending::check_acknowledgement(&form.acknowledgement, problems);
    let sending = sending.zip(acknowledgement).map(|(sending, acknowledgement)| {
        crate::desk::policy::Sending { acknowledgement, ..sending }
    });
    Some(Policy {
        mailbox: String::new(),
        own_addresses: Vec::new(),
        agents: Vec::new(),
        since: since?,
        reopen_within: days(reopen_days?),
        join_within: days(join_days?),
        burst_moves_per_minute: burst?,
        leave_moved: Duration::from_secs(leave_moved?.into()),
        flag_escalates: flag_escalates?,
        keep_text: keep_text?,
        names: names?,
        sending: sending?,
        key: Default::default(),
        deadlines: None,
    })
}

fn days(number: u32) -> Duration {
    Duration::from_secs(u64::from(number) * 24 * 60 * 60)
}

fn check_marks(field: &Field<MarksForm>, problems: &mut Problems) -> Option<MarkNames> {
    let usual = MarkNames::default();
    if field.is_absent() {
        return Some(usual);
    }
    let form = field.given()?;
    let mut check = |field: &Field<String>, usual: String| {
        field.check_or(usual, problems, |text| rules::mark(text))
    };
    let root = check(&form.root, usual.root);
    let (waiting, blocked) =
        (check(&form.waiting, usual.waiting), check(&form.blocked, usual.blocked));
    let (resolved, ignored) =
        (check(&form.resolved, usual.resolved), check(&form.ignored, usual.ignored));
    let (send, outbox) = (check(&form.send, usual.send), check(&form.outbox, usual.outbox));
    let keyword = form.keyword.check_or(usual.keyword, problems, |text| rules::keyword(text));
    let names = MarkNames {
        root: root?,
        waiting: waiting?,
        blocked: blocked?,
        resolved: resolved?,
        ignored: ignored?,
        send: send?,
        outbox: outbox?,
        keyword: keyword?,
    };
    refuse_same_names(form, &names, problems);
    Some(names)
}

/// As labels, the marks of the four states and the folders of what leaves stand side by side, so each needs a name of its own.
fn refuse_same_names(form: &MarksForm, names: &MarkNames, problems: &mut Problems) {
    let states = [
        (&form.waiting, &names.waiting),
        (&form.blocked, &names.blocked),
        (&form.resolved, &names.resolved),
        (&form.ignored, &names.ignored),
        (&form.send, &names.send),
        (&form.outbox, &names.outbox),
    ];
    for (nth, (field, name)) in states.iter().enumerate() {
        let same = |(_, other): &(_, &String)| other.to_lowercase() == name.to_lowercase();
        let before = states.iter().take(nth).any(same);
        let after = states.iter().skip(nth + 1).any(same);
        // Of two equal names the later one is told, unless that one is a default.
        let other_is_default =
            states.iter().skip(nth + 1).any(|other| same(other) && other.0.is_absent());
        if field.given().is_some() && (before || (after && other_is_default)) {
            let what = format!("{} already names another of Baton's folders", shown(name));
            problems.add(&field.at, what, "give each of them a name of its own");
        }
    }
}

/// The names of Baton's folders and labels that are no agent's, as far as the form has them right.
pub(super) fn own_names(form: &MailboxForm) -> Vec<String> {
    let usual = MarkNames::default();
    let Some(form) = form.marks.given() else {
        let states = [usual.waiting, usual.blocked, usual.resolved, usual.ignored];
        return states.into_iter().chain([usual.send, usual.outbox]).collect();
    };
    [
        (&form.waiting, usual.waiting),
        (&form.blocked, usual.blocked),
        (&form.resolved, usual.resolved),
        (&form.ignored, usual.ignored),
        (&form.send, usual.send),
        (&form.outbox, usual.outbox),
    ]
    .into_iter()
    .map(|(field, usual)| field.given().cloned().unwrap_or(usual))
    .collect()
}

/// Refuses names, addresses and accounts that two mailboxes share: mail must have one mailbox.
pub(super) fn refuse_shared(forms: &[MailboxForm], problems: &mut Problems) {
    let mut names: Vec<&str> = Vec::new();
    let mut addresses: Vec<(String, usize)> = Vec::new();
    let mut accounts: Vec<(String, Option<i64>, String)> = Vec::new();
    for (nth, form) in forms.iter().enumerate() {
        if let Some(name) = form.name.given() {
            if names.contains(&name.as_str()) {
                let what = format!("{} is the name of another mailbox", shown(name));
                problems.add(&form.name.at, what, "give each mailbox a name of its own");
            }
            names.push(name);
        }
        for field in addresses_of(form) {
            let Some(text) = field.given() else { continue };
            let address = text.to_ascii_lowercase();
            if let Some((_, owner)) = addresses.iter().find(|(known, _)| *known == address) {
                problems.refuse(&field.at, address_taken(text, *owner == nth));
            }
            addresses.push((address, nth));
        }
        let Some((field, account)) = account_of(form) else { continue };
        if accounts.contains(&account) {
            let what = "another mailbox reads this account already";
            let remedy =
                "write each mailbox's own user; further addresses of one account are aliases";
            problems.add(&field.at, what, remedy);
        }
        accounts.push(account);
    }
}

fn address_taken(address: &str, same_mailbox: bool) -> Wrong {
    if same_mailbox {
        let what = format!("{} is an address of this mailbox already", shown(address));
        Wrong::new(what, "take it out")
    } else {
        let what = format!("{} belongs to another mailbox", shown(address));
        Wrong::new(what, "leave it with the one mailbox that receives its mail")
    }
}

/// The fields that hold a mailbox's addresses.
pub(super) fn addresses_of(form: &MailboxForm) -> impl Iterator<Item = &Field<String>> {
    std::iter::once(&form.address).chain(form.aliases.given().into_iter().flatten())
}

type Account = (String, Option<i64>, String);

fn account_of(form: &MailboxForm) -> Option<(&Field<String>, Account)> {
    let provider = match form.provider.given().map(String::as_str) {
        Some("gmail") => Provider::Gmail,
        Some("microsoft365") => Provider::Microsoft365,
        _ => Provider::Imap,
    };
    let usual = preset(provider).imap.map(|place| place.host);
    let imap = form.imap.given();
    let host = imap.and_then(|imap| imap.host.given()).map(String::as_str).or(usual)?;
    let port = imap.and_then(|imap| imap.port.given()).copied();
    let login_user = form.login.given().and_then(|login| {
        let is_password = login.method.given().is_none_or(|method| method == "password");
        login.user.given().filter(|_| is_password)
    });
    let user = imap.and_then(|imap| imap.user.given()).or(login_user).or(form.address.given())?;
    let field = match imap {
        Some(imap) if !imap.user.is_absent() => &imap.user,
        Some(imap) if !imap.host.is_absent() => &imap.host,
        _ => &form.address,
    };
    Some((field, (host.to_ascii_lowercase(), port, user.to_lowercase())))
}
