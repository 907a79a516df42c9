//! The two ways in which a person agrees: a code typed on another device, or a browser that comes back.
//!
//! Device code: RFC 8628 (M76). Browser: RFC 6749, section 4.1, with PKCE (RFC 7636, S256) and `state`, back to a port on
//! the loopback (RFC 8252, section 7.3); where the browser is on another machine, the address that it could not open is
//! pasted. What is printed and read is the command line's business.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde::Deserialize;
use sha2::Digest;

use super::endpoint::{Form, Granted, host};
use super::error::Error;
use super::failure::Refusal;
use super::grant::{add_client, add_scopes, random_word};
use super::keep::Facts;
use super::tokens::Tokens;
use crate::config::{Flow, Provider, Secret};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// RFC 8628, section 3.2: where the provider names no pause.
const USUAL_INTERVAL_SECONDS: u64 = 5;
/// RFC 8628, section 3.5: how much slower after each `slow_down`.
const SLOWER_SECONDS: u64 = 5;
/// How long a code is waited for at most, whatever the provider says.
const DEVICE_WAIT_MAX_SECONDS: u64 = 3600;

/// What the person needs.
#[derive(Deserialize)]
pub struct DeviceCode {
    device_code: String,
    /// What to type.
    pub user_code: String,
    /// Where.
    #[serde(alias = "verification_url")]
    pub verification_uri: String,
    expires_in: u64,
    #[serde(default)]
    interval: Option<u64>,
}

impl std::fmt::Debug for DeviceCode {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("DeviceCode").field("at", &self.verification_uri).finish_non_exhaustive()
    }
}

/// What is asked of a person in a browser.
#[derive(Debug)]
pub struct Authorization {
    /// Where the browser goes.
    pub url: String,
    redirect: String,
    state: String,
    verifier: Secret,
}

impl Tokens {
    /// Asks for a code that a person can type.
    pub async fn begin_device(&self) -> Result<DeviceCode, Error> {
        let Flow::DeviceCode { client, device_url } = &self.oauth().flow else {
            return Err(Error::Broken("this login needs no device code".to_owned()));
        };
        let mut form: Form<'_> = vec![("client_id", client.id.clone())];
        add_scopes(self.oauth(), &mut form);
        let answered = self.ask(device_url, &form).await?;
        if !answered.is_success() {
            return Err(self.refusal(device_url, &answered));
        }
        serde_json::from_str(answered.body.expose())
            .map_err(|_| Error::NoToken { host: host(device_url) })
    }

    /// Waits until the person has typed it.
    pub async fn finish_device(&self, code: &DeviceCode) -> Result<Facts, Error> {
        let Some(client) = self.oauth().client() else {
            return Err(Error::Broken("this login needs no device code".to_owned()));
        };
        let mut pause = code.interval.unwrap_or(USUAL_INTERVAL_SECONDS).max(1);
        let mut left = code.expires_in.min(DEVICE_WAIT_MAX_SECONDS);
        while left > 0 {
            tokio::time::sleep(Duration::from_secs(pause.min(left))).await;
            left = left.saturating_sub(pause);
            let mut form: Form<'_> = vec![
                ("grant_type", DEVICE_CODE.to_owned()),
                ("device_code", code.device_code.clone()),
            ];
            add_client(self.oauth(), client, self.now(), &mut form)?;
            let url = &self.oauth().token_url;
            let answered = match self.ask(url, &form).await {
                Ok(answered) => answered,
                // RFC 8628, section 3.5: a lost line is no end.
                Err(Error::Network { .. }) => continue,
                Err(error) => return Err(error),
            };
            if answered.is_success() {
                let granted = Granted::read(answered.body.expose());
                return self
                    .adopt(&granted.ok_or_else(|| Error::NoToken { host: host(url) })?)
                    .await;
            }
            match Refusal::of(answered.body.expose()).error.as_str() {
                "authorization_pending" => {}
                "slow_down" => pause += SLOWER_SECONDS,
                "expired_token" | "code_expired" => break,
                "authorization_declined" | "access_denied" => {
                    return Err(Error::NoConsent("the person declined".to_owned()));
                }
                _ => return Err(self.refusal(url, &answered)),
            }
        }
        Err(Error::NoConsent("the code was not typed in time; run the command again".to_owned()))
    }

    /// Makes the address for the browser, which comes back to `redirect`.
    pub fn begin_browser(&self, redirect: &str) -> Result<Authorization, Error> {
        let Flow::AuthorizationCode { client, authorize_url, .. } = &self.oauth().flow else {
            return Err(Error::Broken("this login needs no browser".to_owned()));
        };
        let (state, verifier) = (random_word()?, random_word()?);
        let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&verifier));
        let broken =
            |error: &dyn std::fmt::Display| Error::Broken(format!("authorize_url: {error}"));
        let mut url = Url::parse(authorize_url).map_err(|error| broken(&error))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", redirect)
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("login_hint", &self.oauth().user);
        if !self.oauth().scopes.is_empty() {
            url.query_pairs_mut().append_pair("scope", &self.oauth().scopes.join(" "));
        }
        // G84: without both, Google gives a refresh token only the first time.
        if self.oauth().provider == Provider::Gmail {
            url.query_pairs_mut()
                .append_pair("access_type", "offline")
                .append_pair("prompt", "consent");
        }
        let verifier = Secret::new(verifier);
        Ok(Authorization { url: url.into(), redirect: redirect.to_owned(), state, verifier })
    }

    /// Turns the code into tokens.
    pub async fn finish_browser(
        &self,
        asked: &Authorization,
        code: &Secret,
    ) -> Result<Facts, Error> {
        let Some(client) = self.oauth().client() else {
            return Err(Error::Broken("this login needs no browser".to_owned()));
        };
        let mut form: Form<'_> = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.expose().to_owned()),
            ("redirect_uri", asked.redirect.clone()),
            ("code_verifier", asked.verifier.expose().to_owned()),
        ];
        add_client(self.oauth(), client, self.now(), &mut form)?;
        let url = &self.oauth().token_url;
        let answered = self.ask(url, &form).await?;
        if !answered.is_success() {
            return Err(self.refusal(url, &answered));
        }
        let granted = Granted::read(answered.body.expose());
        self.adopt(&granted.ok_or_else(|| Error::NoToken { host: host(url) })?).await
    }
}

