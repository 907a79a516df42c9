//! When the daemon of a world dies on purpose, and is started again as systemd does.
//!
//! A story may say so itself ([`Crashes::once`]); `BATON_WORLD_CRASH="after 7"` or `"before 7"` says it for whatever
//! story is told, `"after more"` or `"before more"` that the second daemon dies too, one commit later, and so on; the world
//! prints how often it died. Needs a daemon with debug assertions, which has a fuse.

/// The variable that makes the daemon of any story die.
pub(crate) const VARIABLE: &str = "BATON_WORLD_CRASH";

/// How many commits a daemon makes at most that dies again and again: a few more than its start takes, so that the story
/// goes on.
const COMMITS_MAX: usize = 12;

/// At which side of a commit the daemon dies.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) enum Moment {
    /// It is durable, and nobody was answered: nothing of what it asks for has been done.
    #[default]
    AfterCommit,
    /// What was done outside since the last commit is done, and not written down.
    BeforeCommit,
}

/// When the daemon dies on purpose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Crashes {
    moment: Moment,
    /// At which commit of the next daemon.
    at: Option<usize>,
    /// Whether the next daemon dies too, one commit later, and after [`COMMITS_MAX`] at the first again.
    again: bool,
    /// How often it died.
    pub(crate) died: usize,
    /// Whether to tell at the end how often it died.
    told: bool,
}

impl Crashes {
    /// At this commit of the first daemon that comes so far.
    pub(crate) fn once(moment: Moment, at: usize) -> Crashes {
        Crashes { moment, at: Some(at), ..Crashes::default() }
    }

    /// At the first commit, then at the second, then at the third, and so on until the story is over.
    pub(crate) fn again_and_again(moment: Moment) -> Crashes {
        Crashes { again: true, ..Crashes::once(moment, first(moment)) }
    }

    /// As [`VARIABLE`] says; never without it.
    pub(super) fn from_environment() -> Crashes {
        let Ok(words) = std::env::var(VARIABLE) else { return Crashes::default() };
        let crashes = match words.split_once(' ') {
            Some(("after", "more")) => Crashes::again_and_again(Moment::AfterCommit),
            Some(("before", "more")) => Crashes::again_and_again(Moment::BeforeCommit),
            Some(("after", at)) => Crashes::once(Moment::AfterCommit, at.parse().unwrap()),
            Some(("before", at)) => Crashes::once(Moment::BeforeCommit, at.parse().unwrap()),
            _ => panic!("{VARIABLE}={words}: write `after 7`, `before 7` or `after more`"),
        };
        Crashes { told: true, ..crashes }
    }

    /// The variable and the number that the next daemon gets.
    pub(super) fn fuse(&self) -> Option<(&'static str, usize)> {
        let variable = match self.moment {
            Moment::AfterCommit => "BATON_CRASH_AFTER_COMMITS",
            Moment::BeforeCommit => "BATON_CRASH_BEFORE_COMMIT",
        };
        self.at.map(|at| (variable, at))
    }

    /// Whether the daemon may die any moment.
    pub(super) fn is_waited_for(&self) -> bool {
        self.at.is_some()
    }

    /// It died.
    pub(super) fn happened(&mut self) {
        self.died += 1;
        let first = first(self.moment);
        let later = |at| if at < COMMITS_MAX { at + 1 } else { first };
        self.at = self.at.filter(|_| self.again).map(later);
    }

    /// The story is over, and no daemon dies any more. Answers whether there may be one that still would.
    pub(crate) fn end(&mut self) -> bool {
        if self.told {
            eprintln!("{}", died(self.died));
        }
        self.at.take().is_some()
    }
}

/// The first commit at which it pays to die: before its first a daemon has come no further than the one before it.
fn first(moment: Moment) -> usize {
    if moment == Moment::AfterCommit { 1 } else { 2 }
}

/// What the world prints at the end of a story.
fn died(times: usize) -> String {
    format!("{DIED}{times} time(s)")
}

const DIED: &str = "on purpose, the daemon died ";

/// How often the daemons of a story died that printed this.
pub(crate) fn deaths(printed: &str) -> usize {
    let counts = printed.lines().filter_map(|line| line.strip_prefix(DIED)?.split(' ').next());
    counts.map(|count| count.parse::<usize>().unwrap()).sum()
}
