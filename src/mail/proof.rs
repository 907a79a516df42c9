//! How Baton knows its own mail again: ids that it can prove, and what a mail says about having been made by a Baton.
//!
//! A Message-ID of Baton's is `unique-tag.baton@domain`; the tag is an HMAC (RFC 2104) over the rest under a key that no other
//! installation has. Whoever copies the form of such an id has no tag that fits; whoever copies a whole id has a mail of ours
//! before them, and is judged by where the copy comes from. The header [`LOOP`] of an automatic mail repeats the id, since
//! some servers give mail another Message-ID.

use std::fmt;

use ring::hmac;

/// The header of everything that Baton writes by itself; its value is the mail's own id.
pub const LOOP: &str = "X-Baton-Loop";
/// How many bytes of the HMAC an id holds.
const TAG_BYTES: usize = 10;
/// How many bytes of the HMAC a signature holds: enough that nobody guesses one.
const SIGNATURE_BYTES: usize = 12;
/// What stands before the `@` of an id, behind the tag.
const ENDING: &str = ".baton";

/// The installation's own key. Its `Debug` prints nothing of it. Without one nothing is proven.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Key(Option<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_some() { "Key(…)" } else { "Key(none)" })
    }
}

impl Key {
    /// The key that these secret bytes stand for.
    pub fn new(secret: &[u8]) -> Key {
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"baton mail key 1");
        Key(signed.as_ref().try_into().ok())
    }

    /// A number that nobody outside can guess, the same for every use of the same purpose.
    pub(super) fn number(&self, purpose: &str) -> u64 {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0.unwrap_or_default());
        let signed = hmac::sign(&key, purpose.as_bytes());
        let bytes = signed.as_ref().iter().take(8);
        bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A number that stands for this text.
    pub fn digest(&self, text: &str) -> i64 {
        i64::from_ne_bytes(self.number(text).to_ne_bytes())
    }

    /// The Message-ID, without angle brackets, of the mail that has this unique word.
    pub fn id(&self, unique: &str, domain: &str) -> String {
        match self.tag(unique, domain) {
            Some(tag) => format!("{unique}-{tag}{ENDING}@{domain}"),
            None => format!("{unique}{ENDING}@{domain}"),
        }
    }

    /// Whether the id was made with this key.
    pub fn proves(&self, id: &str) -> bool {
        let Some((local, domain)) = id.rsplit_once('@') else { return false };
        let Some(signed) = local.strip_suffix(ENDING) else { return false };
        let Some((unique, tag)) = signed.rsplit_once('-') else { return false };
        // Both sides can be seen by whoever has the mail, so that the time it takes tells nothing more.
        self.tag(unique, domain).is_some_and(|right| right == tag)
    }

    /// What signs these parts for one purpose: 24 hex digits, few enough for the local part of an address (RFC 5321, section
    /// 4.5.3.1.1). `None` without a key.
    pub fn sign(&self, purpose: &str, parts: &[&str]) -> Option<String> {
        let mut message = Vec::new();
        // Each part with its length before it, so that no two lists of parts read the same.
        for part in std::iter::once(&purpose).chain(parts) {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0?), &message);
        let bytes = signed.as_ref().iter().take(SIGNATURE_BYTES);
        Some(bytes.map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether this signs the parts, in whatever case: programs change that of addresses.
    pub fn verifies(&self, purpose: &str, parts: &[&str], signature: &str) -> bool {
        let given = signature.to_ascii_lowercase();
        self.sign(purpose, parts).is_some_and(|expected| {
            // In the same time wherever they differ.
            let differ = expected.bytes().zip(given.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b));
            expected.len() == given.len() && differ == 0
        })
    }

    fn tag(&self, unique: &str, domain: &str) -> Option<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0?);
        let signed = hmac::sign(&key, format!("id {unique}@{}", domain.to_lowercase()).as_bytes());
        Some(signed.as_ref().iter().take(TAG_BYTES).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What a mail says about having been made by a Baton. Anybody can write it; [`Key::proves`] tells what is true.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mark {
    /// What [`LOOP`] holds, without angle brackets.
    pub id: Option<String>,
    /// Whether it also says that no person wrote it (RFC 3834, section 5).
    pub automatic: bool,
}

/// Whose a mail is that says that a Baton made it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Maker {
    /// This installation's.
    Ours,
    /// Some other Baton's, as far as it says.
    Another,
}

/// Whose mail this is, where its ids prove it or it says so; `None` where no Baton has to do with it.
pub fn maker<'a>(
    key: &Key,
    ids: impl IntoIterator<Item = &'a String>,
    mark: Option<&'a Mark>,
) -> Option<Maker> {
    let marked = mark.and_then(|mark| mark.id.as_ref());
    if ids.into_iter().chain(marked).any(|id| key.proves(id)) {
        return Some(Maker::Ours);
    }
    mark.map(|_| Maker::Another)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_the_same_parts_for_the_same_purpose() {
        let (key, other) = (Key::new(b"one"), Key::new(b"two"));
        let signed = key.sign("card", &["12", "ana"]).unwrap();
        assert_eq!(signed.len(), 24);
        assert!(key.verifies("card", &["12", "ana"], &signed.to_uppercase()));
        let others: [(&str, &[&str]); 4] = [
            ("card", &["12", "ben"]),
            ("card", &["1", "2ana"]),
            ("card", &["12ana"]),
            ("own", &["12", "ana"]),
        ];
        assert!(others.iter().all(|(purpose, parts)| !key.verifies(purpose, parts, &signed)));
        let wrong = ["", "0", &format!("{signed}0"), &signed.replace(char::is_numeric, "x")];
        assert!(wrong.iter().all(|wrong| !key.verifies("card", &["12", "ana"], wrong)));
        assert!(!other.verifies("card", &["12", "ana"], &signed));
        assert!(!Key::default().verifies("card", &["12", "ana"], ""));
    }

    #[test]
    fn an_id_is_proven_by_its_own_key_only() {
        let (key, other) = (Key::new(b"one"), Key::new(b"two"));
        let id = key.id("1f", "example.test");
        assert!(id.starts_with("1f-") && id.ends_with(".baton@example.test"), "{id}");
        assert!(key.proves(&id) && !other.proves(&id));
        let forged = ["1f.baton@example.test", "1f-00.baton@example.test", "", "@", "-.baton@"];
        assert!(forged.iter().all(|id| !key.proves(id)));
        assert!(!key.proves(&id.replace("1f-", "1e-")));
        assert!(!key.proves(&id.replace("example", "sample")));
        let none = Key::default();
        assert!(!none.proves(&none.id("1f", "example.test")));
        assert_eq!(format!("{key:?} {none:?}"), "Key(…) Key(none)");
    }

    #[test]
    fn a_mark_alone_is_another_batons() {
        let key = Key::new(b"one");
        let mark = |id: &str| Mark { id: Some(id.into()), automatic: true };
        let own = key.id("1", "x.test");
        let strange = vec!["a@b".to_owned()];
        assert_eq!(maker(&key, &strange, None), None);
        assert_eq!(maker(&key, &strange, Some(&mark("a@b"))), Some(Maker::Another));
        assert_eq!(maker(&key, &strange, Some(&mark(&own))), Some(Maker::Ours));
        assert_eq!(maker(&key, &vec![own], None), Some(Maker::Ours));
    }
}
