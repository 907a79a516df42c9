//! What an access token says of itself, where it is a JWT.
//!
//! Nothing is decided by it: the signature is the mail server's business, and a provider may change the form any day. It
//! names the account, the rights and the object id in words for people.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The claims that are told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claims {
    upn: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    /// The object id: of the service principal where no person is involved.
    pub(super) oid: Option<String>,
    /// The rights of a person's token, in one text.
    scp: Option<String>,
    /// The rights of an application's token.
    roles: Vec<String>,
}

impl Claims {
    /// What can be read; nothing of a token that is no JWT.
    pub(super) fn of(token: &str) -> Claims {
        let body = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default()
    }

    /// Who the token is for.
    pub(super) fn user(&self) -> Option<&str> {
        self.upn.as_deref().or(self.preferred_username.as_deref()).or(self.email.as_deref())
    }

    /// What it allows.
    pub(super) fn rights(&self) -> Vec<String> {
        let scp = self.scp.iter().flat_map(|scp| scp.split(' ')).map(str::to_owned);
        scp.chain(self.roles.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_no_jwt_says_nothing() {
        for token in ["", "ya29.a0Af", "a.b.c", "....", "a.e30.c"] {
            let claims = Claims::of(token);
            assert_eq!((claims.user(), claims.rights().len()), (None, 0), "{token}");
        }
    }

    #[test]
    fn an_applications_token_names_its_rights_and_its_object() {
        let body = URL_SAFE_NO_PAD.encode(r#"{"oid":"o-1","roles":["IMAP.AccessAsApp"]}"#);
        let claims = Claims::of(&format!("h.{body}.s"));
        assert_eq!(
            (claims.oid.as_deref(), claims.rights()),
            (Some("o-1"), vec!["IMAP.AccessAsApp".to_owned()])
        );
    }
}
