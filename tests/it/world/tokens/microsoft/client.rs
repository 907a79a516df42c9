//! Who is the app that asks: by secret, by certificate (M78), or by its id alone.

use super::super::form::Form;
use super::super::http::Answer;
use super::super::jwt::{APP_CERTIFICATE, APP_KEY, Jwt, thumbprint};
use super::{CLIENT_ID, Office, SECRET, Secret, Setup, TENANT, aadsts};

/// The only kind of assertion there is (RFC 7523 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Office {
    /// Whether the app is itself; a public client need not show it.
    pub(super) fn check_client(&self, form: &Form, is_app: bool) -> Result<(), Answer> {
        let setup = self.setup();
        match form.get("client_id") {
            None => return Err(aadsts::missing("client_id")),
            Some(CLIENT_ID) => {}
            Some(other) => return Err(aadsts::unknown_client(other)),
        }
        if let Some(assertion) = form.get("client_assertion") {
            if form.get("client_assertion_type") != Some(JWT_BEARER) {
                return Err(aadsts::missing("client_assertion_type"));
            }
            return self.check_assertion(assertion, &setup);
        }
        match form.get("client_secret") {
            Some(SECRET) if setup.secret == Secret::Expired => Err(aadsts::secret_expired()),
            Some(SECRET) => Ok(()),
            Some(_) => Err(aadsts::secret_wrong()),
            None if setup.public_client && !is_app => Ok(()),
            None => Err(aadsts::no_credential()),
        }
    }

    fn check_assertion(&self, assertion: &str, setup: &Setup) -> Result<(), Answer> {
        let Some(jwt) = Jwt::read(assertion) else {
            return Err(aadsts::assertion(50_027, "JWT token is invalid or malformed."));
        };
        if jwt.claim("iss") != CLIENT_ID || jwt.claim("sub") != CLIENT_ID {
            let text =
                "Client assertion application identifier doesn't match 'client_id' parameter.";
            return Err(aadsts::assertion(700_021, text));
        }
        let registered = thumbprint(APP_CERTIFICATE);
        if !setup.certificate || jwt.header["x5t#S256"] != registered.as_str() {
            let text = format!(
                "The certificate with identifier used to sign the client assertion is not \
                 registered on application. [Reason - The key was not found., Please visit the \
                 Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for \
                 app Id '{CLIENT_ID}'.]"
            );
            return Err(aadsts::assertion(700_027, &text));
        }
        if !jwt.is_signed_by(APP_KEY) {
            let text = "Client assertion failed signature validation.";
            return Err(aadsts::assertion(700_027, text));
        }
        if !self.is_for_us(jwt.claim("aud")) {
            let text = "Client assertion audience claim does not match Realm issuer.";
            return Err(aadsts::assertion(700_023, text));
        }
        let now = super::super::now() + setup.clock_ahead_seconds;
        let time = |name: &str| jwt.claims[name].as_i64();
        let begun = time("nbf").or(time("iat")).is_none_or(|begin| begin <= now + 300);
        let over = time("exp").is_none_or(|end| end < now - 300);
        if !begun || over {
            let text = "Client assertion is not within its valid time range.";
            return Err(aadsts::assertion(700_024, text));
        }
        Ok(())
    }

    /// The audience is the token URL (M78), on this host or as the world knows it.
    fn is_for_us(&self, audience: &str) -> bool {
        let hosts = [self.url.as_str(), "https://login.microsoftonline.com"];
        let tenants = [TENANT, "contoso.com", "contoso.onmicrosoft.com", "organizations", "common"];
        hosts.iter().any(|host| {
            tenants.iter().any(|tenant| audience == format!("{host}/{tenant}/oauth2/v2.0/token"))
        })
    }
}
