//! Scopes and the resources they belong to.

use super::super::http::Answer;
use super::super::ledger::Grant;
use super::aadsts;

/// The resources that know the app: Exchange Online under its names (M69, M72, M75), and Graph (M112).
const RESOURCES: &[&str] = &[
    "https://outlook.office365.com",
    "https://outlook.office.com",
    "https://ps.outlook.com",
    "https://graph.microsoft.com",
];

/// Scopes of the sign-in itself, which belong to no resource.
const OF_SIGN_IN: &[&str] = &["offline_access", "openid", "profile", "email"];

/// The delegated permissions that the resources offer (M75, M107, M111).
const DELEGATED: &[&str] = &[
    "IMAP.AccessAsUser.All",
    "SMTP.Send",
    "Mail.ReadWrite",
    "Mail.ReadWrite.Shared",
    "MailboxSettings.ReadWrite",
    "User.Read",
    ".default",
];

/// What an app may ask for: exactly one `RESOURCE/.default` (M71); answers the resource.
pub(super) fn of_app(scopes: &[String]) -> Result<String, Answer> {
    let [one] = scopes else {
        return Err(aadsts::scope_is_no_default(&scopes.join(" ")));
    };
    let Some(resource) = one.strip_suffix("/.default") else {
        return Err(aadsts::scope_is_no_default(one));
    };
    if RESOURCES.contains(&resource) {
        Ok(resource.to_owned())
    } else {
        Err(aadsts::unknown_resource(resource))
    }
}

/// Checks the scopes that a person is asked for.
pub(super) fn check_of_person(scopes: &[String]) -> Result<(), Answer> {
    if scopes.is_empty() {
        return Err(aadsts::missing("scope"));
    }
    for scope in scopes.iter().filter(|scope| !is_of_sign_in(scope)) {
        let known = split(scope).is_some_and(|(resource, permission)| {
            RESOURCES.contains(&resource) && DELEGATED.contains(&permission)
        });
        if !known {
            return Err(aadsts::unknown_scope(scope));
        }
    }
    Ok(())
}

/// The scopes of the one token that is asked for: a part of what was consented to, of one resource (M75).
pub(super) fn of_one_token(wanted: &[String], consented: &Grant) -> Result<Vec<String>, Answer> {
    let of_resources: Vec<&String> = match wanted {
        [] => consented.scopes.iter().filter(|one| !is_of_sign_in(one)).collect(),
        wanted => wanted.iter().filter(|one| !is_of_sign_in(one)).collect(),
    };
    let mut resources: Vec<&str> =
        of_resources.iter().filter_map(|one| split(one)).map(|(resource, _)| resource).collect();
    resources.dedup();
    if resources.len() > 1 {
        return Err(aadsts::several_resources(&wanted.join(" ")));
    }
    let mut scopes = Vec::new();
    for scope in of_resources {
        match scope.strip_suffix(".default") {
            Some(resource) => scopes
                .extend(consented.scopes.iter().filter(|one| one.starts_with(resource)).cloned()),
            None if consented.has(scope) => scopes.push(scope.clone()),
            None => return Err(aadsts::no_consent()),
        }
    }
    Ok(scopes)
}

/// Whether a token opens IMAP: audience Exchange Online, and the permission for a person or an app (M69, M75).
pub(crate) fn opens_imap(grant: &Grant) -> bool {
    allows(grant, &["IMAP.AccessAsUser.All", "IMAP.AccessAsApp"])
}

/// Whether a token may submit mail.
pub(crate) fn opens_smtp(grant: &Grant) -> bool {
    allows(grant, &["SMTP.Send", "SMTP.SendAsApp"])
}

fn allows(grant: &Grant, permissions: &[&str]) -> bool {
    let parts = grant.scopes.iter().filter_map(|scope| split(scope));
    let mut of_exchange = parts.filter(|(resource, _)| resource.starts_with("https://outlook."));
    of_exchange.any(|(_, permission)| permissions.contains(&permission))
}

fn split(scope: &str) -> Option<(&str, &str)> {
    scope.rsplit_once('/')
}

fn is_of_sign_in(scope: &str) -> bool {
    OF_SIGN_IN.contains(&scope)
}
