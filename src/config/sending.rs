//! Checks `[mailbox.sending]`: how the team's answers leave.

use std::time::Duration;

use super::document::Field;
use super::file::{AcknowledgementForm, SendingForm};
use super::preset::Preset;
use super::problem::{Problems, Wrong, shown};
use super::{cards, rules};
use crate::desk::answer::Enforce;
use crate::desk::automatic::Caps;
use crate::desk::policy::{Acknowledgement, Recipients, Sending};
use crate::desk::sending::{OnUnknown, Rules};

/// The longest time in which a mail can be stopped, seconds.
const HOLD_MAX: u32 = 3600;
/// The longest time for which a mail is looked for, seconds.
const CONFIRM_MAX: u32 = 3600;
/// The longest time that a provider may take for a copy, seconds.
const COPY_MAX: u32 = 3600;
/// The most that machines may ever write to one address.
const AUTOMATIC_MAX: u32 = 10_000;
/// The longest acknowledgement, letters.
const TEXT_MAX: usize = 10_000;
/// The most connections to one server that sends.
const CONNECTIONS_MAX: u32 = 20;
/// The most mails a minute that are worth a bound.
const PER_MINUTE_MAX: u32 = 10_000;
/// How long a server that sends may owe an answer, usually and at most, seconds.
const ANSWER: u32 = 120;
const ANSWER_MAX: u32 = 600;
/// What stands for everybody among the domains.
const ANYBODY: &str = "any";
/// The longest display name, letters.
const NAME_MAX: usize = 100;

/// How hard a server that sends may be pressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    /// How many connections there are at a time.
    pub connections: usize,
    /// How many mails leave in a minute, where that is bounded.
    pub per_minute: Option<usize>,
    /// How long it may owe an answer; five times as long for that to a whole mail.
    pub patience: Duration,
}

/// The checked pace; `None` when something was wrong, which has then been reported.
pub(super) fn pace(
    field: &Field<SendingForm>,
    usual: Preset,
    problems: &mut Problems,
) -> Option<Pace> {
    let (connections, per_minute, answer) = if field.is_absent() {
        (Some(usual.connections), Some(usual.per_minute), Some(ANSWER))
    } else {
        let form = field.given()?;
        let mut number = |field: &Field<i64>, usual: u32, least: u32, most: u32| {
            field.check_or(usual, problems, |number| rules::within(*number, least..=most))
        };
        (
            number(&form.connections, usual.connections, 1, CONNECTIONS_MAX),
            number(&form.per_minute, usual.per_minute, 0, PER_MINUTE_MAX),
            number(&form.answer_seconds, ANSWER, 1, ANSWER_MAX),
        )
    };
    let many = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Some(Pace {
        connections: many(connections?),
        per_minute: Some(many(per_minute?)).filter(|number| 0 < *number),
        patience: Duration::from_secs(answer?.into()),
    })
}

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
    let recipients = recipients(&form.recipients, problems);
    let confirm = form.confirm_seconds.check_or(usual.rules.confirm, problems, |number| {
        rules::within(*number, 1..=CONFIRM_MAX).map(|seconds| Duration::from_secs(seconds.into()))
    });
    let on_unknown = form.on_unknown.check_or(usual.rules.on_unknown, problems, |text| {
        rules::one_of(text, &[("hold", OnUnknown::Hold), ("resend", OnUnknown::Resend)])
    });
    let copy_wait = form.copy_seconds.check_or(usual.copy_wait, problems, |number| {
        rules::within(*number, 1..=COPY_MAX).map(|seconds| Duration::from_secs(seconds.into()))
    });
    let per_hour = form.automatic_per_hour.check_or(usual.caps.per_hour, problems, |number| {
        rules::within(*number, 1..=AUTOMATIC_MAX)
    });
    let per_day = form
        .automatic_per_day
        .check_or(usual.caps.per_day, problems, |number| rules::within(*number, 1..=AUTOMATIC_MAX));
    let cards = cards::check(form, problems);
    let rules = Rules { confirm: confirm?, on_unknown: on_unknown? };
    Some(Sending {
        can: false,
        name: name?,
        hold: hold?,
        enforce: enforce?,
        recipients: recipients?,
        rules,
        copy_wait: copy_wait?,
        acknowledgement: None,
        caps: Caps { per_hour: per_hour?, per_day: per_day? },
        shared: Vec::new(),
        cards: cards?,
    })
}

/// `["any"]`, or domains.
fn recipients(field: &Field<Vec<Field<String>>>, problems: &mut Problems) -> Option<Recipients> {
    if field.is_absent() {
        return Some(Sending::default().recipients);
    }
    let names: Vec<Option<String>> =
        field.given()?.iter().map(|name| name.check(problems, |text| domain(text))).collect();
    let names: Vec<String> = names.into_iter().collect::<Option<_>>()?;
    Some(match names.iter().any(|name| name == ANYBODY) {
        true => Recipients::Any,
        false => Recipients::At(names),
    })
}

fn domain(text: &str) -> Result<String, Wrong> {
    let name = text.trim().to_lowercase();
    let is_domain = name.contains('.')
        && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '-'));
    if name == ANYBODY || is_domain {
        return Ok(name);
    }
    Err(Wrong::new(
        format!("{} is no domain", shown(text)),
        "write what stands behind the @, as in [\"example.com\"], or [\"any\"]",
    ))
}

/// What customers are told when a mail has come: nothing, unless it is switched on. Outer `None` when something was wrong.
#[expect(clippy::option_option, reason = "wrong, off, and on are three")]
pub(super) fn check_acknowledgement(
    field: &Field<AcknowledgementForm>,
    problems: &mut Problems,
) -> Option<Option<Acknowledgement>> {
    if field.is_absent() {
        return Some(None);
    }
    let form = field.given()?;
    let usual = Acknowledgement::default();
    let enabled = form.enabled.check_or(false, problems, |truth| Ok(*truth));
    let name = form.name.check_or(usual.name, problems, |text| rules::words(text));
    let text = form.text.check_or(usual.text, problems, |text| told(text));
    let languages: Vec<Option<Option<(String, String)>>> = form
        .languages
        .iter()
        .map(|(code, field)| {
            field.check_or(None, problems, |text| Ok(Some(((*code).to_owned(), told(text)?))))
        })
        .collect();
    let languages: Option<Vec<_>> = languages.into_iter().collect();
    let languages = languages?.into_iter().flatten().collect();
    let (enabled, name, text) = (enabled?, name?, text?);
    Some(enabled.then_some(Acknowledgement { name, text, languages }))
}

/// A text of several lines, in which only what is known stands in braces.
fn told(text: &str) -> Result<String, Wrong> {
    let rest = text.replace("{number}", "").replace("{subject}", "");
    if text.trim().is_empty() {
        return Err(Wrong::new("empty", "write what customers are told, or leave the key out"));
    }
    if rest.contains(['{', '}']) {
        return Err(Wrong::new(
            "it holds braces around something else",
            "write {number} or {subject}, as in \"We have your mail ({number}).\"",
        ));
    }
    if TEXT_MAX < text.chars().count() {
        return Err(Wrong::new("too long", format!("write at most {TEXT_MAX} letters")));
    }
    Ok(text.to_owned())
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
