//! The way to a server: name, addresses, port, certificate. The same for IMAP and for the server that sends.
//!
//! One connection is made for each family of addresses, and the first that stands goes as far as the handshake and is
//! closed: nothing of a login is said on it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::check::Sheet;
use crate::clock::Timestamp;
use crate::config::{Server, Tls};
use crate::tls::{self, Language, Shown, Verdict};

/// How long a name, an address or a handshake may take.
const STEP_WAIT: Duration = Duration::from_secs(15);
/// From so many days before its end on a certificate is warned of: automatic renewals are done by then.
const DAYS_NEAR: i64 = 14;
const DAY_SECONDS: i64 = 86_400;

/// What was found on the way.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) addresses: Result<Vec<IpAddr>, String>,
    /// The first address of each family, and why it does not answer.
    pub(super) dialled: Vec<(IpAddr, Option<String>)>,
    /// What it shows of itself; `None` without encryption, or where nothing answers.
    pub(super) shown: Option<Shown>,
}

impl Reach {
    /// Whether it makes sense to go on.
    pub(super) fn is_open(&self) -> bool {
        let answers = self.dialled.iter().any(|(_, why)| why.is_none());
        answers && self.shown.as_ref().is_none_or(|shown| shown.verdict == Verdict::Good)
    }
}

/// The names of the checks, at one of the two servers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    name: &'static str,
    port: &'static str,
    ipv6: &'static str,
    tls: &'static str,
    certificate: &'static str,
    certificate_name: &'static str,
    certificate_days: &'static str,
}

pub(super) const IMAP: Names = Names {
    name: "imap-name",
    port: "imap-port",
    ipv6: "imap-ipv6",
    tls: "imap-tls",
    certificate: "imap-certificate",
    certificate_name: "imap-certificate-name",
    certificate_days: "imap-certificate-days",
};

pub(super) const SMTP: Names = Names {
    name: "smtp-name",
    port: "smtp-port",
    ipv6: "smtp-ipv6",
    tls: "smtp-tls",
    certificate: "smtp-certificate",
    certificate_name: "smtp-certificate-name",
    certificate_days: "smtp-certificate-days",
};

/// Goes as far as the handshake.
pub(super) async fn look(server: &Server, language: Language) -> Reach {
    let (host, port) = (server.host.clone(), server.port);
    let mut reach = Reach {
        addresses: resolve(&host, port).await,
        dialled: Vec::new(),
        shown: None,
        tls: server.tls,
        host,
        port,
    };
    for address in first_of_each_family(&reach) {
        let dialled = timeout(STEP_WAIT, TcpStream::connect(SocketAddr::new(address, port))).await;
        let dialled = dialled.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
        reach.dialled.push((address, dialled.as_ref().err().map(ToString::to_string)));
        if let (Ok(stream), None) = (dialled, &reach.shown) {
            reach.shown = handshake(stream, server, language).await;
        }
    }
    reach
}

async fn resolve(host: &str, port: u16) -> Result<Vec<IpAddr>, String> {
    let found = timeout(STEP_WAIT, tokio::net::lookup_host((host, port))).await;
    let found = found.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    let found: BTreeSet<IpAddr> =
        found.map_err(|error| error.to_string())?.map(|address| address.ip()).collect();
    Ok(found.into_iter().collect())
}

fn first_of_each_family(reach: &Reach) -> Vec<IpAddr> {
    let all = reach.addresses.as_deref().unwrap_or_default();
    [IpAddr::is_ipv4, IpAddr::is_ipv6]
        .into_iter()
        .filter_map(|family| all.iter().copied().find(family))
        .collect()
}

async fn handshake(mut stream: TcpStream, server: &Server, language: Language) -> Option<Shown> {
    let shown = async {
        if server.tls == Tls::Starttls {
            tls::starttls(&mut stream, language).await.map_err(|error| error.to_string())?;
        }
        Ok(tls::look(&server.host, stream).await)
    };
    let none = |why: String| Shown { ends_at: None, verdict: Verdict::NoHandshake(why) };
    match server.tls {
        Tls::None => None,
        Tls::Implicit | Tls::Starttls => Some(match timeout(STEP_WAIT, shown).await {
            Ok(Ok(shown)) => shown,
            Ok(Err(why)) => none(why),
            Err(_) => none("it is silent".to_owned()),
        }),
    }
}

