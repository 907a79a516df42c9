//! A certificate, as far as Baton needs it: its bytes, and the day on which it ends.
//!
//! Reads only the way to `notAfter` (RFC 5280, section 4.1): Certificate, TBSCertificate, and the fifth field or so. What
//! does not fit is an error and never a guess.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::clock::Timestamp;

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, explicit: the version.
const VERSION: u8 = 0xa0;

/// A certificate in DER.
#[derive(Debug)]
pub struct Certificate {
    /// All of it.
    pub der: Vec<u8>,
    /// The last moment in which it is good.
    pub ends_at: Timestamp,
}

/// Reads the first certificate of a PEM text.
///
/// # Errors
/// When there is none that can be read; in words.
pub fn read(pem: &[u8]) -> Result<Certificate, String> {
    let der = CertificateDer::from_pem_slice(pem)
        .map_err(|_| "it holds no certificate in PEM".to_owned())?;
    let ends_at = not_after(&der).ok_or("its certificate cannot be read")?;
    Ok(Certificate { der: der.to_vec(), ends_at })
}

/// One value: its tag, its content, and what comes after it (X.690, section 8.1).
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ 0..=0x7f => (short, rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// The content of a value of this tag, and what comes after it.
fn expect(wanted: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    value(bytes).filter(|(tag, ..)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// The last moment in which a certificate in DER is good; `None` where it cannot be read.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (mut fields, _) = expect(SEQUENCE, certificate)?;
    if let Some((_, rest)) = expect(VERSION, fields) {
        fields = rest;
    }
    let (_, fields) = expect(INTEGER, fields)?;
    let (_, fields) = expect(SEQUENCE, fields)?;
    let (_, fields) = expect(SEQUENCE, fields)?;
    let (validity, _) = expect(SEQUENCE, fields)?;
    let (_, _, end) = value(validity)?;
    let (tag, digits, _) = value(end)?;
    time(tag, std::str::from_utf8(digits).ok()?)
}

/// RFC 5280, section 4.1.2.5: `YYMMDDHHMMSSZ` until 2049, `YYYYMMDDHHMMSSZ` from 2050 on.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let whole = match tag {
        GENERALIZED_TIME => text.to_owned(),
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        _ => return None,
    };
    let part = |from: usize, to: usize| whole.get(from..to);
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    Timestamp::parse(&written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::samples;

    #[test]
    fn the_end_is_read_in_both_spellings() {
        let short = read(samples::SHORT.as_bytes()).unwrap();
        assert_eq!(short.ends_at.to_string(), "2027-12-29T00:16:23Z");
        let long = read(samples::CERTIFICATE.as_bytes()).unwrap();
        assert_eq!(long.ends_at.to_string(), "2051-07-16T00:16:23Z");
        assert_eq!(
            time(GENERALIZED_TIME, "20610131235959Z").unwrap().to_string(),
            "2061-01-31T23:59:59Z"
        );
        assert_eq!(time(UTC_TIME, "991231235959Z").unwrap().to_string(), "1999-12-31T23:59:59Z");
    }

    #[test]
    fn what_is_cut_off_or_turned_over_is_refused_and_never_panics() {
        let der = read(samples::SHORT.as_bytes()).unwrap().der;
        for length in 0..der.len().min(200) {
            assert_eq!(not_after(&der[..length]), None);
        }
        for at in 0..200 {
            for bit in 0..8 {
                let mut broken = der.clone();
                broken[at] ^= 1 << bit;
                let _ = not_after(&broken);
            }
        }
        assert!(read(b"hello").is_err());
    }
}
