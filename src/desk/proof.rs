//! Whether a mail that says it is an agent's is theirs: by the word of the server that received it, and of nobody else.
//!
//! A From line is written by whoever writes the mail. What the receiving server says about it is believed where it is known
//! how that server signs its findings ([`Authority`]); the findings themselves are [`crate::mail::authentication`]'s.

use crate::desk::wording::card as words;
use crate::mail::authentication::{Evidence, Finding, Results};

/// Whose findings are believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Authority {
    /// The server that calls itself so (its *authserv-id*, RFC 8601, section 2.5), lower case.
    Named(String),
    /// Exchange Online, which leaves its name out, and says in a field of its own who had logged in.
    Exchange,
}

/// Answers `Ok` where the mail is proven to be of this address.
///
/// # Errors
/// A sentence that says what is missing.
pub fn proven(authority: &Authority, address: &str, evidence: &Evidence) -> Result<(), String> {
    let is_theirs = |one: &String| one.eq_ignore_ascii_case(address);
    if evidence.from.len() != 1 || !evidence.from.iter().all(is_theirs) {
        return Err(words::not_from(address));
    }
    if !evidence.sender.iter().all(is_theirs) {
        return Err(words::sent_by_another(address));
    }
    let (vouched, server) = match authority {
        Authority::Named(name) => (named(evidence, name), name.as_str()),
        Authority::Exchange if evidence.exchange_internal => return Ok(()),
        Authority::Exchange => (unnamed(evidence), "Exchange Online"),
    };
    let Some(results) = vouched else { return Err(words::nothing_found_out(server)) };
    match address.rsplit_once('@') {
        Some((_, domain)) if passes(results, &domain.to_lowercase()) => Ok(()),
        _ => Err(words::not_vouched_for(address, server)),
    }
}

fn named<'a>(evidence: &'a Evidence, name: &str) -> Option<&'a Results> {
    let is_named = |authority: &String| authority.eq_ignore_ascii_case(name);
    evidence.results.as_ref().filter(|found| found.authority.as_ref().is_some_and(is_named))
}

fn unnamed(evidence: &Evidence) -> Option<&Results> {
    evidence.results.as_ref().filter(|found| found.authority.is_none())
}

/// DMARC's word is final where it was asked; else a signature or an envelope of the address's own domain does.
fn passes(results: &Results, domain: &str) -> bool {
    let of = |method: &'static str| results.findings.iter().filter(move |one| one.method == method);
    let is_of_domain = |one: &Finding| one.values("header.from").any(|from| from == domain);
    if of("dmarc").any(|one| !matches!(one.result.as_str(), "pass" | "none" | "bestguesspass")) {
        return false;
    }
    let dmarc = of("dmarc").all(|one| one.result == "pass") && of("dmarc").any(is_of_domain);
    let signed = |one: &Finding| {
        let by = one.values("header.d").chain(one.values("header.i"));
        one.result == "pass" && by.into_iter().any(|by| aligned(by, domain))
    };
    let sent = |one: &Finding| {
        one.result == "pass" && one.values("smtp.mailfrom").any(|from| aligned(from, domain))
    };
    dmarc || of("dkim").any(signed) || of("spf").any(sent)
}

/// Whether who vouches (a domain, or an address in it) is the address's domain or one above it.
fn aligned(voucher: &str, domain: &str) -> bool {
    let by = voucher.rsplit_once('@').map_or(voucher, |(_, by)| by);
    let above = || domain.strip_suffix(by).is_some_and(|rest| rest.ends_with('.'));
    by == domain || by.contains('.') && above()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::authentication::evidence;

    fn named() -> Authority {
        Authority::Named("mx.example.org".into())
    }

    fn judged(authority: &Authority, fields: &str) -> bool {
        let raw = format!("{fields}\r\nTo: support@example.com\r\n\r\n.");
        proven(authority, "ana@team.example.com", &evidence(raw.as_bytes())).is_ok()
    }

    #[test]
    fn only_the_known_servers_findings_about_the_address_count() {
        let cases = [
            ("dmarc=pass header.from=team.example.com", true),
            ("dmarc=pass header.from=example.com", false),
            ("dmarc=pass header.from=evil.test", false),
            ("dmarc=pass", false),
            ("dmarc=fail header.from=team.example.com; dkim=pass header.d=team.example.com", false),
            ("dmarc=pass header.from=team.example.com; dmarc=fail", false),
            ("dmarc=bestguesspass header.from=team.example.com", false),
            (
                "dmarc=none header.from=team.example.com; spf=pass smtp.mailfrom=ana@team.example.com",
                true,
            ),
            ("dkim=pass header.d=team.example.com", true),
            ("dkim=pass header.i=@team.example.com", true),
            ("dkim=fail header.d=evil.test; dkim=pass header.d=example.com", true),
            ("dkim=pass header.d=evil.test; dkim=fail header.d=team.example.com", false),
            ("dkim=pass header.d=com", false),
            ("dkim=pass header.d=ample.com", false),
            ("dkim=pass header.d=sub.team.example.com", false),
            ("dkim=none", false),
            ("spf=pass smtp.mailfrom=team.example.com", true),
            ("spf=pass smtp.helo=team.example.com", false),
            ("spf=softfail smtp.mailfrom=team.example.com", false),
            ("spf=pass smtp.mailfrom=\"ana@team.example.com\"@evil.test", false),
            ("none", false),
        ];
        let from = "From: Ana <ana@team.example.com>";
        for (findings, expected) in cases {
            let fields = format!("Authentication-Results: mx.example.org; {findings}\r\n{from}");
            assert_eq!(judged(&named(), &fields), expected, "{findings}");
            let other = format!("Authentication-Results: mx.evil.test; {findings}\r\n{from}");
            assert!(!judged(&named(), &other), "{findings}");
            let unnamed = format!("Authentication-Results: {findings}\r\n{from}");
            assert!(!judged(&named(), &unnamed), "{findings}");
            assert_eq!(judged(&Authority::Exchange, &unnamed), expected, "{findings}");
            assert!(!judged(&Authority::Exchange, &fields), "{findings}");
        }
    }

    #[test]
    fn the_mail_must_be_from_the_address_and_nobody_else() {
        let pass =
            "Authentication-Results: mx.example.org; dmarc=pass header.from=team.example.com\r\n";
        let cases = [
            ("From: ANA@Team.example.com", true),
            ("From: ben@team.example.com", false),
            ("From: ana@team.example.com, ben@team.example.com", false),
            ("From: ana@team.example.com\r\nFrom: ben@team.example.com", false),
            ("From: ana@team.example.com\r\nSender: ben@team.example.com", false),
            ("From: ana@team.example.com\r\nSender: ana@team.example.com", true),
            ("From: \"ana@team.example.com\" <x@evil.test>", false),
        ];
        for (from, expected) in cases {
            assert_eq!(judged(&named(), &format!("{pass}{from}")), expected, "{from}");
        }
        let forged = "Authentication-Results: mx.evil.test; dmarc=fail\r\n";
        assert!(!judged(&named(), &format!("{forged}{pass}From: ana@team.example.com")));
        assert!(!judged(&named(), "From: ana@team.example.com"));
    }

    #[test]
    fn exchange_is_believed_about_its_own_people_and_other_servers_are_not() {
        let internal = "X-MS-Exchange-Organization-AuthAs: Internal\r\nFrom: ana@team.example.com";
        assert!(judged(&Authority::Exchange, internal));
        assert!(!judged(&named(), internal));
    }
}