/// What is to be said.
pub(super) fn judge(reach: &Reach, names: &Names, now: Timestamp, sheet: &mut Sheet) {
    let Names { name, port, ipv6, tls, certificate, certificate_name, certificate_days } = *names;
    let host = &reach.host;
    let rest = [tls, certificate, certificate_name, certificate_days];
    match &reach.addresses {
        Err(why) => {
            sheet.fail(
                name,
                format!("{host} has no address: {why}"),
                "check `host` in baton.toml, and the name servers of this machine (resolvectl status)",
            );
            sheet.skip_all(&[port, ipv6], "the name has no address");
            sheet.skip_all(&rest, "the name has no address");
            return;
        }
        Ok(addresses) => {
            let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            match host.parse::<IpAddr>() {
                Ok(_) => sheet.pass(name, format!("{host} is an address already")),
                Err(_) => sheet.pass(name, format!("{host} is {}", words.join(", "))),
            }
        }
    }
    let is_reached = dialled(reach, port, ipv6, sheet);
    if !is_reached {
        sheet.skip_all(&rest, "nothing answers");
        return;
    }
    match &reach.shown {
        None => {
            sheet.pass(tls, "none, which is right on the same machine only");
            sheet.skip_all(&[certificate, certificate_name, certificate_days], "there is no TLS");
        }
        Some(shown) => judge_tls(reach, shown, names, now, sheet),
    }
}

fn dialled(reach: &Reach, port: &'static str, ipv6: &'static str, sheet: &mut Sheet) -> bool {
    let number = reach.port;
    let of = |family: fn(&IpAddr) -> bool| reach.dialled.iter().find(|(ip, _)| family(ip));
    let answers = reach.dialled.iter().any(|(_, why)| why.is_none());
    let why = reach.dialled.iter().find_map(|(_, why)| why.clone()).unwrap_or_default();
    match answers {
        true => sheet.pass(port, format!("port {number} answers")),
        false => sheet.fail(
            port,
            format!("port {number} does not answer: {why}"),
            "check `port` in baton.toml, and what the firewalls between let out",
        ),
    }
    match (of(IpAddr::is_ipv6), of(IpAddr::is_ipv4)) {
        (None, _) => sheet.skip(ipv6, "the name has no IPv6 address"),
        (Some((_, None)), _) => sheet.pass(ipv6, "it answers over IPv6 as well"),
        // G76: some networks promise IPv6 and lose it on the way; each connection waits for that first.
        (Some((ip, Some(why))), Some((_, None))) => sheet.warn(
            ipv6,
            format!("{ip} does not answer ({why}), so each connection first waits for it in vain"),
            "repair IPv6 on this machine, or prefer IPv4 in /etc/gai.conf",
        ),
        (Some((ip, Some(why))), _) => {
            sheet.fail(ipv6, format!("{ip} does not answer: {why}"), "the same as for the port")
        }
    }
    answers
}

fn judge_tls(reach: &Reach, shown: &Shown, names: &Names, now: Timestamp, sheet: &mut Sheet) {
    let Names { tls, certificate, certificate_name, certificate_days, .. } = *names;
    let host = &reach.host;
    let how = if reach.tls == Tls::Starttls { "by STARTTLS" } else { "from the first byte" };
    if let Verdict::NoHandshake(why) = &shown.verdict {
        sheet.fail(
            tls,
            format!("no encryption {how}: {why}"),
            "compare `tls` and `port` in baton.toml with what the server offers: \"implicit\" on 993 and 465, \"starttls\" on 143 and 587",
        );
        sheet.skip_all(&[certificate, certificate_name, certificate_days], "there is no TLS");
        return;
    }
    sheet.pass(tls, format!("encrypted {how}"));
    match &shown.verdict {
        Verdict::Untrusted => sheet.fail(
            certificate,
            "nobody whom this machine trusts has signed it",
            "install the authority in /usr/local/share/ca-certificates and run update-ca-certificates, or let the server send its intermediate certificates too",
        ),
        Verdict::Bad(why) => sheet.fail(
            certificate,
            format!("it is not to be trusted: {why}"),
            "give the server a sound certificate",
        ),
        _ => sheet.pass(certificate, "signed by an authority that this machine trusts"),
    }
    match &shown.verdict {
        Verdict::OtherName(names) => {
            let names = if names.is_empty() { "other names".into() } else { names.join(", ") };
            sheet.fail(
                certificate_name,
                format!("it is for {names}, not for {host}"),
                "write one of these names as `host`, or give the server a certificate with its name",
            );
        }
        Verdict::Untrusted | Verdict::Bad(_) | Verdict::Expired | Verdict::NotYet => {
            sheet.skip(certificate_name, "the certificate is not good anyway");
        }
        Verdict::Good | Verdict::NoHandshake(_) => {
            sheet.pass(certificate_name, format!("it is for {host}"));
        }
    }
    days(shown, certificate_days, now, sheet);
}

