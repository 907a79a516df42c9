//! How marks are called as Outlook's categories, and which of a message's categories are Baton's.
//!
//! A category is a mark beside the layout's own place, the folder: it says owner and state, and where both speak at once,
//! the folder counts. Escalation has none, since Outlook shows its flag. Categories of other names are people's, and are
//! kept. Names are the layout's ([`crate::desk::layout::MarkNames`]), so that a team translates them once.

use std::collections::BTreeSet;

use crate::desk::marks::Mark;
use crate::desk::policy::Policy;

/// The states that have a category, in the order in which they are listed.
const STATES: [Mark; 4] = [Mark::Waiting, Mark::Blocked, Mark::Resolved, Mark::Ignored];

/// Colours for agents, of those that Outlook calls `preset0` to `preset24`: easily told apart first (M111).
const AGENT_COLOURS: [&str; 15] = [
    "preset7",  // blue
    "preset4",  // green
    "preset1",  // orange
    "preset8",  // purple
    "preset5",  // teal
    "preset9",  // cranberry
    "preset3",  // yellow
    "preset2",  // brown
    "preset6",  // olive
    "preset0",  // red
    "preset22", // dark blue
    "preset19", // dark green
    "preset16", // dark orange
    "preset23", // dark purple
    "preset20", // dark teal
];

/// A category as it stands in the mailbox's list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Outlook's word for its colour.
    pub colour: &'static str,
}

/// The category of a mark: `Baton: Ana`. Sorted by name, Baton's stand together in Outlook's list. `None` for what is no
/// category. A comma would part one category in two.
pub fn name(policy: &Policy, mark: &Mark) -> Option<String> {
    let names = &policy.names;
    let word = match mark {
        Mark::Owner(agent) => &policy.agent(agent)?.mark,
        Mark::Waiting => &names.waiting,
        Mark::Blocked => &names.blocked,
        Mark::Resolved => &names.resolved,
        Mark::Ignored => &names.ignored,
        Mark::Escalated => return None,
    };
    Some(format!("{}: {word}", names.root).replace([',', ';'], " "))
}

