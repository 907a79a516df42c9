//! The one mail that the doctor writes: from the shared address to itself, and marked so that nobody answers it.
//!
//! Its header holds a word that no other mail has. By its id Baton knows its own, so that it never becomes a thread
//! (`mail/proof.rs`), and RFC 3834, section 5, keeps robots from answering.

use ring::rand::{SecureRandom, SystemRandom};

use crate::clock::Timestamp;
use crate::mail::proof::Key;

/// A mail of the doctor's.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// The word that only its header holds.
    pub(super) word: String,
    /// Its Message-ID, with angle brackets.
    pub(super) message_id: String,
    /// All of it, with CRLF.
    pub(super) bytes: Vec<u8>,
}

/// Writes one.
///
/// # Errors
/// When the system has no random numbers.
pub(super) fn write(address: &str, key: &Key, now: Timestamp) -> anyhow::Result<Letter> {
    let mut random = [0_u8; 16];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    let word: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let domain = address.rsplit_once('@').map_or("baton.invalid", |(_, domain)| domain);
    let message_id = format!("<{}>", key.id(&format!("baton-doctor.{word}"), domain));
    let date = jiff::Timestamp::from_second(now.0).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let text = format!(
        "From: Baton <{address}>\nTo: <{address}>\nSubject: Baton tries out this mailbox\nDate: {date}\n\
         Message-ID: {message_id}\nX-Baton-Doctor: {word}\nAuto-Submitted: auto-generated\n\
         X-Auto-Response-Suppress: All\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n\
         `baton doctor --probe` tries with this mail whether everything works, and removes\n\
         it again within a minute. If you still see it after that, delete it: nobody wrote it.\n"
    );
    Ok(Letter { word, message_id, bytes: text.replace('\n', "\r\n").into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::message::Kind;
    use crate::mail::parse::parse;

    #[test]
    fn baton_knows_its_own_letter() {
        let letter =
            write("support@example.com", &Key::new(b"k"), Timestamp(1_800_000_000)).unwrap();
        assert!(Key::new(b"k").proves(letter.message_id.trim_matches(['<', '>'])));
        let read = parse(&letter.bytes);
        assert_eq!(read.kind, Kind::Own);
        assert_eq!(format!("<{}>", read.message_id), letter.message_id);
        assert!(letter.message_id.contains(&letter.word));
        let text = String::from_utf8(letter.bytes).unwrap();
        assert!(text.contains("Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"), "{text}");
        assert_eq!(text.matches(&letter.word).count(), 2, "in the header alone");
    }
}
