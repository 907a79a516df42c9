//! Checks what `[mailbox.sending]` says of cards: whether agents get them, and by what their answers are known.

use super::file::SendingForm;
use super::preset::Preset;
use super::problem::{Problems, Wrong, shown};
use super::rules;
use crate::desk::card::Cards;
use crate::desk::proof::Authority;

/// What stands for the card's own sign in `card_address`.
pub(super) const TOKEN: &str = "{token}";
/// The longest text before the `@` (RFC 5321, section 4.5.3.1.1), and the longest sign of a card.
const LOCAL_MAX: usize = 64;
const TOKEN_MAX: usize = 40;

/// The checked choices; `None` when something was wrong, which has then been reported.
pub(super) fn check(form: &SendingForm, problems: &mut Problems) -> Option<Cards> {
    let on = form.cards.check_or(false, problems, |truth| Ok(*truth));
    let address = form.card_address.check_or(None, problems, |text| template(text).map(Some));
    let authority = form
        .card_authserv_id
        .check_or(None, problems, |text| authserv_id(text).map(|id| Some(Authority::Named(id))));
    Some(Cards { on: on?, address: address?, authority: authority? })
}

/// What the preset knows, and whether cards can be sent at all.
pub(super) fn complete(
    mut cards: Cards,
    form: Option<&SendingForm>,
    usual: &Preset,
    can_send: bool,
    problems: &mut Problems,
) -> Cards {
    if let Some(form) = form.filter(|_| cards.on && !can_send) {
        problems.add(
            &form.cards.at,
            "cards are mail, and no server is known that sends",
            "write [mailbox.smtp] with host below this [[mailbox]], or cards = false",
        );
    }
    cards.authority = cards.authority.or_else(|| usual.authority());
    cards
}

fn template(text: &str) -> Result<String, Wrong> {
    let remedy = "write it as in \"support+{token}@example.com\", {token} once and before the @";
    let wrong = |why: &str| Wrong::new(format!("{} {why}", shown(text)), remedy);
    let (local, _) = text.split_once('@').ok_or_else(|| wrong("is no mail address"))?;
    if local.matches(TOKEN).count() != 1 || text.matches(TOKEN).count() != 1 {
        return Err(wrong("has no place for the card's own sign"));
    }
    if local.len() - TOKEN.len() + TOKEN_MAX > LOCAL_MAX {
        return Err(wrong("is too long: no more than 64 letters may stand before the @"));
    }
    rules::address(&text.replace(TOKEN, "1"))?;
    Ok(text.to_lowercase())
}

fn authserv_id(text: &str) -> Result<String, Wrong> {
    let text = rules::words(text)?;
    if text.contains(|letter: char| letter.is_whitespace() || ";=()\"".contains(letter)) {
        let remedy = "write the first word of the field Authentication-Results that your server puts on top of \
                      every mail, as in \"mx.example.com\"";
        return Err(Wrong::new(format!("{} is not one word", shown(&text)), remedy));
    }
    Ok(text.to_lowercase())
}
