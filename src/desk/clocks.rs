//! Deadlines: what is owed to the customer, and until when, as a function of the thread's history.
//!
//! Nothing is stored: whatever changes the history, the targets or the hours changes the deadlines, and the same three give
//! the same deadlines again. A clock counts business time ([`Calendar`]). It stands still while the thread is `waiting` or
//! `blocked`, and has ended when what it waits for has happened, or the thread is no longer open.
//!
//! Start with [`clocks`].

use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::calendar::Calendar;
use crate::desk::thread::{Position, State};

/// What a clock waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Kind {
    /// Somebody has taken the thread.
    Triage,
    /// The first human answer has left.
    FirstResponse,
    /// A later mail of the customer's has its answer.
    NextResponse,
    /// The thread is done.
    Resolution,
}

impl Kind {
    /// Every kind, in the order in which they are due.
    pub const ALL: [Kind; 4] =
        [Kind::Triage, Kind::FirstResponse, Kind::NextResponse, Kind::Resolution];

    /// The name in JSON and for people.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Triage => "triage",
            Kind::FirstResponse => "first response",
            Kind::NextResponse => "next response",
            Kind::Resolution => "resolution",
        }
    }

    /// What this clock does while the thread stands so.
    fn phase(self, position: &Position) -> Phase {
        let owed = match self {
            Kind::Triage => position.state == State::New,
            Kind::FirstResponse => position.first_response_at.is_none(),
            Kind::NextResponse => {
                position.first_response_at.is_some()
                    && position.last_reply_at < position.last_customer_at
            }
            Kind::Resolution => true,
        };
        match position.state {
            _ if !owed => Phase::Off,
            State::New | State::Assigned | State::InProgress => Phase::Runs,
            State::Waiting | State::Blocked => Phase::Rests,
            State::Resolved | State::Ignored => Phase::Off,
        }
    }

    /// When the clock really ended that is off since this step: an answer is older than its being seen in Sent.
    fn ends(self, at: Timestamp, position: &Position) -> Timestamp {
        match self {
            Kind::FirstResponse => position.first_response_at.unwrap_or(at).min(at),
            Kind::NextResponse => position.last_reply_at.unwrap_or(at).min(at),
            Kind::Triage | Kind::Resolution => at,
        }
    }
}

/// When what this step of the history brought really began: a customer's mail is older than its being seen.
fn begins(at: Timestamp, position: &Position, before: Option<&Position>) -> Timestamp {
    let newest = position.last_customer_at;
    let is_mail = before.is_none_or(|before| before.last_customer_at != newest);
    newest.filter(|_| is_mail).unwrap_or(at).min(at)
}

/// What a clock does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Off,
    Runs,
    Rests,
}

/// How much business time each kind has; a kind without any has no clocks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Targets {
    /// Until somebody has taken a new thread.
    pub triage: Option<Duration>,
    /// Until the first human answer leaves.
    pub first_response: Option<Duration>,
    /// Until a later mail of the customer's is answered.
    pub next_response: Option<Duration>,
    /// Until the thread is done, without the time in which it waits.
    pub resolution: Option<Duration>,
}

impl Targets {
    /// The target of this kind.
    pub fn of(&self, kind: Kind) -> Option<Duration> {
        match kind {
            Kind::Triage => self.triage,
            Kind::FirstResponse => self.first_response,
            Kind::NextResponse => self.next_response,
            Kind::Resolution => self.resolution,
        }
    }
}

/// What a mailbox owes its customers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// When somebody is there.
    pub calendar: Calendar,
    /// How much of that time there is.
    pub targets: Targets,
}

/// A deadline, past or running.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Clock {
    /// What it waits for.
    pub kind: Kind,
    /// Since when it is owed.
    pub since: Timestamp,
    /// How much business time there was for it.
    pub target: Duration,
    /// How much of that has gone by, until now or until the end.
    pub spent: Duration,
    /// What it does now.
    pub standing: Standing,
    /// When the target was exceeded.
    pub breached_at: Option<Timestamp>,
}

/// What a clock does now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It runs.
    Runs {
        /// When the target is or was reached; never where the calendar does not open for ten years.
        due_at: Option<Timestamp>,
    },
    /// It stands still.
    Rests,
    /// It has ended.
    Ended {
        /// When.
        at: Timestamp,
    },
}

/// All clocks of a thread whose history says how it stood from which moment on, the oldest first; by kind, then by time.
pub fn clocks(
    calendar: &Calendar,
    targets: &Targets,
    history: &[(Timestamp, Position)],
    now: Timestamp,
) -> Vec<Clock> {
    let of_kind = |kind: Kind| {
        let target = targets.of(kind)?;
        let runs = runs(kind, history).into_iter();
        Some(runs.map(move |run| run.clock(kind, target, calendar, now)).collect::<Vec<Clock>>())
    };
    Kind::ALL.into_iter().filter_map(of_kind).flatten().collect()
}

