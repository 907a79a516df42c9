//! The seam through which the door gets what it logs in with.
//!
//! A token that was good an hour ago is not good now, and a password file may have been changed: so a
//! [`Credential`] is asked anew for each connection. Nothing here prints a password or a token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::desk::retry::Retry;

/// What a login proves itself with. Its `Debug` prints nothing of it.
#[derive(Clone)]
pub enum Proof {
    /// A password, for PLAIN or LOGIN.
    Password(String),
    /// An OAuth access token, for XOAUTH2 or OAUTHBEARER.
    Bearer(String),
}

impl fmt::Debug for Proof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Proof::Password(_) => "Password(…)",
            Proof::Bearer(_) => "Bearer(…)",
        })
    }
}

/// Why there is nothing to log in with.
#[derive(Debug)]
pub struct NoProof {
    /// What went wrong, in words for the operator.
    pub why: anyhow::Error,
    /// Whether asking again can help.
    pub retry: Retry,
}

/// A [`Proof`], once it is there.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Proof, NoProof>> + Send + 'a>>;

/// Hands out what a connection logs in with.
pub trait Credential: fmt::Debug + Send + Sync {
    /// What to log in with now.
    fn proof(&self) -> Asked<'_>;

    /// The server did not take `proof`: it must not be handed out again if it can be got anew.
    fn refused(&self, proof: &Proof);
}

/// Who logs in, and with what.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user, as the server wants it; with a token, the mailbox to open.
    pub user: String,
    /// What proves it.
    pub credential: Arc<dyn Credential>,
}

/// A password that is known already.
#[derive(Debug)]
struct Known(Proof);

impl Credential for Known {
    fn proof(&self) -> Asked<'_> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn refused(&self, _proof: &Proof) {}
}

impl Login {
    /// A login with a proof that never changes.
    pub fn with(user: &str, proof: Proof) -> Login {
        Login { user: user.to_owned(), credential: Arc::new(Known(proof)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_proves_is_printed() {
        let login = Login::with("ann", Proof::Password("secret".to_owned()));
        let told = format!("{login:?} {:?}", Proof::Bearer("secret".to_owned()));
        assert!(told.contains("ann") && !told.contains("secret"), "{told}");
    }
}