/// Whether two names are one category: Outlook knows no case.
pub fn same(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

/// What the categories of a message say; those of nobody we know say nothing.
pub fn marks(policy: &Policy, categories: &[String]) -> BTreeSet<Mark> {
    let owners = policy.agents.iter().map(|agent| Mark::Owner(agent.id.clone()));
    STATES
        .into_iter()
        .chain(owners)
        .filter(|mark| {
            let name = name(policy, mark).unwrap_or_default();
            categories.iter().any(|category| same(category, &name))
        })
        .collect()
}

/// The categories of marks.
pub fn names(policy: &Policy, marks: &BTreeSet<Mark>) -> Vec<String> {
    marks.iter().filter_map(|mark| name(policy, mark)).collect()
}

/// Those of a message's categories that are Baton's: they mean something, or were put there by Baton when they did.
pub fn ours(policy: &Policy, put: &[String], categories: &[String]) -> Vec<String> {
    let is_ours = |category: &&String| {
        let means = !marks(policy, std::slice::from_ref(*category)).is_empty();
        means || put.iter().any(|name| same(name, category))
    };
    categories.iter().filter(is_ours).cloned().collect()
}

/// The whole list to write so that a message shows what is `wanted` and keeps everything that is not Baton's (M108);
/// `None` when it is so already.
pub fn to_write(
    policy: &Policy,
    wanted: &BTreeSet<Mark>,
    put: &[String],
    categories: &[String],
) -> Option<Vec<String>> {
    let ours = ours(policy, put, categories);
    let wanted = names(policy, wanted);
    let is_wanted = |category: &String| wanted.iter().any(|name| same(name, category));
    let mut list: Vec<String> = categories
        .iter()
        .filter(|category| !ours.contains(category) || is_wanted(category))
        .cloned()
        .collect();
    for name in &wanted {
        if !list.iter().any(|category| same(category, name)) {
            list.push(name.clone());
        }
    }
    (list != categories).then_some(list)
}

/// The categories that the mailbox's list should hold: whoever works there, in the order of the configuration, and the
/// states.
pub fn listed(policy: &Policy) -> Vec<Listed> {
    let agents = policy.agents.iter().filter(|agent| agent.works_in(&policy.mailbox));
    let owners =
        agents.map(|agent| Mark::Owner(agent.id.clone())).zip(AGENT_COLOURS.iter().cycle());
    let states = STATES.into_iter().zip(["preset10", "preset15", "preset12", "preset13"].iter());
    owners
        .chain(states)
        .filter_map(|(mark, colour)| Some(Listed { name: name(policy, &mark)?, colour }))
        .collect()
}

/// Everything that the names depend on, in one text: where it changes, categories must be shown anew.
pub fn spelled(policy: &Policy) -> String {
    let names: Vec<String> = listed(policy).into_iter().map(|listed| listed.name).collect();
    names.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::roster::AgentId;

    fn policy() -> Policy {
        let text = "[[mailbox]]\nname = \"support\"\naddress = \"support@contoso.com\"\nsince = 2026-11-01\n\
            [mailbox.imap]\nhost = \"h\"\npassword = { env = \"X\" }\n\
            [[agent]]\nid = \"ana\"\nname = \"Ana Roe\"\naddress = \"ana@contoso.com\"\n\
            [[agent]]\nid = \"ben\"\nname = \"Ben Poe\"\naddress = \"ben@contoso.com\"\nmark = \"Ben, nights\"\n";
        let file = std::path::Path::new("baton.toml");
        crate::config::from_toml(file, text, &|_| None).unwrap().mailboxes[0].policy.clone()
    }

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn owner(id: &str) -> Mark {
        Mark::Owner(AgentId(id.to_owned()))
    }

    #[test]
    fn a_category_is_read_as_it_is_written_whatever_its_case() {
        let policy = policy();
        for mark in STATES.into_iter().chain([owner("ana"), owner("ben")]) {
            let name = name(&policy, &mark).unwrap();
            assert!(!name.contains(','), "{name}");
            assert_eq!(marks(&policy, &[name.to_uppercase()]), BTreeSet::from([mark]));
        }
        assert_eq!(name(&policy, &owner("ana")).unwrap(), "Baton: Ana");
        assert_eq!(name(&policy, &Mark::Escalated), None);
        assert!(marks(&policy, &texts(&["Red", "Ana", "Baton", "Baton: Zoe"])).is_empty());
    }

    #[test]
    fn what_is_not_batons_is_kept_in_its_order() {
        let policy = policy();
        let wanted = BTreeSet::from([owner("ana"), Mark::Waiting]);
        let write = |put: &[&str], there: &[&str]| {
            to_write(&policy, &wanted, &texts(put), &texts(there)).unwrap_or(vec!["same".into()])
        };
        assert_eq!(write(&[], &["Red"]), ["Red", "Baton: Ana", "Baton: Waiting"]);
        assert_eq!(
            write(&[], &["Baton: Ben  nights", "Red", "BATON: ANA", "Baton: Waiting"]),
            ["Red", "BATON: ANA", "Baton: Waiting"]
        );
        // Called otherwise when it was put on; a person's of the same words is not known to be another.
        assert_eq!(
            write(&["Korb: Ana"], &["Korb: Ana", "Korb: X"]),
            ["Korb: X", "Baton: Ana", "Baton: Waiting"]
        );
        assert_eq!(write(&[], &["baton: waiting", "Baton: Ana", "x"]), ["same"]);
    }

    #[test]
    fn everybody_has_a_colour() {
        let names: Vec<String> = listed(&policy()).into_iter().map(|one| one.name).collect();
        assert_eq!(
            names,
            [
                "Baton: Ana",
                "Baton: Ben  nights",
                "Baton: Waiting",
                "Baton: Blocked",
                "Baton: Resolved",
                "Baton: Ignored"
            ]
        );
    }
}
