//! The login, and what a refused one means.
//!
//! A password goes by PLAIN or LOGIN, a token by XOAUTH2 or OAUTHBEARER (`sasl.rs`). What a refusal says is sorted here
//! only as far as the next step depends on it: a person must act, or it passes. Where to start: [`log_in`].

use std::time::Duration;

use tokio::io::BufWriter;
use tokio::time::timeout;

use super::answer;
use super::credential::{Login, NoProof, Proof};
use super::error::Error;
use super::limit::limit;
use super::sasl::{Bearer, Mechanism, Plain};
use super::session::{Session, Stream, Who, Wire};
use super::tolerant::Tolerant;

type Inner = async_imap::Session<Stream>;
type Client = async_imap::Client<Stream>;

/// A server, as far as the login depends on it.
#[derive(Debug)]
pub(super) struct Server<'a> {
    pub(super) name: (&'a str, u16),
    /// What it offers, upper case.
    pub(super) offered: &'a [String],
    pub(super) patience: Duration,
}

impl Server<'_> {
    fn offers(&self, name: &str) -> bool {
        self.offered.iter().any(|word| word == name)
    }
}

/// Asks for what to log in with; before anything is opened, so that no server waits for it.
pub(super) async fn proof(login: &Login) -> Result<Proof, Error> {
    login.credential.proof().await.map_err(|NoProof { why, retry }| Error::NoProof {
        account: login.user.clone(),
        why,
        retry,
    })
}

/// Logs in over a connection whose greeting has been read.
pub(super) async fn log_in(
    login: &Login,
    proof: &Proof,
    wire: Box<dyn Wire>,
    server: Server<'_>,
    who: Who,
) -> Result<Session, Error> {
    let stream: Stream = BufWriter::new(Box::new(Tolerant::new(wire)));
    let client = async_imap::Client::new(stream);
    let attempt = async {
        match proof {
            Proof::Password(password) => {
                let entered = with_password(client, &login.user, password, &server).await;
                entered.map_err(|error| sort(&who, error, None))
            }
            Proof::Bearer(token) => with_token(client, &login.user, token, &server, &who).await,
        }
    };
    let inner = match timeout(server.patience, attempt).await {
        Ok(Ok(inner)) => inner,
        Ok(Err(error)) => {
            if matches!(error, Error::LoginRefused { .. } | Error::TokenRefused { .. }) {
                login.credential.refused(proof);
            }
            return Err(error);
        }
        Err(_) => return Err(who.lost("no answer to the login")),
    };
    Ok(Session::new(inner, who, server.patience))
}

async fn with_password(
    mut client: Client,
    user: &str,
    password: &str,
    server: &Server<'_>,
) -> async_imap::error::Result<Inner> {
    use async_imap::error::Error as Imap;
    let mut answer = Imap::No("no way to log in with a password is offered".to_owned());
    if server.offers("AUTH=PLAIN") {
        match client.authenticate("PLAIN", Plain { user, password }).await {
            Ok(session) => return Ok(session),
            // BAD: it does not know the mechanism after all.
            Err((Imap::Bad(said), unused)) => {
                client = unused;
                answer = Imap::Bad(said);
            }
            Err((error, _)) => return Err(error),
        }
    }
    if server.offers("LOGINDISABLED") {
        return Err(answer);
    }
    client.login(user, password).await.map_err(|(error, _)| error)
}

async fn with_token(
    client: Client,
    user: &str,
    token: &str,
    server: &Server<'_>,
    who: &Who,
) -> Result<Inner, Error> {
    let Some(mechanism) = Mechanism::of(server.offered) else {
        let answer = "it offers no login with a token (XOAUTH2 or OAUTHBEARER)".to_owned();
        let Who { host, account } = who.clone();
        return Err(Error::TokenRefused { host, account, answer, challenge: None });
    };
    let at_once = server.offers("SASL-IR");
    let (mut bearer, words) = Bearer::begin(mechanism, (user, token), server.name, at_once);
    match client.authenticate(words, &mut bearer).await {
        Ok(session) => Ok(session),
        Err((error, _)) => Err(sort(who, error, Some(bearer.challenge))),
    }
}

