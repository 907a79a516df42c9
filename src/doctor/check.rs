//! What is said of one thing that was looked at.

use serde::Serialize;

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is well.
    Pass,
    /// Baton works with it, but less well than it could, or not for long.
    Warn,
    /// Something does not work.
    Fail,
    /// It was not looked at, and why.
    Skipped,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// State directory, database, daemon, secrets.
    Machine,
    /// DNS, TCP and TLS on the way to the IMAP server.
    Reach,
    /// The login, what it allows, and when it ends.
    Login,
    /// What the server can do.
    Server,
    /// Folders and marks.
    Folders,
    /// What is nearly full.
    Limits,
    /// What was tried with a message of our own.
    Probe,
    /// The server that sends.
    Sending,
}

impl Theme {
    /// The heading above its checks.
    pub fn heading(self) -> &'static str {
        match self {
            Theme::Machine => "This machine",
            Theme::Reach => "The way to the IMAP server",
            Theme::Login => "The login",
            Theme::Server => "What the server can do",
            Theme::Folders => "Folders and marks",
            Theme::Limits => "Limits",
            Theme::Probe => "Tried with a message of Baton's own",
            Theme::Sending => "Sending",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// What it is about.
    pub theme: Theme,
    /// Its name, the same in every version.
    pub name: &'static str,
    /// How it stands.
    pub outcome: Outcome,
    /// What was found; of what was skipped, why.
    pub what: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// The checks of one theme, as they are made.
#[derive(Debug)]
pub(super) struct Sheet {
    theme: Theme,
    checks: Vec<Check>,
}

impl Sheet {
    pub(super) fn new(theme: Theme) -> Sheet {
        Sheet { theme, checks: Vec::new() }
    }

    pub(super) fn pass(&mut self, name: &'static str, what: impl Into<String>) {
        self.add(name, Outcome::Pass, what.into(), None);
    }

    pub(super) fn warn(
        &mut self,
        name: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(name, Outcome::Warn, what.into(), Some(remedy.into()));
    }

    pub(super) fn fail(
        &mut self,
        name: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(name, Outcome::Fail, what.into(), Some(remedy.into()));
    }

    pub(super) fn skip(&mut self, name: &'static str, why: impl Into<String>) {
        self.add(name, Outcome::Skipped, why.into(), None);
    }

    /// What cannot be seen from here, and what to make sure of.
    pub(super) fn advise(
        &mut self,
        name: &'static str,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(name, Outcome::Skipped, why.into(), Some(advice.into()));
    }

    pub(super) fn skip_all(&mut self, names: &[&'static str], why: &str) {
        for name in names {
            self.skip(name, why);
        }
    }

    /// A warning or a failure from words of the form `what is wrong; what to do`.
    pub(super) fn fail_in_words(&mut self, name: &'static str, words: &str) {
        let (what, remedy) = parted(words);
        self.fail(name, what, remedy);
    }

    pub(super) fn done(self) -> Vec<Check> {
        self.checks
    }

    fn add(&mut self, name: &'static str, outcome: Outcome, what: String, remedy: Option<String>) {
        self.checks.push(Check { theme: self.theme, name, outcome, what, remedy });
    }
}

/// Every error of the house says what is wrong, and after the last semicolon what to do.
fn parted(words: &str) -> (&str, &str) {
    words.rsplit_once("; ").unwrap_or((words, "the words above may tell"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_parted_into_what_is_wrong_and_what_to_do() {
        assert_eq!(parted("it is; a bit; check it"), ("it is; a bit", "check it"));
        assert_eq!(parted("it is").0, "it is");
    }
}
