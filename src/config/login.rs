//! Checks `[mailbox.login]`: how Baton proves to both servers of a mailbox who it is.
//!
//! Each method and flow has its own keys; any other is refused, so that none is thought to have an effect. Where to
//! start: [`check`].

use std::path::Path;

use super::document::Field;
use super::file::{LoginForm, PasswordForm};
use super::oauth::{Client, ClientProof, Flow, OAuth2, Url, usual_scopes, usual_url};
use super::problem::{Place, Problems};
use super::server::check_password;
use super::{Login, Provider, rules};

/// The login, and whose it is.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) login: Login,
    pub(super) user: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Method {
    Password,
    OAuth2,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    ClientCredentials,
    DeviceCode,
    AuthorizationCode,
    ServiceAccount,
}

/// The checked login; `None` when something was wrong, which has then been reported.
pub(super) fn check(
    form: &LoginForm,
    provider: Provider,
    address: Option<&str>,
    base: &Path,
    problems: &mut Problems,
) -> Option<Checked> {
    let method = form.method.check_or(Method::Password, problems, |text| {
        rules::one_of(text, &[("password", Method::Password), ("oauth2", Method::OAuth2)])
    })?;
    let user = match form.user.is_absent() {
        true => address.map(str::to_owned),
        false => form.user.check(problems, |text| rules::words(text)),
    };
    if method == Method::Password {
        let used = ["method", "user", "password"];
        let fits = refuse_unused(form, &used, "method = \"password\"", problems);
        let password = check_password(&form.password, base, problems);
        return (fits.then_some(()))
            .and(Some(Checked { login: Login::Password(password?), user: user? }));
    }
    let oauth = check_oauth(form, provider, user?, base, problems)?;
    Some(Checked { user: oauth.user.clone(), login: Login::OAuth2(Box::new(oauth)) })
}

fn check_oauth(
    form: &LoginForm,
    provider: Provider,
    user: String,
    base: &Path,
    problems: &mut Problems,
) -> Option<OAuth2> {
    let remedy = "write flow = \"client-credentials\", \"device-code\", \"authorization-code\" or \"service-account\"";
    let kind = form.flow.required(problems, remedy).check(problems, |text| {
        let choices = [
            ("client-credentials", Kind::ClientCredentials),
            ("device-code", Kind::DeviceCode),
            ("authorization-code", Kind::AuthorizationCode),
            ("service-account", Kind::ServiceAccount),
        ];
        rules::one_of(text, &choices)
    })?;
    let offered = refuse_not_offered(form, provider, kind, problems);
    let fits = refuse_unused(form, used_by(kind), &format!("flow = \"{}\"", name(kind)), problems);
    let tenant = check_tenant(form, provider, kind, problems);
    let tenant_word = tenant.as_ref().and_then(Option::as_deref);
    let mut url = |field: &Field<String>, which| {
        let usual = usual_url(provider, which, tenant_word);
        // A missing tenant has been told already.
        let told = tenant.is_none() && field.is_absent();
        if told { None } else { check_url(field, usual, problems) }
    };
    let token_url = url(&form.token_url, Url::Token);
    let authorize_url = match kind {
        Kind::AuthorizationCode => url(&form.authorize_url, Url::Authorize),
        _ => Some(String::new()),
    };
    let device_url = match kind {
        Kind::DeviceCode => url(&form.device_url, Url::Device),
        _ => Some(String::new()),
    };
    let graph_url = check_graph_url(form, provider, problems);
    let redirect_port = form
        .redirect_port
        .check_or(None, problems, |number| rules::within(*number, 1..=u16::MAX).map(Some));
    let secret_expires =
        form.secret_expires.check_or(None, problems, |text| rules::moment(text).map(Some));
    let is_delegated = matches!(kind, Kind::DeviceCode | Kind::AuthorizationCode);
    let scopes = check_scopes(&form.scopes, usual_scopes(provider, is_delegated), problems);
    let flow = match kind {
        Kind::ServiceAccount => {
            Flow::ServiceAccount { key: check_password(&form.key, base, problems)? }
        }
        Kind::ClientCredentials => {
            Flow::ClientCredentials { client: check_client(form, provider, kind, base, problems)? }
        }
        Kind::DeviceCode => Flow::DeviceCode {
            client: check_client(form, provider, kind, base, problems)?,
            device_url: device_url?,
        },
        Kind::AuthorizationCode => Flow::AuthorizationCode {
            client: check_client(form, provider, kind, base, problems)?,
            authorize_url: authorize_url?,
            redirect_port: redirect_port?,
        },
    };
    let (token_url, scopes, tenant) = (token_url?, scopes?, tenant?);
    let (secret_expires, graph_url) = (secret_expires?, graph_url?);
    (offered && fits).then_some(OAuth2 {
        provider,
        user,
        flow,
        scopes,
        token_url,
        graph_url,
        tenant,
        secret_expires,
    })
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::ClientCredentials => "client-credentials",
        Kind::DeviceCode => "device-code",
        Kind::AuthorizationCode => "authorization-code",
        Kind::ServiceAccount => "service-account",
    }
}