/// What a refused login says when the proof was not even looked at: codes of RFC 5530, section 3.
const NOT_NOW: [&str; 4] = ["[unavailable]", "[inuse]", "[limit]", "[serverbug]"];

/// A wrong proof, or something that passes? `challenge` is there where a token was shown.
fn sort(who: &Who, error: async_imap::error::Error, challenge: Option<Option<String>>) -> Error {
    use async_imap::error::Error as Imap;
    let said = match error {
        Imap::No(said) | Imap::Bad(said) => said,
        Imap::Validate(_) => "user or password contain a line break".to_owned(),
        Imap::ConnectionLost => return who.lost("the server closed it during the login"),
        Imap::Io(error) => return who.lost(answer::read_failure(&error)),
        other => return who.lost(other.to_string()),
    };
    let answer = server_words(&said);
    let lower = answer.to_ascii_lowercase();
    let Who { host, account } = who.clone();
    if let Some(limit) = limit(&answer) {
        return Error::Limited { host, account, limit, answer };
    }
    if NOT_NOW.iter().any(|words| lower.contains(words)) {
        return Error::NotNow { host, account, answer };
    }
    match challenge {
        Some(challenge) => Error::TokenRefused { host, account, answer, challenge },
        None => Error::LoginRefused { host, account, answer },
    }
}