/// From the beginning of a clock to its end.
struct Run {
    since: Timestamp,
    /// When it ran; the last stretch may go on.
    stretches: Vec<(Timestamp, Option<Timestamp>)>,
    ended: Option<Timestamp>,
}

impl Run {
    fn stops(&mut self, at: Timestamp) {
        if let Some((from, until @ None)) = self.stretches.last_mut() {
            *until = Some(at.max(*from));
        }
    }

    fn clock(&self, kind: Kind, target: Duration, calendar: &Calendar, now: Timestamp) -> Clock {
        let (mut spent, mut due_at, mut breached_at) = (Duration::ZERO, None, None);
        for (from, until) in &self.stretches {
            let so_far = calendar.between(*from, until.unwrap_or(now));
            if spent <= target {
                let reached = calendar.after(*from, target - spent);
                due_at = reached.filter(|_| until.is_none());
                breached_at = reached.filter(|_| spent + so_far > target);
            }
            spent += so_far;
        }
        let standing = match (self.ended, self.stretches.last()) {
            (Some(at), _) => Standing::Ended { at },
            (None, Some((_, None))) => Standing::Runs { due_at: due_at.or(breached_at) },
            (None, _) => Standing::Rests,
        };
        Clock { kind, since: self.since, target, spent, standing, breached_at }
    }
}