fn days(shown: &Shown, name: &'static str, now: Timestamp, sheet: &mut Sheet) {
    let renew = "let the server renew its certificate";
    if shown.verdict == Verdict::NotYet {
        sheet.fail(
            name,
            "it is not good yet",
            "check the clock of this machine, and of the server",
        );
        return;
    }
    let Some(ends_at) = shown.ends_at else {
        sheet.skip(name, "its end cannot be read");
        return;
    };
    let day: String = ends_at.to_string().chars().take(10).collect();
    match ends_at.0.saturating_sub(now.0).div_euclid(DAY_SECONDS) {
        ..0 => sheet.fail(name, format!("it ended on {day}"), renew),
        left @ 0..DAYS_NEAR => sheet.warn(name, format!("it ends in {left} days, on {day}"), renew),
        left => sheet.pass(name, format!("good for {left} days, until {day}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Outcome, Theme};
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn reach(verdict: Verdict, days: i64) -> Reach {
        Reach {
            host: "mail.example.com".into(),
            port: 993,
            tls: Tls::Implicit,
            addresses: Ok(vec!["192.0.2.1".parse().unwrap()]),
            dialled: vec![("192.0.2.1".parse().unwrap(), None)],
            shown: Some(Shown {
                ends_at: Some(Timestamp(NOW.0 + days * DAY_SECONDS + 60)),
                verdict,
            }),
        }
    }

    fn said(reach: &Reach) -> Vec<(&'static str, Outcome, String)> {
        let mut sheet = Sheet::new(Theme::Reach);
        judge(reach, &IMAP, NOW, &mut sheet);
        let told = |check: super::super::Check| (check.name, check.outcome, check.what);
        sheet.done().into_iter().map(told).collect()
    }

    #[track_caller]
    fn is(reach: &Reach, name: &str, outcome: Outcome, words: &str) {
        let said = said(reach);
        let found = said.iter().find(|(one, ..)| *one == name).unwrap();
        assert!(found.1 == outcome && found.2.contains(words), "{said:#?}");
    }

    #[test]
    fn a_certificate_is_judged_by_its_days() {
        is(&reach(Verdict::Good, 90), "imap-certificate-days", Outcome::Pass, "90 days");
        is(&reach(Verdict::Good, 13), "imap-certificate-days", Outcome::Warn, "13 days");
        is(&reach(Verdict::Expired, -2), "imap-certificate-days", Outcome::Fail, "ended on");
        is(&reach(Verdict::NotYet, 90), "imap-certificate-days", Outcome::Fail, "not good yet");
    }

    #[test]
    fn a_certificate_is_judged_by_its_name_and_its_signer() {
        let other = Verdict::OtherName(vec!["imap.example.net".into()]);
        is(&reach(other, 90), "imap-certificate-name", Outcome::Fail, "imap.example.net");
        is(&reach(Verdict::Untrusted, 90), "imap-certificate", Outcome::Fail, "nobody");
    }

    #[test]
    fn an_address_that_only_costs_time_is_a_warning() {
        let mut reach = reach(Verdict::Good, 90);
        is(&reach, "imap-ipv6", Outcome::Skipped, "no IPv6");
        reach.dialled.push(("2001:db8::1".parse().unwrap(), Some("no route".into())));
        is(&reach, "imap-ipv6", Outcome::Warn, "no route");
        is(&reach, "imap-port", Outcome::Pass, "993");
        assert!(reach.is_open());
        reach.dialled.remove(0);
        is(&reach, "imap-port", Outcome::Fail, "no route");
        assert!(!reach.is_open());
    }
}
