//! Which thread a mail joins, and why; or why it joins none.
//!
//! The evidence comes in order of strength: the ids that the mail refers to, then subject and participants. Knowing an id
//! is not enough: somebody who is no participant, of no participant's organisation and not of the team, opens a thread of
//! their own, linked to the one they quote, because ids are easily learnt and a customer's thread is not theirs to enter.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::desk::policy::Policy;
use crate::desk::thread::ThreadId;

/// What is known of the mail.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// Who wrote it, lower case.
    pub from: String,
    /// The list it came through: List-Id and the address of List-Post.
    pub lists: Vec<String>,
    /// Whether it reports on a mail that we know (a bounce, a receipt), so that its sender is a server.
    pub reports: bool,
}

/// A thread that the evidence points to.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The thread.
    pub thread: ThreadId,
    /// The evidence, in words.
    pub evidence: String,
    /// Everybody who took part, lower case.
    pub participants: BTreeSet<String>,
}

/// Where the mail belongs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Joining {
    /// Into this thread, for this reason.
    Joins(ThreadId, String),
    /// Into a new thread, for this reason, linked to that one.
    Opens(Option<ThreadId>, String),
}

/// Chooses among the threads whose ids the mail refers to, the strongest evidence first.
pub fn by_reference(policy: &Policy, writer: &Writer, candidates: &[Candidate]) -> Joining {
    for candidate in candidates {
        if let Some(standing) = standing(policy, writer, candidate) {
            let why = format!("{}; {standing}", candidate.evidence);
            return Joining::Joins(candidate.thread, why);
        }
    }
    match candidates.first() {
        Some(candidate) => Joining::Opens(
            Some(candidate.thread),
            format!("{}, but the sender took no part in {}", candidate.evidence, candidate.thread),
        ),
        None => Joining::Opens(None, "refers to no known thread".to_string()),
    }
}

/// Whether the mail would join this thread by reference, were no evidence stronger.
pub fn may_enter(policy: &Policy, writer: &Writer, candidate: &Candidate) -> bool {
    standing(policy, writer, candidate).is_some()
}

/// Why the writer may enter the thread, if they may.
fn standing(policy: &Policy, writer: &Writer, candidate: &Candidate) -> Option<String> {
    let from = &writer.from;
    if candidate.participants.contains(from) {
        return Some("the sender takes part".into());
    }
    if policy.is_own(from) || policy.agent_at(from).is_some() {
        return Some("the sender is of the team".into());
    }
    if writer.reports {
        return Some("a server's report on a mail of the thread".into());
    }
    if let Some(list) = writer.lists.iter().find(|list| candidate.participants.contains(*list)) {
        return Some(format!("came through the list {list}, which takes part"));
    }
    let domain = domain(from)?;
    let colleague = candidate
        .participants
        .iter()
        .find(|other| self::domain(other) == Some(domain) && !policy.is_own(other))?;
    (!is_public_domain(domain))
        .then(|| format!("the sender is of the same organisation as {colleague}"))
}

/// What is after the `@`.
fn domain(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain).filter(|domain| !domain.is_empty())
}

/// Domains whose addresses anybody can have, so that sharing one says nothing about an organisation.
const PUBLIC_DOMAINS: &str = "\
    126.com 163.com aol.com bluewin.ch bol.com.br comcast.net docomo.ne.jp fastmail.com free.fr \
    freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk \
    hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it icloud.com interia.pl laposte.net \
    libero.it live.com live.de live.fr live.nl mac.com mail.com mail.ru me.com msn.com naver.com \
    o2.pl onet.pl orange.fr outlook.com outlook.de outlook.es outlook.fr pm.me posteo.de proton.me \
    protonmail.com qq.com rambler.ru seznam.cz sfr.fr sina.com t-online.de telefonica.net \
    terra.com.br tutanota.com uol.com.br verizon.net wanadoo.fr web.de wp.pl xs4all.nl yahoo.co.jp \
    yahoo.co.uk yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru \
    ziggo.nl zoho.com \
";

fn is_public_domain(domain: &str) -> bool {
    PUBLIC_DOMAINS.split(' ').any(|public| public == domain)
}

/// Whether a mail that refers to nothing known may be looked for by subject: only an answer (`Re:`), and only under a
/// subject that says something. A plain mail with an old subject is a new matter: many people write "Question" twice.
pub fn may_join_by_subject(subject: &str, base_subject: &str) -> bool {
    // White space is folded in the base subject, and a prefix is more than that.
    let written: Vec<&str> = subject.split_whitespace().collect();
    let has_prefix = written.join(" ").chars().count() > base_subject.trim().chars().count();
    has_prefix && base_subject.trim().chars().count() >= 4
}

/// The newest open thread of the same customer and subject, if its last event is recent enough.
pub fn by_subject(
    policy: &Policy,
    writer: &Writer,
    found: Option<(Candidate, Timestamp)>,
    arrived_at: Timestamp,
) -> Option<Joining> {
    let (candidate, updated_at) = found?;
    let recent = arrived_at.since(updated_at) <= policy.join_within;
    let takes_part = candidate.participants.contains(&writer.from);
    (recent && takes_part).then(|| {
        let why = format!("{}; the sender takes part", candidate.evidence);
        Joining::Joins(candidate.thread, why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::sample::policy;

    fn candidate(participants: &[&str]) -> Candidate {
        Candidate {
            thread: ThreadId(7),
            evidence: "refers to <a@b>".into(),
            participants: participants.iter().map(|one| (*one).to_string()).collect(),
        }
    }

    #[test]
    fn who_may_enter_a_thread_whose_id_they_know() {
        let participants =
            ["mia@shop.example", "support@example.test", "list.shop.example", "eve@gmail.com"];
        #[rustfmt::skip]
        let cases = [
            ("mia@shop.example",     vec![],                    false, true),
            ("leo@shop.example",     vec![],                    false, true),
            ("ana@example.test",     vec![],                    false, true),
            ("mallory@evil.example", vec![],                    false, false),
            ("adam@gmail.com",       vec![],                    false, false),
            ("other@example.test",   vec![],                    false, false),
            ("paul@evil.example",    vec!["list.shop.example"], false, true),
            ("mailer-daemon@x.example", vec![],                 true,  true),
        ];
        for (from, lists, reports, enters) in cases {
            let lists = lists.into_iter().map(str::to_string).collect();
            let writer = Writer { from: from.into(), lists, reports };
            let got = by_reference(&policy(), &writer, &[candidate(&participants)]);
            assert_eq!(matches!(got, Joining::Joins(..)), enters, "{from}: {got:?}");
            if !enters {
                assert!(matches!(got, Joining::Opens(Some(ThreadId(7)), _)));
            }
        }
    }

    #[test]
    fn only_an_answer_joins_by_its_subject() {
        assert!(may_join_by_subject("Re: Broken kettle", "Broken kettle"));
        assert!(!may_join_by_subject("Broken kettle", "Broken kettle"));
        assert!(!may_join_by_subject("Re: hi", "hi"));
        let writer = Writer { from: "mia@shop.example".into(), ..Writer::default() };
        let found = || Some((candidate(&["mia@shop.example"]), Timestamp(10)));
        assert!(by_subject(&policy(), &writer, found(), Timestamp(110)).is_some());
        assert!(by_subject(&policy(), &writer, found(), Timestamp(111)).is_none());
    }
}
