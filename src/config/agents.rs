//! Checks the `[[agent]]` sections: who they are, and that no two people, and no person and a state, share a
//! name that Baton shows.

use super::document::Field;
use super::file::{AgentForm, MailboxForm};
use super::problem::{Problems, Wrong, nearest, shown};
use super::{mailbox, rules};
use crate::desk::roster::{Agent, AgentId};

/// Words that stand for states and for actors who are no agents, in keywords, commands and the log.
const RESERVED_IDS: [&str; 14] = [
    "new",
    "assigned",
    "in-progress",
    "waiting",
    "blocked",
    "resolved",
    "ignored",
    "escalated",
    "someone",
    "none",
    "baton",
    "rule",
    "server",
    "all",
];

/// The checked agent; `None` when something was wrong, which has then been reported.
pub(super) fn check(
    form: &AgentForm,
    mailboxes: &[MailboxForm],
    problems: &mut Problems,
) -> Option<Agent> {
    let id = form
        .id
        .required(problems, "write id = \"ana\", a short name for commands and keywords")
        .check(problems, |text| agent_id(text));
    let name = form
        .name
        .required(problems, "write name = \"Ana Ruiz\", the agent's full name")
        .check(problems, |text| rules::words(text));
    let address = form
        .address
        .required(problems, "write address = \"ana@example.com\", the agent's own address")
        .check(problems, |text| own_address(text, mailboxes));
    let works_in = check_mailboxes(form, mailboxes, problems);
    let mark = check_mark(form, mailboxes, problems);
    let cards = form.cards.check_or(true, problems, |truth| Ok(*truth));
    Some(Agent {
        id: AgentId(id?),
        name: name?,
        address: address?,
        mark: mark?,
        mailboxes: works_in?,
        cards: cards?,
    })
}

fn agent_id(text: &str) -> Result<String, Wrong> {
    let id = rules::name(text)?;
    if RESERVED_IDS.contains(&id.as_str()) {
        let what = format!("{} means something else in commands and keywords", shown(&id));
        return Err(Wrong::new(what, "write another id, as in \"ana\""));
    }
    Ok(id)
}

fn own_address(text: &str, mailboxes: &[MailboxForm]) -> Result<String, Wrong> {
    let address = rules::address(text)?;
    let shared = mailboxes
        .iter()
        .flat_map(mailbox::addresses_of)
        .filter_map(Field::given)
        .any(|known| known.eq_ignore_ascii_case(&address));
    if shared {
        let what = format!("{} is a shared address", shown(text));
        return Err(Wrong::new(what, "write the agent's own address"));
    }
    Ok(address)
}

fn check_mailboxes(
    form: &AgentForm,
    mailboxes: &[MailboxForm],
    problems: &mut Problems,
) -> Option<Vec<String>> {
    if form.mailboxes.is_absent() {
        return Some(Vec::new());
    }
    let named = form.mailboxes.given()?;
    if named.is_empty() {
        let remedy = "name at least one, or leave the key out: then the agent works in all of them";
        problems.add(&form.mailboxes.at, "names no mailbox", remedy);
        return None;
    }
    let known: Vec<&str> =
        mailboxes.iter().filter_map(|form| form.name.given()).map(String::as_str).collect();
    let checked: Vec<Option<String>> =
        named.iter().map(|field| field.check(problems, |text| existing(text, &known))).collect();
    checked.into_iter().collect()
}

fn existing(text: &str, known: &[&str]) -> Result<String, Wrong> {
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    let remedy = match nearest(text, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write the name of a [[mailbox]]: {}", known.join(", ")),
    };
    Err(Wrong::new(format!("there is no mailbox {}", shown(text)), remedy))
}

/// The mark that the form says, or else the first word of the name.
fn mark_of(form: &AgentForm) -> Option<&str> {
    if form.mark.is_absent() {
        let first = form.name.given()?.split_whitespace().next()?;
        return Some(first.trim_end_matches(['.', ',']));
    }
    form.mark.given().map(String::as_str)
}

fn check_mark(
    form: &AgentForm,
    mailboxes: &[MailboxForm],
    problems: &mut Problems,
) -> Option<String> {
    let text = mark_of(form)?;
    let checked = rules::mark(text).and_then(|mark| {
        if names_a_folder(&mark, form, mailboxes) {
            let what = format!("{} is one of Baton's own folders", shown(&mark));
            return Err(Wrong::new(what, "write another word"));
        }
        Ok(mark)
    });
    match checked {
        Ok(mark) => Some(mark),
        Err(wrong) => {
            problems.refuse(&form.mark.at, explained(form, wrong));
            None
        }
    }
}

/// A mark taken from the name is not in the file, so its problem must say where it comes from.
fn explained(form: &AgentForm, wrong: Wrong) -> Wrong {
    if !form.mark.is_absent() {
        return wrong;
    }
    let what = format!("{} (the default: the first word of the name)", wrong.what);
    Wrong::new(what, "write mark = \"…\" with a word of its own for this agent's folder or label")
}

fn names_a_folder(mark: &str, form: &AgentForm, mailboxes: &[MailboxForm]) -> bool {
    let named = form.mailboxes.given();
    let works_in = |mailbox: &&MailboxForm| {
        named.is_none_or(|named| named.iter().any(|field| field.given() == mailbox.name.given()))
    };
    mailboxes
        .iter()
        .filter(works_in)
        .flat_map(mailbox::own_names)
        .any(|state| state.to_lowercase() == mark.to_lowercase())
}

/// Refuses ids, addresses and marks that two agents share: a mark must name one person.
pub(super) fn refuse_shared(forms: &[AgentForm], problems: &mut Problems) {
    let mut ids: Vec<&str> = Vec::new();
    let mut addresses: Vec<String> = Vec::new();
    let mut marks: Vec<(String, &str)> = Vec::new();
    for form in forms {
        let id = form.id.given().map_or("?", String::as_str);
        if form.id.given().is_some() && ids.contains(&id) {
            let what = format!("{} is the id of another agent", shown(id));
            problems.add(&form.id.at, what, "give each agent an id of their own");
        }
        ids.push(id);
        if let Some(text) = form.address.given() {
            let address = text.to_ascii_lowercase();
            if addresses.contains(&address) {
                let what = format!("{} is the address of another agent", shown(text));
                problems.add(&form.address.at, what, "give each agent their own address");
            }
            addresses.push(address);
        }
        if let Some(text) = mark_of(form) {
            let mark = text.to_lowercase();
            if let Some((_, holder)) = marks.iter().find(|(known, _)| *known == mark) {
                let what =
                    format!("{} is the mark of agent {} already", shown(text), shown(holder));
                let wrong = Wrong::new(what, "write mark = \"…\" with a word of its own");
                problems.refuse(&form.mark.at, explained(form, wrong));
            }
            marks.push((mark, id));
        }
    }
}
