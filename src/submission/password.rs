//! Agents' own passwords for Baton: made, hashed (argon2id, RFC 9106), and compared in constant time.
//!
//! All passwords of an agent share a salt, so whoever tries one costs one hash, however many there are; whoever names
//! somebody who does not exist costs the same. Nothing here remembers anything.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::config::Secret;

/// How passwords are hashed: OWASP's first choice for machines that do other things too.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// How `MEMORY_KIB` and `PASSES` are written down beside the hashes. With another text, old hashes fit nothing any more.
pub const COST: &str = "argon2id m=19456 t=2 p=1";
/// RFC 9106, section 3.1.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// The shortest password that a person may choose, letters.
pub const LENGTH_MIN: usize = 12;
/// The longest, bytes; hashing costs time for each.
pub const BYTES_MAX: usize = 1024;
/// Letters that no font makes look alike: 32 of them, 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Why a password cannot be made or tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// There is no memory for a hash.
    #[error("there is not enough memory to hash a password")]
    NoMemory,
}

/// A new password of 100 random bits, in groups that can be read out: `hm7k-2dqx-…`.
///
/// # Errors
/// When the system has no random bytes.
pub fn invent() -> Result<Secret, Error> {
    let mut random = [0; 20];
    SystemRandom::new().fill(&mut random).map_err(|_| Error::NoRandomness)?;
    let mut text = String::with_capacity(24);
    for (at, byte) in random.iter().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
        text.push(char::from(letter));
    }
    random.fill(0);
    Ok(Secret::new(text))
}

/// A new agent's salt.
///
/// # Errors
/// When the system has no random bytes.
pub fn salt() -> Result<Vec<u8>, Error> {
    let mut salt = vec![0; SALT_BYTES];
    SystemRandom::new().fill(&mut salt).map_err(|_| Error::NoRandomness)?;
    Ok(salt)
}

/// The memory that a hash needs: 19 MiB from the first one on, to be used again by the next.
#[derive(Default)]
pub struct Workspace(Vec<Block>);

impl std::fmt::Debug for Workspace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Workspace({} KiB)", self.0.len())
    }
}

/// The hash of a password. Takes tens of milliseconds: not for a task that others wait for.
///
/// # Errors
/// When there is no memory.
pub fn hash(password: &Secret, salt: &[u8], workspace: &mut Workspace) -> Result<Vec<u8>, Error> {
    let cost = Params::new(MEMORY_KIB, PASSES, 1, Some(HASH_BYTES)).map_err(|_| Error::NoMemory)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
    let mut hash = vec![0; HASH_BYTES];
    let password = password.expose().as_bytes();
    let blocks = argon2.params().block_count();
    workspace.0.try_reserve_exact(blocks).map_err(|_| Error::NoMemory)?;
    workspace.0.resize(blocks, Block::default());
    argon2
        .hash_password_into_with_memory(password, salt, &mut hash, &mut workspace.0)
        .map_err(|_| Error::NoMemory)?;
    Ok(hash)
}

/// The salt of somebody who does not exist.
pub const NOBODYS_SALT: &[u8] = b"nobody's salt is";

/// Which of the hashes is this one. Takes the same time wherever it stands, and where it does not.
pub fn find(hash: &[u8], known: &[Vec<u8>]) -> Option<usize> {
    let mut found = None;
    for (at, other) in known.iter().enumerate() {
        if bool::from(hash.ct_eq(other)) {
            found = Some(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_password_can_be_read_out_and_is_never_the_same() {
        let (one, other) = (invent().unwrap(), invent().unwrap());
        assert_ne!(one.expose(), other.expose());
        let groups: Vec<&str> = one.expose().split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4; 5]);
        assert!(one.expose().len() >= LENGTH_MIN);
    }

    #[test]
    fn only_the_same_password_under_the_same_salt_fits() {
        let mut workspace = Workspace::default();
        let mut of = |text: &str, salt: &[u8]| {
            hash(&Secret::new(text.into()), salt, &mut workspace).unwrap()
        };
        let (ours, others) = (salt().unwrap(), salt().unwrap());
        let known = vec![of("one", &ours), of("two", &ours)];
        assert_eq!(find(&of("two", &ours), &known), Some(1));
        assert_eq!(find(&of("three", &ours), &known), None);
        assert_eq!(find(&of("two", &others), &known), None);
        assert_eq!(find(&of("", NOBODYS_SALT), &[]), None);
    }

    #[test]
    fn hashes_are_those_of_the_written_cost() {
        assert_eq!(COST, format!("argon2id m={MEMORY_KIB} t={PASSES} p=1"));
    }
}
