//! What an authority has given out: access tokens, refresh tokens and codes, to whom, for what, and until when.
//!
//! Its clock is the real one plus what a test has moved it forward by; only tokens and codes age by it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

/// How long a code waits to be redeemed.
const CODE_SECONDS: i64 = 600;
/// How many refresh tokens a person has with one client until the oldest dies (G86).
const REFRESH_TOKENS: usize = 100;

/// Whom a token speaks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Who {
    /// A person, or the mailbox that a service account stands in for: an address.
    Person(String),
    /// An app on its own (M71): its client id.
    App(String),
}

/// What a token allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Grant {
    pub(crate) who: Who,
    pub(crate) client: String,
    /// Full names. An app's roles are written as scopes of the resource, `https://outlook.office365.com/IMAP.AccessAsApp`.
    pub(crate) scopes: Vec<String>,
}

impl Grant {
    /// Whether this scope is among what was granted.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// Whether it speaks for this person.
    pub(crate) fn is_for(&self, person: &str) -> bool {
        matches!(&self.who, Who::Person(name) if name.eq_ignore_ascii_case(person))
    }
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    Unknown,
    Expired,
    Revoked,
}

/// Why a refresh token is dead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Death {
    /// Never given out, or to another client.
    Unknown,
    /// Taken back by the person or an admin.
    Revoked,
    /// The person has another password now (G86, M77).
    PasswordChanged,
    /// Not used for too long (G86, M77).
    Unused,
    /// Older than it may become: seven days while the consent screen is in testing (G86).
    TooOld,
    /// A newer one took its place.
    Rotated,
}

/// A code that waits to be redeemed.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    /// The `S256` challenge.
    pub(crate) challenge: Option<String>,
    /// Whether a refresh token comes with it.
    pub(crate) offline: bool,
    expires: i64,
    spent: bool,
}

struct Access {
    grant: Grant,
    expires: i64,
    revoked: bool,
}

struct Refresh {
    grant: Grant,
    /// Counts from the first one.
    number: usize,
    given: i64,
    used: i64,
    death: Option<Death>,
}

/// How long refresh tokens live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lives {
    /// Without being used.
    pub(crate) unused_seconds: i64,
    /// At all.
    pub(crate) at_all_seconds: Option<i64>,
}

#[derive(Default)]
struct Books {
    forward_seconds: i64,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
    codes: BTreeMap<String, Code>,
}

/// The books of one authority.
pub(crate) struct Ledger {
    books: Mutex<Books>,
}

/// A text that nobody can guess, of about `bytes` bytes times four thirds.
pub(crate) fn random(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    SystemRandom::new().fill(&mut random).expect("no randomness");
    URL_SAFE_NO_PAD.encode(random)
}

impl Books {
    fn now(&self) -> i64 {
        super::now() + self.forward_seconds
    }
}

impl Ledger {
    pub(crate) fn new() -> Ledger {
        Ledger { books: Mutex::default() }
    }

