//! The access token of one mailbox: held in memory, renewed before it ends, by one at a time.
//!
//! Where a person has agreed, a renewal takes the lock of the mailbox's file, reads the newest refresh token, asks, and
//! keeps what came back, before anybody gets the access token; so the daemon and a command beside it never use an
//! outdated one. A renewal runs in a task of its own: whoever asked may go away meanwhile, and the answer is still kept.
//! Where to start: [`Tokens::access`].

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::claims::Claims;
use super::endpoint::{Answered, Form, Granted, Http, host};
use super::error::Error;
use super::expiry::{Ending, What, idle_max};
use super::failure::{Answer, failure_of};
use super::fresh::{USUAL_LIFE, is_fresh, renew_at};
use super::grant;
use super::keep::{Facts, Keep, Kept, Lock};
use super::remedy::{Case, way_of};
use crate::clock::{Clock, Timestamp};
use crate::config::{ClientProof, OAuth2, Secret};

/// A token in memory.
#[derive(Clone, Debug)]
struct Held {
    token: Secret,
    obtained: Timestamp,
    renew_at: Timestamp,
}

/// The tokens of one mailbox. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    mailbox: String,
    address: String,
    oauth: OAuth2,
    audience: Audience,
    keep: Keep,
    clock: Clock,
    held: Mutex<Option<Held>>,
    /// Held while a token is being renewed.
    renewing: tokio::sync::Mutex<()>,
    /// What could not be kept: newer than the file.
    unkept: Mutex<Option<Kept>>,
}

/// What a token opens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Audience {
    /// The mail servers. What is told of a login is told of these tokens.
    Mail,
    /// Microsoft Graph: by the same application and the same consent (M112).
    Graph,
}

/// What a command may tell of a login: never a token.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is known; `None` before the first token.
    pub facts: Option<Facts>,
    /// What ends, and when.
    pub endings: Vec<Ending>,
}

impl Tokens {
    /// The tokens of `mailbox`, which opens `address`; nothing is asked yet.
    pub fn new(
        mailbox: &str,
        address: &str,
        oauth: &OAuth2,
        state_dir: &Path,
        clock: Clock,
    ) -> Tokens {
        Tokens::of(mailbox, address, oauth.clone(), Audience::Mail, state_dir, clock)
    }

    /// The same for Microsoft Graph: the scope is its own, and one request for a token cannot ask for both (M75, M112).
    pub fn for_graph(
        mailbox: &str,
        address: &str,
        oauth: &OAuth2,
        state_dir: &Path,
        clock: Clock,
    ) -> Tokens {
        let oauth = OAuth2 { scopes: grant::graph_scopes(oauth), ..oauth.clone() };
        Tokens::of(mailbox, address, oauth, Audience::Graph, state_dir, clock)
    }

    fn of(
        mailbox: &str,
        address: &str,
        oauth: OAuth2,
        audience: Audience,
        state_dir: &Path,
        clock: Clock,
    ) -> Tokens {
        Tokens(Arc::new(Inner {
            mailbox: mailbox.to_owned(),
            address: address.to_owned(),
            oauth,
            audience,
            keep: Keep::new(state_dir, mailbox),
            clock,
            held: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
            unkept: Mutex::default(),
        }))
    }

    /// How this mailbox logs in.
    pub fn oauth(&self) -> &OAuth2 {
        &self.0.oauth
    }

    /// A token that is good now; asks for a new one if need be.
    pub async fn access(&self) -> Result<Secret, Error> {
        let _one_at_a_time = self.0.renewing.lock().await;
        if let Some(token) = self.0.fresh() {
            return Ok(token);
        }
        let inner = Arc::clone(&self.0);
        let renewal = tokio::spawn(async move { inner.renew().await });
        renewal.await.map_err(|error| Error::Broken(error.to_string()))?
    }

