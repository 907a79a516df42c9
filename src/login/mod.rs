//! How Baton proves who it is where a password is not enough: tokens that stay fresh, and what a refusal means.
//!
//! [`Tokens`] hands out the access token of a mailbox and renews it before it ends; [`consent`] is how a person agrees
//! once. [`failure_of`] turns the words of a provider into one of a closed list, and [`Case::words`] into a sentence with
//! a remedy. It knows nothing of mail, and no mail server knows of it: the daemon passes the token to the door.
//!
//! In reading order: `tokens`, `fresh` (when to renew), `grant` (what is asked, by flow) with `assertion`,
//! `endpoint` (asks), `claims`; `keep` and `sealed` (what stays on disk); `consent` and `loopback`; `failure` and
//! `remedy`; `expiry` (what will end).

mod assertion;
mod claims;
pub mod consent;
mod endpoint;
mod error;
mod expiry;
mod failure;
mod fresh;
mod fuse;
mod grant;
mod keep;
mod loopback;
mod remedy;
#[cfg(test)]
pub(crate) mod samples;
mod sealed;
mod tokens;

pub use error::Error;
pub use expiry::{Ending, What};
pub use failure::{Answer, Failure, Way, failure_of};
pub use fresh::renew_at;
pub use keep::{Facts, KeepError};
pub use loopback::{Loopback, redirect};
pub use remedy::{Case, way_of};
pub use sealed::CREDENTIAL;
pub use tokens::{Report, Tokens};

pub(crate) use endpoint::{Answered, Call, Http, host};
pub(crate) use sealed::secret;
