//! Failures as sentences, on standard error.

use crate::config::Problems;

/// What to tell of a failure: the problems of a configuration line by line, anything else as one sentence.
pub(super) fn failure(error: &anyhow::Error) -> String {
    if let Some(problems) = error.chain().find_map(|cause| cause.downcast_ref::<Problems>()) {
        return problems.to_string();
    }
    format!("baton: {}", sentence(error))
}

/// An error with its causes, without repeating a cause whose words the error before it has taken up.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.contains(&cause) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&cause);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("no such file").context("cannot open x: no such file; make it");
        assert_eq!(failure(&error), "baton: cannot open x: no such file; make it");
        let error = anyhow::anyhow!("no such file").context("cannot begin");
        assert_eq!(failure(&error), "baton: cannot begin: no such file");
    }
}
