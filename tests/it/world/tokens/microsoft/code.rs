//! The sign-in page, and the code that it sends to a client on the loopback.

use super::super::Consent;
use super::super::form::Form;
use super::super::http::{Answer, Request};
use super::super::jwt::challenge;
use super::super::ledger::{Grant, Refused, random};
use super::{CLIENT_ID, Office, Setup, aadsts, form, person, scope};

impl Office {
    /// The person of [`Setup`] signs in and clicks at once.
    pub(super) fn sign_in_page(&self, tenant: &str, request: &Request) -> Answer {
        let query = &request.query;
        let redirect_uri = query.get("redirect_uri").unwrap_or_default();
        if Office::check_tenant(tenant, true).is_err() {
            return aadsts::page(90_002, "Tenant not found.");
        }
        if query.get("client_id") != Some(CLIENT_ID) {
            return aadsts::page(700_016, "Application was not found in the directory 'Contoso'.");
        }
        // A public client may use any port of the loopback.
        if !["http://localhost:", "http://127.0.0.1:"]
            .iter()
            .any(|start| redirect_uri.starts_with(start))
        {
            let text = "The redirect URI specified in the request does not match the redirect URIs \
                configured for the application.";
            return aadsts::page(50_011, text);
        }
        let setup = self.setup();
        let answered = self.consented(&setup, query, redirect_uri);
        let state = query.get("state").unwrap_or_default();
        let parameters = match &answered {
            Ok(code) => {
                vec![("code", code.as_str()), ("state", state), ("session_state", "0cfa8b6d")]
            }
            Err((error, text)) => {
                vec![("error", *error), ("error_description", *text), ("state", state)]
            }
        };
        Answer::redirect(format!("{redirect_uri}?{}", form::write(&parameters)))
    }

    /// The code, or what the client is told instead.
    fn consented(
        &self,
        setup: &Setup,
        query: &Form,
        redirect_uri: &str,
    ) -> Result<String, (&'static str, &'static str)> {
        let scopes = query.words("scope");
        if query.get("response_type") != Some("code") {
            let text = "AADSTS900144: The request body must contain the following parameter: 'response_type'.";
            return Err(("invalid_request", text));
        }
        if scope::check_of_person(&scopes).is_err() {
            let text =
                "AADSTS70011: The provided value for the input parameter 'scope' is not valid.";
            return Err(("invalid_scope", text));
        }
        if scopes.iter().any(|scope| setup.admin_only.contains(&scope.as_str())) {
            let text = "AADSTS90094: Admin consent is required for the permissions requested by this application.";
            return Err(("access_denied", text));
        }
        let scopes = match setup.consent {
            Consent::Yes => scopes,
            Consent::Without(unticked) => {
                scopes.into_iter().filter(|one| one != unticked).collect()
            }
            Consent::No => {
                return Err((
                    "access_denied",
                    "AADSTS65004: User declined to consent to access the app.",
                ));
            }
        };
        let code = format!("1.AVwAv4j5{}", random(300));
        let offline = scopes.iter().any(|scope| scope == "offline_access");
        let grant = person(&setup.person, scopes);
        self.ledger.give_code(&code, grant, redirect_uri, query.get("code_challenge"), offline);
        Ok(code)
    }

    /// `grant_type=authorization_code`.
    pub(super) fn redeem_code(&self, tenant: &str, form: &Form) -> Result<Answer, Answer> {
        Office::check_tenant(tenant, true)?;
        self.check_client(form, false)?;
        let text = form.get("code").ok_or_else(|| aadsts::missing("code"))?;
        let code = self.ledger.spend_code(text).map_err(|why| match why {
            Refused::Unknown => aadsts::refuse(
                400,
                "invalid_grant",
                70_000,
                "Provided grant is invalid or malformed.",
            ),
            Refused::Expired => aadsts::code_expired(),
            Refused::Revoked => aadsts::code_spent(),
        })?;
        let redirect_uri = form.get("redirect_uri").unwrap_or_default();
        if redirect_uri != code.redirect_uri {
            return Err(aadsts::redirect_differs(redirect_uri));
        }
        let verifier = form.get("code_verifier");
        if code.challenge != verifier.map(challenge) {
            return Err(aadsts::verifier_differs());
        }
        self.give_to_person(code.grant, &form.words("scope"), code.offline)
    }

    /// Tokens for what a person has consented to; a refresh token only with `offline_access` (M75).
    pub(super) fn give_to_person(
        &self,
        consented: Grant,
        wanted: &[String],
        offline: bool,
    ) -> Result<Answer, Answer> {
        let mut grant = consented.clone();
        grant.scopes = scope::of_one_token(wanted, &consented)?;
        let refresh = offline.then(|| self.give_refresh(consented));
        Ok(self.give(grant, refresh))
    }
}