/// The keys that mean something for the flow.
fn used_by(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::ClientCredentials => &[
            "method",
            "user",
            "flow",
            "tenant",
            "client_id",
            "client_secret",
            "secret_expires",
            "certificate",
            "key",
            "scopes",
            "token_url",
            "graph_url",
        ],
        Kind::DeviceCode => &[
            "method",
            "user",
            "flow",
            "tenant",
            "client_id",
            "client_secret",
            "secret_expires",
            "scopes",
            "token_url",
            "device_url",
            "graph_url",
        ],
        Kind::AuthorizationCode => &[
            "method",
            "user",
            "flow",
            "tenant",
            "client_id",
            "client_secret",
            "secret_expires",
            "scopes",
            "token_url",
            "authorize_url",
            "redirect_port",
            "graph_url",
        ],
        Kind::ServiceAccount => &["method", "user", "flow", "key", "scopes", "token_url"],
    }
}

/// Refuses every key without an effect. Answers whether there was none.
fn refuse_unused(form: &LoginForm, used: &[&str], with: &str, problems: &mut Problems) -> bool {
    let present = [
        ("password", place(&form.password)),
        ("flow", place(&form.flow)),
        ("tenant", place(&form.tenant)),
        ("client_id", place(&form.client_id)),
        ("client_secret", place(&form.client_secret)),
        ("secret_expires", place(&form.secret_expires)),
        ("certificate", place(&form.certificate)),
        ("key", place(&form.key)),
        ("scopes", place(&form.scopes)),
        ("token_url", place(&form.token_url)),
        ("authorize_url", place(&form.authorize_url)),
        ("device_url", place(&form.device_url)),
        ("redirect_port", place(&form.redirect_port)),
        ("graph_url", place(&form.graph_url)),
    ];
    let mut fits = true;
    for (key, at) in present {
        let Some(at) = at.filter(|_| !used.contains(&key)) else { continue };
        let remedy = match key {
            "flow" => "write method = \"oauth2\" above it, or take it out",
            _ => "take it out, or choose the method or flow that it belongs to",
        };
        problems.add(at, format!("has no effect with {with}"), remedy);
        fits = false;
    }
    fits
}

fn place<T>(field: &Field<T>) -> Option<&Place> {
    (!field.is_absent()).then_some(&field.at)
}

/// Refuses a flow that the provider does not have for mail.
fn refuse_not_offered(
    form: &LoginForm,
    provider: Provider,
    kind: Kind,
    problems: &mut Problems,
) -> bool {
    let (what, remedy) = match (provider, kind) {
        // G87
        (Provider::Gmail, Kind::DeviceCode) => (
            "Google opens no mail by device code",
            "write flow = \"authorization-code\", and run `baton login NAME --paste` where there is no browser",
        ),
        (Provider::Gmail, Kind::ClientCredentials) => (
            "Google calls this a service account",
            "write flow = \"service-account\" with key = { file = \"…\" }, the key file in JSON",
        ),
        (Provider::Microsoft365 | Provider::Imap, Kind::ServiceAccount) => (
            "service accounts are Google's",
            "write flow = \"client-credentials\", or provider = \"gmail\" in [[mailbox]]",
        ),
        _ => return true,
    };
    problems.add(&form.flow.at, what, remedy);
    false
}

