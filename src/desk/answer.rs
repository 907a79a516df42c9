//! May this agent answer this thread now? Claim before drafting, and what happens to two answers to one mail.
//!
//! Pure, as the rest of the desk: [`judge`] is given the thread as it stands in the store's single writer, so of two answers
//! that are handed in at once one is judged after the other, and sees it.

use crate::clock::Timestamp;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::Thread;
use crate::desk::wording;

/// What is done about an answer that somebody should not send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Enforce {
    /// It is kept, and a person decides.
    Hold,
    /// It is refused at the door, in a sentence.
    Refuse,
    /// It leaves, and the log says so.
    Record,
}

/// An answer that wants to leave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Who wrote it.
    pub agent: AgentId,
    /// Whether its writer said in it that the thread is theirs from now on (`#claim`).
    pub claims: bool,
    /// What has come into the thread since the mail that it answers.
    pub unseen: Unseen,
}

/// What has come into a thread that the writer of an answer had not seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unseen {
    /// Nothing: the newest mail is answered.
    Nothing,
    /// The customer has written again.
    Customer {
        /// When.
        at: Timestamp,
    },
    /// A colleague has answered, or is about to: their answer is on its way.
    Colleague {
        /// Who, where that is known.
        agent: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
}

/// What becomes of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It may leave.
    Leaves {
        /// Whether its writer takes the thread first.
        claims: bool,
        /// What is recorded about it although it leaves, as a sentence.
        remark: Option<String>,
    },
    /// It is kept, for the reason given as a sentence.
    Held(String),
    /// It is not taken, for the reason given as a sentence.
    Refused(String),
}

/// Judges an answer to a thread of which `owned_since` says when its owner took it.
pub fn judge(
    policy: &Policy,
    enforce: Enforce,
    thread: &Thread,
    owned_since: Option<Timestamp>,
    answer: &Answer,
) -> Verdict {
    let owner = thread.now.owner.as_ref();
    let is_anothers = owner.filter(|owner| **owner != answer.agent);
    let objection = match (is_anothers, &answer.unseen) {
        (Some(owner), _) if !answer.claims => {
            Some(wording::answers_for_another(thread, owner, owned_since, policy))
        }
        (_, Unseen::Nothing) => None,
        (_, Unseen::Customer { at }) => Some(wording::customer_wrote_since(thread, *at)),
        (_, Unseen::Colleague { agent, at }) => {
            Some(wording::colleague_answered_since(thread, agent.as_ref(), *at, policy))
        }
    };
    // Whoever answers a thread of nobody's has taken it.
    let claims = owner.is_none() || is_anothers.is_some() && answer.claims;
    match (objection, enforce) {
        (None, _) => Verdict::Leaves { claims, remark: None },
        (Some(words), Enforce::Hold) => Verdict::Held(words),
        (Some(words), Enforce::Refuse) => Verdict::Refused(words),
        (Some(words), Enforce::Record) => Verdict::Leaves { claims, remark: Some(words) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::sample::{policy, thread};

    const NINE: Timestamp = Timestamp(9 * 3600);

    fn judged(before: &str, by: &str, claims: bool, unseen: Unseen, enforce: Enforce) -> Verdict {
        let answer = Answer { agent: AgentId(by.into()), claims, unseen };
        judge(&policy(), enforce, &thread(before), Some(NINE), &answer)
    }

    #[test]
    fn whose_thread_it_is_decides() {
        let leaves = |claims| Verdict::Leaves { claims, remark: None };
        let cases = [
            ("assigned ana", "ana", false, leaves(false)),
            ("assigned ana", "ana", true, leaves(false)),
            ("new -", "ana", false, leaves(true)),
            ("resolved -", "ben", false, leaves(true)),
            ("in-progress ana", "ben", true, leaves(true)),
        ];
        for (before, by, claims, expected) in cases {
            for enforce in [Enforce::Hold, Enforce::Refuse, Enforce::Record] {
                let verdict = judged(before, by, claims, Unseen::Nothing, enforce);
                assert_eq!(verdict, expected, "{before} {by} {claims}");
            }
        }
        let words = "#1 is Ana's since 09:00 on 1 January (UTC). Write #claim in the first line to take it over, or ask Ana.";
        let anothers = |enforce| judged("waiting ana", "ben", false, Unseen::Nothing, enforce);
        assert_eq!(anothers(Enforce::Hold), Verdict::Held(words.into()));
        assert_eq!(anothers(Enforce::Refuse), Verdict::Refused(words.into()));
        let recorded = Verdict::Leaves { claims: false, remark: Some(words.into()) };
        assert_eq!(anothers(Enforce::Record), recorded);
    }

    #[test]
    fn an_answer_to_an_old_mail_is_objected_to_whoever_writes_it() {
        let customer = || Unseen::Customer { at: NINE };
        let ben = || Unseen::Colleague { agent: Some(AgentId("ben".into())), at: NINE };
        let words = |unseen| match judged("waiting ana", "ana", true, unseen, Enforce::Refuse) {
            Verdict::Refused(words) => words,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            words(customer()),
            "The customer of #1 has written again at 09:00 on 1 January (UTC). Read it, and answer that mail."
        );
        assert_eq!(
            words(ben()),
            "Ben has answered #1 at 09:00 on 1 January (UTC) already. Read it, and answer on top of it."
        );
        // Taking a thread over does not make its newest mail read.
        assert!(matches!(
            judged("waiting ana", "ben", true, customer(), Enforce::Hold),
            Verdict::Held(_)
        ));
    }
}