/// The runs of one kind in the history.
fn runs(kind: Kind, history: &[(Timestamp, Position)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut before = Phase::Off;
    let mut last = None;
    for (at, position) in history {
        let phase = kind.phase(position);
        if before == Phase::Off && phase != Phase::Off {
            let since = begins(*at, position, last);
            runs.push(Run { since, stretches: Vec::new(), ended: None });
        }
        if let Some(run) = runs.last_mut() {
            match (before, phase) {
                (Phase::Off, Phase::Runs) => run.stretches.push((run.since, None)),
                (Phase::Rests, Phase::Runs) => run.stretches.push((*at, None)),
                (Phase::Runs, Phase::Rests) => run.stops(*at),
                (Phase::Runs | Phase::Rests, Phase::Off) => {
                    let end = kind.ends(*at, position).max(run.since);
                    run.stops(end);
                    run.ended = Some(end);
                }
                (Phase::Off, Phase::Off | Phase::Rests)
                | (Phase::Runs, Phase::Runs)
                | (Phase::Rests, Phase::Rests) => {}
            }
        }
        (before, last) = (phase, Some(position));
    }
    runs
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::desk::calendar::Shift;

    const HOUR: Duration = Duration::from_secs(3600);

    /// 09:00 to 17:00 on every day of 1970.
    fn office() -> Calendar {
        let week = std::array::from_fn(|_| vec![Shift { begins: 9 * 60, ends: 17 * 60 }]);
        Calendar::new(TimeZone::UTC, week, &[], [])
    }

    /// `1 09:30` is the second day's half past nine.
    fn at(text: &str) -> Timestamp {
        let (day, time) = text.split_once(' ').unwrap();
        let (hours, minutes) = time.split_once(':').unwrap();
        let number = |text: &str| text.parse::<i64>().unwrap();
        Timestamp(number(day) * 86_400 + number(hours) * 3600 + number(minutes) * 60)
    }

    /// `0 09:00 new customer, 0 10:00 waiting reply`: when, the state, and who wrote just then.
    fn history(text: &str) -> Vec<(Timestamp, Position)> {
        let mut position = Position::default();
        let steps = text.split(", ").map(|step| {
            let words: Vec<&str> = step.split(' ').collect();
            let when = at(&words[..2].join(" "));
            position.state = State::from_name(words[2]).unwrap();
            match words.get(3) {
                Some(&"customer") => position.last_customer_at = Some(when),
                Some(&"reply") => {
                    position.last_reply_at = Some(when);
                    position.first_response_at.get_or_insert(when);
                }
                _ => {}
            }
            (when, position.clone())
        });
        steps.collect()
    }

    const TARGETS: Targets = Targets {
        triage: Some(Duration::from_secs(1800)),
        first_response: Some(Duration::from_secs(4 * 3600)),
        next_response: Some(Duration::from_secs(8 * 3600)),
        resolution: Some(Duration::from_secs(16 * 3600)),
    };

    /// `first response: runs until 1 11:00, spent 120; …`
    fn shown(text: &str, now: &str) -> String {
        let time = |at: Timestamp| {
            let (day, second) = (at.0 / 86_400, at.0 % 86_400);
            format!("{day} {:02}:{:02}", second / 3600, second / 60 % 60)
        };
        let clocks = clocks(&office(), &TARGETS, &history(text), at(now));
        let lines = clocks.iter().map(|clock| {
            let standing = match clock.standing {
                Standing::Runs { due_at } => format!("due {}", time(due_at.unwrap())),
                Standing::Rests => "rests".to_owned(),
                Standing::Ended { at } => format!("ended {}", time(at)),
            };
            let breached = clock.breached_at.map(|at| format!(" breached {}", time(at)));
            let spent = clock.spent.as_secs() / 60;
            format!(
                "{}: {standing}, {spent} min{}",
                clock.kind.name(),
                breached.unwrap_or_default()
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_new_thread_is_to_be_taken_and_answered_in_business_time() {
        assert_eq!(
            shown("0 16:45 new customer", "0 17:30"),
            "triage: due 1 09:15, 15 min\nfirst response: due 1 12:45, 15 min\nresolution: due 2 16:45, 15 min"
        );
    }

    #[test]
    fn what_was_missed_stays_missed() {
        assert_eq!(
            shown("0 09:00 new customer, 0 10:00 assigned, 0 14:00 waiting reply", "0 15:00"),
            "triage: ended 0 10:00, 60 min breached 0 09:30\n\
             first response: ended 0 14:00, 300 min breached 0 13:00\n\
             resolution: rests, 300 min"
        );
    }

    #[test]
    fn exactly_in_time_is_in_time() {
        let text = "0 09:00 new customer, 0 09:30 assigned, 0 13:00 waiting reply";
        assert!(!shown(text, "1 09:00").contains("breached"));
    }

    #[test]
    fn clocks_rest_while_others_are_waited_for() {
        assert_eq!(
            shown(
                "0 09:00 new customer, 0 09:10 assigned, 0 11:00 blocked, 1 10:00 assigned",
                "1 10:30"
            ),
            "triage: ended 0 09:10, 10 min\n\
             first response: due 1 12:00, 150 min\n\
             resolution: due 2 16:00, 150 min"
        );
    }

    #[test]
    fn each_mail_of_the_customers_has_its_own_answer() {
        assert_eq!(
            shown(
                "0 09:00 new customer, 0 09:10 assigned, 0 10:00 waiting reply, 1 09:00 in-progress customer, \
                 1 12:00 in-progress customer, 1 13:00 waiting reply, 2 09:00 in-progress customer",
                "2 10:00"
            ),
            "triage: ended 0 09:10, 10 min\n\
             first response: ended 0 10:00, 60 min\n\
             next response: ended 1 13:00, 240 min\n\
             next response: due 2 17:00, 60 min\n\
             resolution: due 3 12:00, 360 min"
        );
    }

    #[test]
    fn an_answer_counts_from_when_it_left_and_not_from_when_it_was_seen() {
        let mut history = history("0 09:00 new customer, 0 09:10 assigned, 0 15:00 waiting reply");
        let left = at("0 12:00");
        history[2].1.first_response_at = Some(left);
        history[2].1.last_reply_at = Some(left);
        let clocks = clocks(&office(), &TARGETS, &history, at("0 16:00"));
        let first = clocks.iter().find(|clock| clock.kind == Kind::FirstResponse).unwrap();
        assert_eq!(first.standing, Standing::Ended { at: left });
        assert_eq!((first.spent, first.breached_at), (3 * HOUR, None));
    }

    #[test]
    fn a_mail_that_came_while_nobody_looked_is_owed_since_it_came() {
        let mut history = history("1 09:00 new, 1 09:10 assigned");
        let came = at("0 15:00");
        history.iter_mut().for_each(|(_, position)| position.last_customer_at = Some(came));
        let clocks = clocks(&office(), &TARGETS, &history, at("1 09:30"));
        assert_eq!(clocks.iter().map(|clock| clock.since).collect::<Vec<_>>(), [came; 3]);
        assert_eq!(clocks[0].breached_at, Some(at("0 15:30")));
    }

    #[test]
    fn who_reopens_a_thread_is_owed_it_anew() {
        let shown = shown(
            "0 09:00 new customer, 0 09:10 assigned, 0 10:00 waiting reply, 0 11:00 resolved, 5 09:00 in-progress customer",
            "5 10:00",
        );
        assert!(
            shown.ends_with("resolution: ended 0 11:00, 60 min\nresolution: due 6 17:00, 60 min"),
            "{shown}"
        );
    }

    #[test]
    fn without_targets_nothing_is_owed() {
        let history = history("0 09:00 new customer");
        assert_eq!(clocks(&office(), &Targets::default(), &history, at("1 09:00")), []);
    }
}