/// The tenant, where there is one; `None` when it is missing or wrong, which has been reported.
fn check_tenant(
    form: &LoginForm,
    provider: Provider,
    kind: Kind,
    problems: &mut Problems,
) -> Option<Option<String>> {
    if provider != Provider::Microsoft365 {
        if let Some(at) = place(&form.tenant) {
            let remedy = "take it out, or write provider = \"microsoft365\" in [[mailbox]]";
            problems.add(at, "only Microsoft has tenants", remedy);
            return None;
        }
        return Some(None);
    }
    let remedy = "write tenant = \"…\", the Directory (tenant) ID on the overview page of Microsoft Entra, or a domain of it";
    form.tenant
        .required(problems, remedy)
        .check(problems, |text| rules::tenant(text, kind == Kind::ClientCredentials))
        .map(Some)
}

fn check_url(
    field: &Field<String>,
    usual: Option<String>,
    problems: &mut Problems,
) -> Option<String> {
    if field.is_absent()
        && let Some(usual) = usual
    {
        return Some(usual);
    }
    field
        .required(problems, "write the address, as in \"https://login.example.com/oauth2/token\"")
        .check(problems, |text| rules::url(text))
}

/// Where Microsoft Graph is (M107); other providers have none.
fn check_graph_url(
    form: &LoginForm,
    provider: Provider,
    problems: &mut Problems,
) -> Option<String> {
    if let (Some(at), true) = (place(&form.graph_url), provider != Provider::Microsoft365) {
        let remedy = "take it out, or write provider = \"microsoft365\" in [[mailbox]]";
        problems.add(at, "only Microsoft has Graph", remedy);
        return None;
    }
    check_url(&form.graph_url, Some("https://graph.microsoft.com/v1.0".to_owned()), problems)
}

fn check_scopes(
    field: &Field<Vec<Field<String>>>,
    usual: Vec<String>,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    if field.is_absent() {
        return Some(usual);
    }
    let checked: Vec<Option<String>> = field
        .given()?
        .iter()
        .map(|scope| scope.check(problems, |text| rules::scope(text)))
        .collect();
    checked.into_iter().collect()
}

fn check_client(
    form: &LoginForm,
    provider: Provider,
    kind: Kind,
    base: &Path,
    problems: &mut Problems,
) -> Option<Client> {
    let remedy = "write client_id = \"…\", the id that the provider gave the application";
    let id = form.client_id.required(problems, remedy).check(problems, |text| rules::words(text));
    let has_certificate = !form.certificate.is_absent() || !form.key.is_absent();
    if has_certificate {
        let proof = check_certificate(form, base, problems);
        return Some(Client { id: id?, proof: proof? });
    }
    if let Some(at) = place(&form.secret_expires).filter(|_| form.client_secret.is_absent()) {
        let remedy = "take it out: the end of a certificate is read from the certificate";
        problems.add(at, "there is no client_secret that could expire", remedy);
    }
    // A program on people's machines keeps no secret; Google wants the one that it gave it all the same.
    let is_optional = kind != Kind::ClientCredentials && provider != Provider::Gmail;
    if form.client_secret.is_absent() && is_optional {
        return Some(Client { id: id?, proof: ClientProof::None });
    }
    let secret = check_password(&form.client_secret, base, problems);
    Some(Client { id: id?, proof: ClientProof::Secret(secret?) })
}

fn check_certificate(
    form: &LoginForm,
    base: &Path,
    problems: &mut Problems,
) -> Option<ClientProof> {
    if let Some(at) = place(&form.client_secret) {
        let what = "there is a certificate as well, and only one of them is needed";
        problems.add(at, what, "take out client_secret, or certificate and key");
        return None;
    }
    if let Some(at) = place(&form.secret_expires) {
        let what = "there is no client_secret that could expire";
        let remedy = "take it out: the end of a certificate is read from the certificate";
        problems.add(at, what, remedy);
        return None;
    }
    let remedy = "write certificate = \"/etc/baton/app.crt\", the certificate in PEM that is registered with the application";
    let certificate =
        form.certificate.required(problems, remedy).check(problems, |text| rules::path(text, base));
    let key = check_password(&form.key, base, problems);
    Some(ClientProof::Certificate { certificate: certificate?, key: key? })
}

/// Whether a login and a password of a server's own say the same thing twice.
pub(super) fn refuse_second(password: &Field<PasswordForm>, problems: &mut Problems) -> bool {
    let Some(at) = place(password) else { return false };
    let what = "the login is in [mailbox.login] already";
    problems.add(at, what, "keep the password in one of the two sections");
    true
}