/// What an address that the browser came back with says.
#[derive(Debug)]
pub enum CameBack {
    /// A code.
    Code(Secret),
    /// The person, or the provider, said no: in the provider's words.
    Refused(String),
    /// Something else: a picture that the browser asked for, or another program's doing.
    Stranger,
}

impl Authorization {
    /// Reads the path and query with which the browser came back. An answer without our `state` is not an answer to us
    /// (RFC 6749, section 10.12).
    pub fn came_back(&self, target: &str) -> CameBack {
        let Some((_, query)) = target.split_once('?') else { return CameBack::Stranger };
        let Ok(url) = Url::parse(&format!("http://localhost/?{query}")) else {
            return CameBack::Stranger;
        };
        let of = |name: &str| {
            url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        if of("state").as_deref() != Some(self.state.as_str()) {
            return CameBack::Stranger;
        }
        match (of("code"), of("error")) {
            (Some(code), _) if !code.is_empty() => CameBack::Code(Secret::new(code)),
            (_, Some(error)) => {
                let description = of("error_description").unwrap_or_default();
                let words = format!("{error} {description}");
                let words = words.trim().chars().filter(|c| !c.is_control()).take(300);
                CameBack::Refused(words.collect())
            }
            _ => CameBack::Stranger,
        }
    }

    /// Reads what a person pasted: the whole address, or the code alone, which PKCE ties to this login.
    pub fn pasted(&self, text: &str) -> CameBack {
        let text = text.trim();
        if text.contains('?') {
            return self.came_back(text);
        }
        let is_code = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_code { CameBack::Code(Secret::new(text.to_owned())) } else { CameBack::Stranger }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Authorization {
        Authorization {
            url: String::new(),
            redirect: "http://127.0.0.1:1/".into(),
            state: "s1".into(),
            verifier: Secret::new("v".into()),
        }
    }

    #[test]
    fn only_an_answer_to_this_login_is_taken() {
        let asked = asked();
        let code = |back| match back {
            CameBack::Code(code) => code.expose().to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(code(asked.came_back("/?code=4%2F0x&state=s1")), "4/0x");
        assert_eq!(code(asked.pasted(" http://127.0.0.1:1/?state=s1&code=abc \n")), "abc");
        assert_eq!(code(asked.pasted("4/0x")), "4/0x");
        for other in
            ["/", "/favicon.ico", "/?code=x", "/?code=x&state=s2", "/?state=s1", "/?code=&state=s1"]
        {
            assert!(matches!(asked.came_back(other), CameBack::Stranger), "{other}");
        }
        for other in ["", "two words", "http://h/?code=x&state=other"] {
            assert!(matches!(asked.pasted(other), CameBack::Stranger), "{other}");
        }
    }

    #[test]
    fn a_no_comes_with_its_words() {
        let back = asked().came_back("/?error=access_denied&error_description=Not%20me&state=s1");
        assert!(matches!(back, CameBack::Refused(words) if words == "access_denied Not me"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let code = DeviceCode {
            device_code: "hunter2".into(),
            user_code: "ABC".into(),
            verification_uri: "https://x/".into(),
            expires_in: 1,
            interval: None,
        };
        let told = format!("{code:?} {:?}", asked());
        assert!(!told.contains("hunter2") && !told.contains("\"v\""), "{told}");
    }
}