    /// The authority's time, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.books.lock().unwrap().now()
    }

    /// Lets time pass for tokens and codes.
    pub(crate) fn forward(&self, seconds: i64) {
        self.books.lock().unwrap().forward_seconds += seconds;
    }

    /// Gives out an access token with this text.
    pub(crate) fn give_access(&self, text: &str, grant: Grant, seconds: i64) {
        let mut books = self.books.lock().unwrap();
        let expires = books.now() + seconds;
        books.access.insert(text.to_owned(), Access { grant, expires, revoked: false });
    }

    /// Gives out a refresh token with this text; the oldest of too many dies.
    pub(crate) fn give_refresh(&self, text: &str, grant: Grant) {
        let mut books = self.books.lock().unwrap();
        let now = books.now();
        let number = books.refresh.len();
        let refresh = Refresh { grant, number, given: now, used: now, death: None };
        let same = |other: &Refresh| {
            other.grant.who == refresh.grant.who && other.grant.client == refresh.grant.client
        };
        let mut alive: Vec<&mut Refresh> =
            books.refresh.values_mut().filter(|one| one.death.is_none() && same(one)).collect();
        if alive.len() >= REFRESH_TOKENS {
            alive.sort_by_key(|one| one.number);
            alive[0].death = Some(Death::Revoked);
        }
        books.refresh.insert(text.to_owned(), refresh);
    }

    /// Gives out a code.
    pub(crate) fn give_code(
        &self,
        text: &str,
        grant: Grant,
        redirect_uri: &str,
        challenge: Option<&str>,
        offline: bool,
    ) {
        let mut books = self.books.lock().unwrap();
        let code = Code {
            grant,
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.map(str::to_owned),
            offline,
            expires: books.now() + CODE_SECONDS,
            spent: false,
        };
        books.codes.insert(text.to_owned(), code);
    }

    /// Redeems a code, which works once.
    pub(crate) fn spend_code(&self, text: &str) -> Result<Code, Refused> {
        let mut books = self.books.lock().unwrap();
        let now = books.now();
        let code = books.codes.get_mut(text).ok_or(Refused::Unknown)?;
        if code.spent {
            return Err(Refused::Revoked);
        }
        code.spent = true;
        if code.expires <= now { Err(Refused::Expired) } else { Ok(code.clone()) }
    }

    /// Uses a refresh token of this client.
    pub(crate) fn use_refresh(
        &self,
        text: &str,
        client: &str,
        lives: Lives,
    ) -> Result<Grant, Death> {
        let mut books = self.books.lock().unwrap();
        let now = books.now();
        let refresh = books.refresh.get_mut(text).ok_or(Death::Unknown)?;
        if refresh.grant.client != client {
            return Err(Death::Unknown);
        }
        if let Some(death) = refresh.death {
            return Err(death);
        }
        if now - refresh.used >= lives.unused_seconds {
            return Err(Death::Unused);
        }
        if lives.at_all_seconds.is_some_and(|seconds| now - refresh.given >= seconds) {
            return Err(Death::TooOld);
        }
        refresh.used = now;
        Ok(refresh.grant.clone())
    }

    /// One refresh token dies.
    pub(crate) fn end_refresh(&self, text: &str, death: Death) {
        if let Some(refresh) = self.books.lock().unwrap().refresh.get_mut(text) {
            refresh.death = Some(death);
        }
    }

    /// Every refresh token of a person dies; access tokens live on until they expire.
    pub(crate) fn end_refresh_of(&self, person: &str, death: Death) {
        let mut books = self.books.lock().unwrap();
        for refresh in books.refresh.values_mut().filter(|one| one.grant.is_for(person)) {
            refresh.death = Some(death);
        }
    }

    /// Whether an access token is good now, and for what.
    pub(crate) fn look_up(&self, text: &str) -> Result<Grant, Refused> {
        let books = self.books.lock().unwrap();
        let access = books.access.get(text).ok_or(Refused::Unknown)?;
        if access.revoked {
            return Err(Refused::Revoked);
        }
        if access.expires <= books.now() { Err(Refused::Expired) } else { Ok(access.grant.clone()) }
    }

    /// For how many more seconds an access token is good; negative when it is over.
    pub(crate) fn seconds_left(&self, text: &str) -> Option<i64> {
        let books = self.books.lock().unwrap();
        books.access.get(text).map(|access| access.expires - books.now())
    }

    /// Every access token given out so far is over now; refresh tokens stay.
    pub(crate) fn expire_access(&self) {
        let mut books = self.books.lock().unwrap();
        let now = books.now();
        for access in books.access.values_mut() {
            access.expires = access.expires.min(now);
        }
    }

    /// Takes an access or refresh token back, with everything its person and client hold (RFC 7009 2.1).
    pub(crate) fn revoke(&self, text: &str) -> Result<(), Refused> {
        let mut books = self.books.lock().unwrap();
        let from_access = books.access.get(text).map(|access| access.grant.clone());
        let from_refresh = || books.refresh.get(text).map(|refresh| refresh.grant.clone());
        let grant = from_access.or_else(from_refresh).ok_or(Refused::Unknown)?;
        let same = |other: &Grant| other.who == grant.who && other.client == grant.client;
        for access in books.access.values_mut().filter(|one| same(&one.grant)) {
            access.revoked = true;
        }
        for refresh in books.refresh.values_mut().filter(|one| same(&one.grant)) {
            refresh.death = Some(Death::Revoked);
        }
        Ok(())
    }

    /// How many access tokens were ever given out.
    pub(crate) fn access_tokens(&self) -> usize {
        self.books.lock().unwrap().access.len()
    }
}
