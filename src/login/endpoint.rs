//! Asks a token endpoint (RFC 6749, section 3.2), and reads what it answers; also the one way to HTTPS of the program.
//!
//! One POST of a form over HTTPS, one small JSON back; no redirect is followed, since it would carry the secret along.
//! Neither the form nor the answer is ever logged. All of the process share one client, so that the system's certificates are
//! read once and connections are used again.

use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use serde::{Deserialize, Deserializer};

use super::failure::Refusal;
use crate::config::Secret;

/// How long an endpoint may take for all of its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// How long until it must be reached.
const CONNECT_WAIT: Duration = Duration::from_secs(15);
/// A longer answer is none.
const ANSWER_BYTES_MAX: usize = 128 * 1024;
/// How much of the provider's own words is repeated.
const SAID_LETTERS_MAX: usize = 300;

/// One field of a form. The value may be a secret.
pub(super) type Form<'a> = Vec<(&'a str, String)>;

/// What an endpoint answered.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Secret,
    /// How long it wants to be left alone, where it says so.
    pub(crate) wait: Option<Duration>,
}

/// A request with a token (RFC 6750, section 2.1).
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) token: &'a Secret,
    /// The header `Prefer` (RFC 7240).
    pub(crate) prefer: &'static str,
    /// A JSON document.
    pub(crate) body: Option<String>,
}

impl Answered {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The refusal in the provider's words, as far as they are for people.
    pub(super) fn said(&self) -> String {
        let refusal = Refusal::of(self.body.expose());
        let words = [refusal.error.as_str(), refusal.error_description.as_str()]
            .into_iter()
            .filter(|words| !words.is_empty())
            .collect::<Vec<_>>()
            .join(": ");
        let words = if words.is_empty() { format!("HTTP {}", self.status) } else { words };
        words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_LETTERS_MAX).collect()
    }
}

/// A token that was handed out (RFC 6749, section 5.1).
#[derive(Deserialize)]
pub(super) struct Granted {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    /// Seconds; some servers send it as text, and some not at all (M79).
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<u64>,
    /// Google tells it of tokens that end on a day, such as those of an application in testing (G86).
    #[serde(default, deserialize_with = "seconds")]
    pub(super) refresh_token_expires_in: Option<u64>,
    #[serde(default)]
    pub(super) scope: Option<String>,
}

impl Granted {
    /// Reads an answer. A token with a character that no token has could end the line of a command; it is refused.
    pub(super) fn read(body: &str) -> Option<Granted> {
        let granted: Granted = serde_json::from_str(body).ok()?;
        let legal =
            |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let fits =
            legal(&granted.access_token) && granted.refresh_token.as_deref().is_none_or(legal);
        fits.then_some(granted)
    }

    pub(super) fn access(&self) -> Secret {
        Secret::new(self.access_token.clone())
    }

    pub(super) fn refresh(&self) -> Option<Secret> {
        self.refresh_token.clone().map(Secret::new)
    }
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()))
}

/// The way to HTTPS. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http(Client);

/// The client of the process, once it was needed.
static SHARED: Mutex<Option<Http>> = Mutex::new(None);

impl Http {
    /// The one client of the process. One that could not be made is tried again at the next need.
    pub(crate) fn shared() -> Result<Http, String> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*shared {
            Some(http) => Ok(http.clone()),
            None => Ok(shared.insert(Http::new()?).clone()),
        }
    }

    fn new() -> Result<Http, String> {
        // The provider is named, so that nothing depends on whether a default was installed.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_platform_verifier())
            .map_err(|error| error.to_string())?
            .with_no_client_auth();
        Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WAIT)
            .timeout(ANSWER_WAIT)
            .user_agent(concat!("baton/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Http)
            .map_err(|error| error.to_string())
    }

    /// Posts a form. The error is the network's, in words.
    pub(super) async fn post(&self, url: &str, form: &Form<'_>) -> Result<Answered, String> {
        answered(self.0.post(url).form(form)).await
    }

    /// Makes a request with a token. The error is the network's, in words.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Answered, String> {
        let request = self.0.request(call.method, call.url).bearer_auth(call.token.expose());
        let request = request.header("prefer", call.prefer);
        match call.body {
            Some(body) => {
                answered(request.header("content-type", "application/json").body(body)).await
            }
            None => answered(request).await,
        }
    }
}

async fn answered(request: RequestBuilder) -> Result<Answered, String> {
    let response = request.header("accept", "application/json").send().await.map_err(words)?;
    let status = response.status().as_u16();
    let wait = retry_after(&response);
    let body = body(response).await?;
    Ok(Answered { status, body, wait })
}

/// The host of an endpoint, for messages.
pub(crate) fn host(url: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| "the token endpoint".to_owned())
}

/// RFC 9110, section 10.2.3, in seconds; a date is left alone.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get("retry-after")?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

async fn body(mut response: Response) -> Result<Secret, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("its answer is far too long".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Secret::new(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The innermost cause says the most; the address is told by whoever asked.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_servers_really_write_it() {
        let granted = |body| Granted::read(body);
        let usual = granted(r#"{"access_token":"a","expires_in":3599,"token_type":"Bearer","refresh_token":"r","scope":"x y"}"#).unwrap();
        assert_eq!((usual.expires_in, usual.scope.as_deref()), (Some(3599), Some("x y")));
        assert_eq!(usual.refresh().unwrap().expose(), "r");
        assert_eq!(
            granted(r#"{"access_token":"a","expires_in":"3600"}"#).unwrap().expires_in,
            Some(3600)
        );
        assert_eq!(granted(r#"{"access_token":"a"}"#).unwrap().expires_in, None);
        for bad in ["", "{}", r#"{"access_token":""}"#, r#"{"access_token":"a\r\nA1 LOGOUT"}"#] {
            assert!(granted(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_providers_words_and_bounded() {
        let said = |body: &str| {
            Answered { status: 400, body: Secret::new(body.to_owned()), wait: None }.said()
        };
        assert_eq!(
            said(r#"{"error":"invalid_grant","error_description":"Bad\r\nRequest"}"#),
            "invalid_grant: Bad  Request"
        );
        assert_eq!(said("<html>"), "HTTP 400");
        assert_eq!(said(&format!(r#"{{"error":"{}"}}"#, "x".repeat(9999))).len(), SAID_LETTERS_MAX);
    }
}
