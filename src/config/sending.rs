//! Checks `[mailbox.sending]`: how the team's answers leave.

use std::time::Duration;

use super::document::Field;
use super::file::SendingForm;
use super::problem::{Problems, Wrong, shown};
use super::rules;
use crate::desk::answer::Enforce;
use crate::desk::policy::Sending;
use crate::desk::sending::{OnUnknown, Rules};

/// The longest time in which a mail can be stopped, seconds.
const HOLD_MAX: u32 = 3600;
/// The longest time for which a mail is looked for, seconds.
const CONFIRM_MAX: u32 = 3600;
/// The longest time that a provider may take for a copy, seconds.
const COPY_MAX: u32 = 3600;
/// The longest display name, letters.
const NAME_MAX: usize = 100;

/// The checked choices; `None` when something was wrong, which has then been reported.
pub(super) fn check(field: &Field<SendingForm>, problems: &mut Problems) -> Option<Sending> {
    let usual = Sending::default();
    if field.is_absent() {
        return Some(usual);
    }
    let form = field.given()?;
    let name = form.name.check_or(usual.name, problems, |text| template(text));
    let hold = form.hold_seconds.check_or(usual.hold, problems, |number| {
        rules::within(*number, 0..=HOLD_MAX).map(|seconds| Duration::from_secs(seconds.into()))
    });
    let enforce = form.enforce.check_or(usual.enforce, problems, |text| {
        let choices =
            [("hold", Enforce::Hold), ("refuse", Enforce::Refuse), ("record", Enforce::Record)];
        rules::one_of(text, &choices)
    });
    let confirm = form.confirm_seconds.check_or(usual.rules.confirm, problems, |number| {
        rules::within(*number, 1..=CONFIRM_MAX).map(|seconds| Duration::from_secs(seconds.into()))
    });
    let on_unknown = form.on_unknown.check_or(usual.rules.on_unknown, problems, |text| {
        rules::one_of(text, &[("hold", OnUnknown::Hold), ("resend", OnUnknown::Resend)])
    });
    let copy_wait = form.copy_seconds.check_or(usual.copy_wait, problems, |number| {
        rules::within(*number, 1..=COPY_MAX).map(|seconds| Duration::from_secs(seconds.into()))
    });
    let rules = Rules { confirm: confirm?, on_unknown: on_unknown? };
    Some(Sending {
        can: false,
        name: name?,
        hold: hold?,
        enforce: enforce?,
        rules,
        copy_wait: copy_wait?,
    })
}

/// A display name, in which only what is known stands in braces.
fn template(text: &str) -> Result<String, Wrong> {
    let text = rules::words(text)?;
    let rest = text.replace("{agent.name}", "").replace("{agent.mark}", "");
    if rest.contains(['{', '}']) {
        let what = format!("{} holds braces around something else", shown(&text));
        return Err(Wrong::new(
            what,
            "write {agent.name} or {agent.mark}, as in \"{agent.name} at Example\"",
        ));
    }
    if text.chars().count() > NAME_MAX {
        return Err(Wrong::new("too long for a name", format!("write at most {NAME_MAX} letters")));
    }
    Ok(text)
}
