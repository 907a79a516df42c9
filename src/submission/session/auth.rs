//! AUTH (RFC 4954): the two ways in which every mail client hands over a user and a password.
//!
//! Both show the password to whoever listens, so the session offers them under TLS only. Nothing here is ever printed.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::config::Secret;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What has been asked for, and not been answered yet.
#[derive(Debug)]
pub(super) enum Step {
    /// PLAIN (RFC 4616): everything in one word.
    Plain,
    /// LOGIN: the user.
    User,
    /// LOGIN: the password.
    Password {
        /// The user who was named before.
        user: String,
    },
}

/// What an answer of the client leads to.
#[derive(Debug)]
pub(super) enum Next {
    /// One more question, already in base64.
    Ask(Step, &'static str),
    /// Everything is known.
    Check {
        /// As the client names itself.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// It is no base64, or not what the mechanism wants.
    Malformed,
}

/// `Username:` and `Password:`, as clients expect them.
const USER_ASKED: &str = "VXNlcm5hbWU6";
const PASSWORD_ASKED: &str = "UGFzc3dvcmQ6";

/// Begins with a mechanism, and maybe its first answer; `None` when the mechanism is not known.
pub(super) fn begin(mechanism: &str, initial: Option<&str>) -> Option<Next> {
    // RFC 4954, section 4: `=` stands for an empty first answer.
    let initial = initial.map(|word| if word == "=" { "" } else { word });
    Some(match (mechanism.to_ascii_uppercase().as_str(), initial) {
        ("PLAIN", Some(word)) => go_on(Step::Plain, word.as_bytes()),
        ("PLAIN", None) => Next::Ask(Step::Plain, ""),
        ("LOGIN", Some(word)) => go_on(Step::User, word.as_bytes()),
        ("LOGIN", None) => Next::Ask(Step::User, USER_ASKED),
        _ => return None,
    })
}

/// Takes a line of the client.
pub(super) fn go_on(step: Step, line: &[u8]) -> Next {
    let Some(text) = BASE64.decode(line).ok().and_then(|bytes| String::from_utf8(bytes).ok())
    else {
        return Next::Malformed;
    };
    match step {
        Step::Plain => plain(&text),
        Step::User if text.is_empty() || text.contains('\0') => Next::Malformed,
        Step::User => Next::Ask(Step::Password { user: text }, PASSWORD_ASKED),
        Step::Password { user } => Next::Check { user, password: Secret::new(text) },
    }
}

/// `[authorize-as] NUL user NUL password`. Nobody may act as somebody else.
fn plain(text: &str) -> Next {
    let words: Vec<&str> = text.split('\0').collect();
    match words.as_slice() {
        [other, user, password] if !user.is_empty() && (other.is_empty() || other == user) => {
            Next::Check { user: (*user).to_owned(), password: Secret::new((*password).to_owned()) }
        }
        _ => Next::Malformed,
    }
}