    /// A mail server did not take `token`: it is not handed out again.
    pub fn refused(&self, token: &str) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| held.token.expose() == token) {
            *held = None;
        }
    }

    /// A mail server has ended a session because its token's time was over: whatever our clock says of the token that is
    /// held, it is not handed out again.
    pub fn forget(&self) {
        *self.0.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whom and what the words about a failure have to name.
    pub fn case(&self) -> Case {
        let mut case = Case::of(&self.0.mailbox, &self.0.address, &self.0.oauth);
        case.object_id = self.0.keep.facts().ok().flatten().and_then(|facts| facts.object_id);
        case
    }

    /// What is known, and what ends.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn report(&self) -> Result<Report, Error> {
        let facts = self.0.keep.facts()?;
        Ok(Report { endings: self.0.endings(facts.as_ref()), facts })
    }

    /// The warnings that are due now and were never given; each is given once.
    pub async fn warnings(&self) -> Result<Vec<String>, Error> {
        let now = self.0.clock.now();
        let known = self.0.keep.facts()?;
        let due = |facts: &Facts, ending: &Ending| {
            ending.mark(now).filter(|mark| !facts.warned.contains(mark))
        };
        let facts = known.clone().unwrap_or_default();
        let endings = self.0.endings(known.as_ref());
        if !endings.iter().any(|ending| due(&facts, ending).is_some()) {
            return Ok(Vec::new());
        }
        let lock = self.0.keep.lock().await?;
        let mut facts = self.0.keep.facts()?.unwrap_or_default();
        let mut words = Vec::new();
        for ending in &endings {
            if let Some(mark) = due(&facts, ending) {
                words.push(ending.words(&self.0.mailbox, now));
                facts.warned.push(mark);
            }
        }
        let old = facts.warned.len().saturating_sub(WARNED_MAX);
        facts.warned.drain(..old);
        facts.serial += 1;
        self.0.keep.write_facts(&lock, facts)?;
        Ok(words)
    }

    /// When the login was last renewed or agreed to, by whatever process; changes after `baton login`.
    pub fn agreed_at(&self) -> Option<Timestamp> {
        self.0.keep.facts().ok().flatten().and_then(|facts| facts.agreed_at)
    }

    /// Takes over what a person has just agreed to. Answers what is known of it.
    pub(super) async fn adopt(&self, granted: &Granted) -> Result<Facts, Error> {
        let inner = &self.0;
        let Some(refresh) = granted.refresh() else {
            let why = "the provider gave no refresh token; add offline_access (Microsoft) to `scopes`, and agree again";
            return Err(Error::NoConsent(why.to_owned()));
        };
        let lock = inner.keep.lock().await?;
        let now = inner.clock.now();
        let before = inner.keep.facts()?.unwrap_or_default();
        let mut facts = inner.learn(before, granted, now);
        facts.agreed_at = Some(now);
        facts.refresh_until =
            granted.refresh_token_expires_in.map(|life| now + Duration::from_secs(life));
        let kept = Kept { facts: facts.clone(), refresh: Some(refresh) };
        inner.keep.write(&lock, &kept, &inner.about())?;
        inner.hold(granted, now);
        Ok(facts)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Asks an endpoint; a refusal is an error, in words.
    pub(super) async fn ask(&self, url: &str, form: &Form<'_>) -> Result<Answered, Error> {
        self.0.ask(url, form).await
    }

    /// What a refusal means.
    pub(super) fn refusal(&self, url: &str, answered: &Answered) -> Error {
        self.0.refusal(url, answered)
    }
}

/// How many warnings are remembered.
const WARNED_MAX: usize = 50;