/// async-imap says `code: None, info: Some("…")`.
fn server_words(said: &str) -> String {
    let (code, words) = match said.split_once("info: Some(\"") {
        Some((code, rest)) => (code, rest.strip_suffix("\")").unwrap_or(rest)),
        None => ("", said),
    };
    let alert = if code.contains("Some(Alert)") { "[ALERT] " } else { "" };
    format!("{alert}{}", words.replace("\\\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::connect::tests::{start, start_with};
    use crate::imap::script;

    const HELLO: &str = "S: * OK ready\nC: B1 CAPABILITY\nS: * CAPABILITY IMAP4rev1";
    const XOAUTH2: &str = "dXNlcj1hbm4BYXV0aD1CZWFyZXIgdG9rZW4BAQ==";
    /// What Gmail's challenge decodes to is in G6 of the emulator list: status 400.
    const CHALLENGE: &str = "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";

    async fn with_bearer(script: String) -> Result<Session, Error> {
        let (wire, _script) = script::play(script);
        start_with(wire, Proof::Bearer("token".to_owned())).await
    }

    #[tokio::test]
    async fn a_wrong_password_is_told_from_a_server_that_is_busy() {
        for (said, never) in [
            ("[AUTHENTICATIONFAILED] Authentication failed.", true),
            ("LOGIN failed.", true),
            ("[UNAVAILABLE] Temporary authentication failure.", false),
            ("Too many simultaneous connections. (Failure)", false),
            ("[ALERT] Too many simultaneous connections. (Failure)", false),
            ("Server Unavailable. 15", false),
        ] {
            let (wire, _script) = script::play(format!(
                "{HELLO}\nS: B1 OK\nC: A0001 LOGIN \"ann\" \"wrong\"\nS: A0001 NO {said}"
            ));
            let error = start(wire, "wrong").await.unwrap_err();
            assert_eq!(matches!(error, Error::LoginRefused { .. }), never, "{error}");
            assert!(error.to_string().contains(said), "{error}");
            assert!(!error.to_string().contains("wrong\""), "{error}");
        }
    }

    #[tokio::test]
    async fn a_password_of_any_characters_goes_by_plain() {
        let (wire, script) = script::play(format!(
            "{HELLO} AUTH=PLAIN\nS: B1 OK\nC: A0001 AUTHENTICATE PLAIN\nS: +\n\
             C: AGFubgBwIlxcw7w=\nS: A0001 OK in\n\
             C: A0002 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: A0002 OK"
        ));
        start(wire, "p\"\\\\ü").await.unwrap();
        script.played().await;
    }

    #[tokio::test]
    async fn a_token_goes_at_once_where_the_server_takes_it_so() {
        let (wire, script) = script::play(format!(
            "{HELLO} SASL-IR AUTH=PLAIN AUTH=XOAUTH2\nS: B1 OK\n\
             C: A0001 AUTHENTICATE XOAUTH2 {XOAUTH2}\nS: * CAPABILITY IMAP4rev1 MOVE\nS: A0001 OK in\n\
             C: A0002 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: A0002 OK"
        ));
        start_with(wire, Proof::Bearer("token".to_owned())).await.unwrap();
        script.played().await;
    }

    #[tokio::test]
    async fn a_token_waits_for_the_plus_elsewhere() {
        let (wire, script) = script::play(format!(
            "{HELLO} AUTH=XOAUTH2 LOGINDISABLED\nS: B1 OK\n\
             C: A0001 AUTHENTICATE XOAUTH2\nS: + \nC: {XOAUTH2}\nS: A0001 OK in\n\
             C: A0002 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: A0002 OK"
        ));
        start_with(wire, Proof::Bearer("token".to_owned())).await.unwrap();
        script.played().await;
    }

    #[tokio::test]
    async fn gmail_gives_its_reason_and_wants_an_empty_line() {
        for plus in [true, false] {
            let begin = match plus {
                true => format!("C: A0001 AUTHENTICATE XOAUTH2\nS: + \nC: {XOAUTH2}"),
                false => format!("C: A0001 AUTHENTICATE XOAUTH2 {XOAUTH2}"),
            };
            let ir = if plus { "" } else { " SASL-IR" };
            let error = with_bearer(format!(
                "{HELLO}{ir} AUTH=XOAUTH2\nS: B1 OK\n{begin}\nS: + {CHALLENGE}\nC: \n\
                 S: A0001 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
            ))
            .await
            .unwrap_err();
            let Error::TokenRefused { answer, challenge, .. } = error else { panic!("{error}") };
            assert_eq!(answer, "[AUTHENTICATIONFAILED] Invalid credentials (Failure)");
            assert!(challenge.unwrap().contains("\"status\":\"400\""));
        }
    }

    #[tokio::test]
    async fn microsoft_gives_no_reason() {
        let error = with_bearer(format!(
            "{HELLO} SASL-IR AUTH=XOAUTH2 LOGINDISABLED\nS: B1 OK\n\
             C: A0001 AUTHENTICATE XOAUTH2 {XOAUTH2}\nS: A0001 NO AUTHENTICATE failed."
        ))
        .await
        .unwrap_err();
        let Error::TokenRefused { answer, challenge, .. } = error else { panic!("{error}") };
        assert_eq!((answer.as_str(), challenge), ("AUTHENTICATE failed.", None));
    }

    #[tokio::test]
    async fn oauthbearer_ends_with_its_own_byte() {
        let error = with_bearer(format!(
            "{HELLO} AUTH=OAUTHBEARER\nS: B1 OK\nC: A0001 AUTHENTICATE OAUTHBEARER\nS: + \n\
             C: bixhPWFubiwBaG9zdD1oAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHRva2VuAQE=\n\
             S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\nC: AQ==\n\
             S: A0001 NO [AUTHENTICATIONFAILED] Authentication failed."
        ))
        .await
        .unwrap_err();
        let Error::TokenRefused { challenge, .. } = error else { panic!("{error}") };
        assert_eq!(challenge.unwrap(), "{\"status\":\"invalid_token\"}");
    }

    #[tokio::test]
    async fn no_token_is_sent_to_a_server_that_takes_none() {
        let error =
            with_bearer(format!("{HELLO} AUTH=PLAIN\nS: B1 OK\nS: HOLD")).await.unwrap_err();
        assert!(error.to_string().contains("offers no login with a token"), "{error}");
    }
}
