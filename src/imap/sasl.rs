//! What is said in AUTHENTICATE, byte by byte: PLAIN, XOAUTH2 and OAUTHBEARER.
//!
//! The two ways to show a token end differently when it is refused: XOAUTH2 wants an empty line after the server's
//! JSON, OAUTHBEARER a `\x01` (RFC 7628, section 3.2.3). Exchange Online sends no JSON at all. Where to start:
//! [`Bearer`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest first answer that goes in the line of the command; Exchange takes commands of 10 KB (M45).
const INITIAL_BYTES_MAX: usize = 8000;

/// PLAIN carries every character (RFC 4616); LOGIN is for servers that do not have it.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

impl async_imap::Authenticator for Plain<'_> {
    type Response = String;
    fn process(&mut self, _challenge: &[u8]) -> String {
        format!("\0{}\0{}", self.user, self.password)
    }
}

/// How a token is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mechanism {
    /// Google's and Microsoft's own (X1).
    Xoauth2,
    /// RFC 7628.
    Oauthbearer,
}

impl Mechanism {
    /// The one to use, of what is offered in upper case. XOAUTH2 first, since it asks for no host and port (X10).
    pub(super) fn of(offered: &[String]) -> Option<Mechanism> {
        let offers = |name: &str| offered.iter().any(|word| word == name);
        match (offers("AUTH=XOAUTH2"), offers("AUTH=OAUTHBEARER")) {
            (true, _) => Some(Mechanism::Xoauth2),
            (false, true) => Some(Mechanism::Oauthbearer),
            (false, false) => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Mechanism::Xoauth2 => "XOAUTH2",
            Mechanism::Oauthbearer => "OAUTHBEARER",
        }
    }

    /// What tells user and token.
    fn initial(self, user: &str, token: &str, host: &str, port: u16) -> String {
        match self {
            Mechanism::Xoauth2 => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
            Mechanism::Oauthbearer => {
                // RFC 5801, section 4: `=` and `,` have a meaning in the name.
                let name = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
            }
        }
    }

    /// What the client says to the reason of a refusal; without it the server waits for ever (X4).
    fn farewell(self) -> &'static str {
        match self {
            Mechanism::Xoauth2 => "",
            Mechanism::Oauthbearer => "\x01",
        }
    }
}

/// The conversation in which a token is shown. Keeps the reason of a refusal. Not `Debug`, since it holds the token.
pub(super) struct Bearer {
    mechanism: Mechanism,
    /// What has not been said yet.
    initial: Option<String>,
    /// The JSON of a refusal.
    pub(super) challenge: Option<String>,
}

impl Bearer {
    /// The conversation, and the argument of AUTHENTICATE that begins it; with `at_once`, the token stands in it
    /// (SASL-IR, RFC 4959).
    pub(super) fn begin(
        mechanism: Mechanism,
        who: (&str, &str),
        server: (&str, u16),
        at_once: bool,
    ) -> (Bearer, String) {
        let ((user, token), (host, port)) = (who, server);
        let initial = mechanism.initial(user, token, host, port);
        let encoded = STANDARD.encode(&initial);
        if at_once && encoded.len() <= INITIAL_BYTES_MAX {
            let bearer = Bearer { mechanism, initial: None, challenge: None };
            return (bearer, format!("{} {encoded}", mechanism.name()));
        }
        let bearer = Bearer { mechanism, initial: Some(initial), challenge: None };
        (bearer, mechanism.name().to_owned())
    }
}

impl async_imap::Authenticator for &mut Bearer {
    type Response = String;
    fn process(&mut self, challenge: &[u8]) -> String {
        if let Some(initial) = self.initial.take() {
            return initial;
        }
        self.challenge = Some(String::from_utf8_lossy(challenge).into_owned());
        self.mechanism.farewell().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_test_vectors() {
        let who = ("user@example.com", "token");
        // X2
        let (_, said) = Bearer::begin(Mechanism::Xoauth2, who, ("h", 1), true);
        assert_eq!(said, "XOAUTH2 dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHRva2VuAQE=");
        // X9
        let server = ("imap.gmail.com", 993);
        let (_, said) = Bearer::begin(Mechanism::Oauthbearer, who, server, true);
        assert_eq!(
            said,
            "OAUTHBEARER bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9aW1hcC5nbWFpbC5jb20BcG9ydD05OTMBYXV0aD1CZWFyZXIgdG9rZW4BAQ=="
        );
    }

    #[test]
    fn a_token_that_is_too_long_for_a_line_waits_to_be_asked_for() {
        let long = "x".repeat(9000);
        let (_, said) = Bearer::begin(Mechanism::Xoauth2, ("ann", &long), ("h", 1), true);
        assert_eq!(said, "XOAUTH2");
    }

    #[test]
    fn a_name_cannot_add_an_attribute() {
        let said = Mechanism::Oauthbearer.initial("a,b=c@d", "t", "h", 1);
        assert!(said.starts_with("n,a=a=2Cb=3Dc@d,\x01"), "{said:?}");
    }

    #[test]
    fn xoauth2_is_preferred_and_oauthbearer_is_taken_where_it_stands_alone() {
        let of = |words: &[&str]| {
            Mechanism::of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["AUTH=OAUTHBEARER", "AUTH=XOAUTH2"]), Some(Mechanism::Xoauth2));
        assert_eq!(of(&["AUTH=PLAIN", "AUTH=OAUTHBEARER"]), Some(Mechanism::Oauthbearer));
        assert_eq!(of(&["AUTH=PLAIN"]), None);
    }
}