impl Inner {
    fn fresh(&self) -> Option<Secret> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let fresh = held.as_ref().filter(|held| is_fresh(held.obtained, held.renew_at, now));
        fresh.map(|held| held.token.clone())
    }

    /// Another application or provider cannot use the refresh token.
    fn about(&self) -> String {
        let client = self.oauth.client().map_or("", |client| client.id.as_str());
        format!("{client}\0{}", self.oauth.token_url)
    }

    async fn renew(&self) -> Result<Secret, Error> {
        if !self.oauth.is_delegated() {
            let now = self.clock.now();
            let granted = self.granted(&grant::alone(&self.oauth, now)?).await?;
            // What is told by `baton login --status`; the token is good without it.
            if self.audience == Audience::Mail
                && let Err(error) = self.note(&granted, now).await
            {
                tracing::debug!("cannot note the login of {}: {error}", self.mailbox);
            }
            return Ok(self.hold(&granted, now));
        }
        let lock = self.keep.lock().await?;
        let kept = self.newest()?;
        let Some(refresh) = kept.refresh else {
            return Err(self.not_logged_in("nobody has logged in yet"));
        };
        let now = self.clock.now();
        let mut form = grant::refresh(&self.oauth, &refresh, now)?;
        if self.audience == Audience::Graph {
            // Without it the token would be for what was agreed to first.
            grant::add_scopes(&self.oauth, &mut form);
        }
        let granted = self.granted(&form).await?;
        let mut facts = match self.audience {
            Audience::Mail => self.learn(kept.facts, &granted, now),
            Audience::Graph => Facts { serial: kept.facts.serial + 1, ..kept.facts },
        };
        if let Some(life) = granted.refresh_token_expires_in {
            facts.refresh_until = Some(now + Duration::from_secs(life));
        }
        // RFC 6749, section 6: a new one replaces the old; without a new one, the old stays (M79).
        let kept = Kept { facts, refresh: Some(granted.refresh().unwrap_or(refresh)) };
        self.keep_or_remember(&lock, kept);
        Ok(self.hold(&granted, now))
    }

    /// The newest refresh token: what could not be written is newer than the file.
    fn newest(&self) -> Result<Kept, Error> {
        let unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let serial = unkept.as_ref().map(|kept| kept.facts.serial);
        let facts = self.keep.facts()?;
        if let Some(facts) = &facts
            && !facts.client_id.is_empty()
            && (facts.client_id != self.client_id() || facts.token_url != self.oauth.token_url)
        {
            return Err(self.not_logged_in("the login that is kept is for another application"));
        }
        match unkept {
            Some(kept) if serial >= facts.map(|facts| facts.serial) => Ok(kept),
            _ => Ok(self.keep.read(&self.about())?.unwrap_or_default()),
        }
    }

    fn not_logged_in(&self, why: &'static str) -> Error {
        Error::NotLoggedIn { mailbox: self.mailbox.clone(), why }
    }

    fn client_id(&self) -> &str {
        self.oauth.client().map_or("", |client| client.id.as_str())
    }

    /// A full disk must not cost the newest refresh token: it is held until it can be written.
    fn keep_or_remember(&self, lock: &Lock, kept: Kept) {
        let written = self.keep.write(lock, &kept, &self.about());
        let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        *unkept = match written {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(
                    mailbox = self.mailbox,
                    "{}: the new login is only in memory, and lost when Baton stops: {error}",
                    self.mailbox
                );
                Some(kept)
            }
        };
    }

    async fn note(&self, granted: &Granted, now: Timestamp) -> Result<(), Error> {
        let lock = self.keep.lock().await?;
        let before = self.keep.facts()?.unwrap_or_default();
        let facts = self.learn(before, granted, now);
        Ok(self.keep.write_facts(&lock, facts)?)
    }

    /// What the answer tells, in place of what was known.
    fn learn(&self, before: Facts, granted: &Granted, now: Timestamp) -> Facts {
        let claims = Claims::of(granted.access().expose());
        let told = granted.scope.as_deref().unwrap_or_default();
        let told: Vec<String> = told.split_whitespace().map(str::to_owned).collect();
        let rights = if told.is_empty() { claims.rights() } else { told };
        let life = granted.expires_in.map_or(USUAL_LIFE, Duration::from_secs);
        Facts {
            serial: before.serial + 1,
            user: claims.user().unwrap_or(&self.oauth.user).to_owned(),
            client_id: self.client_id().to_owned(),
            token_url: self.oauth.token_url.clone(),
            scopes: if rights.is_empty() { self.oauth.scopes.clone() } else { rights },
            object_id: claims.oid,
            obtained_at: Some(now),
            access_until: Some(now + life),
            ..before
        }
    }

    fn hold(&self, granted: &Granted, now: Timestamp) -> Secret {
        let life = granted.expires_in.map_or(USUAL_LIFE, Duration::from_secs);
        let token = granted.access();
        let renew_at = renew_at(now, life, jitter());
        let held = Held { token: token.clone(), obtained: now, renew_at };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        token
    }

    async fn granted(&self, form: &Form<'_>) -> Result<Granted, Error> {
        let url = &self.oauth.token_url;
        let answered = self.ask(url, form).await?;
        if !answered.is_success() {
            return Err(self.refusal(url, &answered));
        }
        Granted::read(answered.body.expose()).ok_or_else(|| Error::NoToken { host: host(url) })
    }

    async fn ask(&self, url: &str, form: &Form<'_>) -> Result<Answered, Error> {
        let http = Http::shared().map_err(Error::Broken)?;
        let answered = http.post(url, form).await;
        answered.map_err(|why| Error::Network { host: host(url), why })
    }

    fn refusal(&self, url: &str, answered: &Answered) -> Error {
        let (provider, way) = (self.oauth.provider, way_of(&self.oauth));
        let answer = Answer::Endpoint { status: answered.status, body: answered.body.expose() };
        let failure = failure_of(provider, way, &answer);
        let case = Case::of(&self.mailbox, &self.address, &self.oauth);
        let words = case.words(failure, provider, way);
        Error::Refused {
            failure,
            words,
            host: host(url),
            said: answered.said(),
            wait: answered.wait,
        }
    }

    fn endings(&self, facts: Option<&Facts>) -> Vec<Ending> {
        let mut endings = Vec::new();
        let mut add = |what, at: Option<Timestamp>| {
            endings.extend(at.map(|at| Ending { what, at }));
        };
        add(What::ClientSecret, self.oauth.secret_expires);
        if let Some(ClientProof::Certificate { certificate, .. }) =
            self.oauth.client().map(|client| &client.proof)
        {
            let read = grant::read_certificate(certificate).ok();
            add(What::Certificate, read.map(|certificate| certificate.ends_at));
        }
        let consent = facts.filter(|_| self.oauth.is_delegated());
        if let Some(facts) = consent {
            let used = facts.obtained_at;
            let idle = used.zip(idle_max(self.oauth.provider)).map(|(used, idle)| used + idle);
            add(What::Consent, facts.refresh_until.into_iter().chain(idle).min());
        }
        endings
    }
}

/// A number between 0 and 1, so that many mailboxes do not ask together.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0_u8);
    f64::from(u32::try_from(random % 1000).unwrap_or(0)) / 1000.0
}
