//! Command lines: smtp-proto knows the grammar of paths and parameters; what it is lenient about is refused here.

use smtp_proto::Request;

/// A command, as far as the session knows it.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Command {
    Hello { extended: bool },
    Auth { mechanism: String, initial: Option<String> },
    StartTls,
    Mail(MailFrom),
    Rcpt(Recipient),
    Data,
    Bdat { bytes: u64, last: bool },
    Rset,
    Noop,
    Help,
    Vrfy,
    Quit,
}

/// From whom a mail is, and how it wants to be carried.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct MailFrom {
    pub(super) address: String,
    pub(super) bytes: Option<u64>,
    pub(super) utf8: bool,
    pub(super) eight_bit: bool,
    pub(super) ret: Option<String>,
    pub(super) envid: Option<String>,
}

/// To whom a mail goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipient {
    /// The address, as the client wrote it.
    pub address: String,
    /// When the sender wants to hear of it (RFC 3461, section 4.1), as written: `SUCCESS,DELAY`.
    pub notify: Option<String>,
    /// Whom the sender believes to write to (RFC 3461, section 4.2), as written: `rfc822;ben@example.org`.
    pub orcpt: Option<String>,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    /// Nobody knows the word.
    Unknown,
    /// The word is known, what follows it is not.
    Arguments,
    /// The address cannot be one.
    Address,
    /// A parameter that was not offered.
    Parameter,
    /// What follows is of unknown length, so nothing that follows can be trusted to be a command.
    Chunk,
}

/// The longest address (RFC 5321, section 4.5.3.1.3: a path has 256 bytes with its brackets).
const ADDRESS_MAX: usize = 254;

/// Reads a line without its CR and LF.
pub(super) fn parse(line: &str) -> Result<Command, Wrong> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let alone = |command| if rest.trim().is_empty() { Ok(command) } else { Err(Wrong::Arguments) };
    match word.to_ascii_uppercase().as_str() {
        "EHLO" => hello(rest, true),
        "HELO" => hello(rest, false),
        "AUTH" => auth(rest),
        "STARTTLS" => alone(Command::StartTls),
        "MAIL" => mail(line),
        "RCPT" => rcpt(line),
        "DATA" => alone(Command::Data),
        "BDAT" => bdat(rest),
        "RSET" => alone(Command::Rset),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" | "EXPN" => Ok(Command::Vrfy),
        "QUIT" => alone(Command::Quit),
        _ => Err(Wrong::Unknown),
    }
}

/// One word names the client, a domain or an address; what it says is believed by nobody.
fn hello(rest: &str, extended: bool) -> Result<Command, Wrong> {
    let name = rest.trim();
    let legal = !name.is_empty() && name.len() <= 255 && !name.contains(' ');
    if legal { Ok(Command::Hello { extended }) } else { Err(Wrong::Arguments) }
}

fn auth(rest: &str) -> Result<Command, Wrong> {
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [mechanism] => Ok(Command::Auth { mechanism: (*mechanism).to_owned(), initial: None }),
        [mechanism, initial] => Ok(Command::Auth {
            mechanism: (*mechanism).to_owned(),
            initial: Some((*initial).to_owned()),
        }),
        _ => Err(Wrong::Arguments),
    }
}

/// A length in plain digits, and maybe LAST (RFC 3030).
fn bdat(rest: &str) -> Result<Command, Wrong> {
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let (digits, last) = match words.as_slice() {
        [digits] => (*digits, false),
        [digits, last] if last.eq_ignore_ascii_case("LAST") => (*digits, true),
        _ => return Err(Wrong::Chunk),
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(bytes) if is_number => Ok(Command::Bdat { bytes, last }),
        _ => Err(Wrong::Chunk),
    }
}

fn mail(line: &str) -> Result<Command, Wrong> {
    let with_end = format!("{line}\n");
    let from = match Request::parse(&mut with_end.as_bytes().iter()) {
        Ok(Request::Mail { from }) => from,
        Ok(_) | Err(_) => return Err(refused(line)),
    };
    let mut mail = MailFrom { address: from.address.into_owned(), ..MailFrom::default() };
    for (key, value) in parameters(line) {
        match (key.as_str(), value) {
            ("SIZE", Some(bytes)) => {
                mail.bytes = Some(bytes.parse().map_err(|_| Wrong::Arguments)?);
            }
            ("BODY", Some(body)) if body.eq_ignore_ascii_case("8BITMIME") => mail.eight_bit = true,
            ("BODY", Some(body)) if body.eq_ignore_ascii_case("7BIT") => {}
            ("SMTPUTF8", None) => mail.utf8 = true,
            ("RET", Some(ret)) => mail.ret = Some(ret.to_ascii_uppercase()),
            ("ENVID", Some(envid)) => mail.envid = Some(envid.to_owned()),
            // RFC 4954, section 5: whom an earlier server had heard; we have heard the agent.
            ("AUTH", Some(_)) => {}
            _ => return Err(Wrong::Parameter),
        }
    }
    check_address(&mail.address, true)?;
    Ok(Command::Mail(mail))
}

fn rcpt(line: &str) -> Result<Command, Wrong> {
    let with_end = format!("{line}\n");
    let to = match Request::parse(&mut with_end.as_bytes().iter()) {
        Ok(Request::Rcpt { to }) => to,
        Ok(_) | Err(_) => return Err(refused(line)),
    };
    let address = to.address.into_owned();
    let mut recipient = Recipient { address, notify: None, orcpt: None };
    for (key, value) in parameters(line) {
        match (key.as_str(), value) {
            ("NOTIFY", Some(notify)) => recipient.notify = Some(notify.to_ascii_uppercase()),
            ("ORCPT", Some(orcpt)) => recipient.orcpt = Some(orcpt.to_owned()),
            _ => return Err(Wrong::Parameter),
        }
    }
    check_address(&recipient.address, false)?;
    Ok(Command::Rcpt(recipient))
}

/// What is wrong with a line that smtp-proto does not want: a parameter, or all of it.
fn refused(line: &str) -> Wrong {
    const OFFERED: [&str; 8] =
        ["SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH", "NOTIFY", "ORCPT"];
    match parameters(line).iter().all(|(key, _)| OFFERED.contains(&key.as_str())) {
        true => Wrong::Arguments,
        false => Wrong::Parameter,
    }
}

/// What follows the path: names in upper case, with their values.
fn parameters(line: &str) -> Vec<(String, Option<&str>)> {
    // No value holds an angle bracket, since none needs one and xtext would encode it.
    let after = line.rsplit_once('>').map_or("", |(_, after)| after);
    after
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| match word.split_once('=') {
            Some((key, value)) => (key.to_ascii_uppercase(), Some(value)),
            None => (word.to_ascii_uppercase(), None),
        })
        .collect()
}

/// Two halves around an `@`, and nothing that a later server could read as the end of a line or a path.
fn check_address(address: &str, may_be_empty: bool) -> Result<(), Wrong> {
    if may_be_empty && address.is_empty() {
        return Ok(());
    }
    let strange =
        |letter: char| letter.is_control() || letter.is_whitespace() || "<>".contains(letter);
    let halves = address.rsplit_once('@');
    let whole = halves.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    match whole && address.len() <= ADDRESS_MAX && !address.contains(strange) {
        true => Ok(()),
        false => Err(Wrong::Address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(line: &str) -> Result<String, Wrong> {
        match parse(line) {
            Ok(Command::Rcpt(to)) => Ok(to.address),
            Ok(other) => panic!("{other:?}"),
            Err(wrong) => Err(wrong),
        }
    }

    #[test]
    fn commands_are_read_whatever_their_case() {
        assert_eq!(parse("ehlo pc"), Ok(Command::Hello { extended: true }));
        assert_eq!(parse("Quit"), Ok(Command::Quit));
        assert_eq!(parse("bdat 12 last"), Ok(Command::Bdat { bytes: 12, last: true }));
        let from = "MAIL FROM:<s@e> SIZE=12 BODY=8BITMIME SMTPUTF8 RET=hdrs ENVID=x+2By";
        let expected = MailFrom {
            address: "s@e".into(),
            bytes: Some(12),
            utf8: true,
            eight_bit: true,
            ret: Some("HDRS".into()),
            envid: Some("x+2By".into()),
        };
        assert_eq!(parse(from), Ok(Command::Mail(expected)));
    }

    #[test]
    fn addresses_are_whole() {
        assert_eq!(recipient("RCPT TO:<c@c.example>").as_deref(), Ok("c@c.example"));
        assert_eq!(recipient("rcpt to:<jürgen@c.example>").as_deref(), Ok("jürgen@c.example"));
        for line in ["RCPT TO:<postmaster>", "RCPT TO:<>", "RCPT TO:<c@>", "RCPT TO:<@c>"] {
            assert!(recipient(line).is_err(), "{line}");
        }
        let long = format!("RCPT TO:<{}@c.example>", "x".repeat(250));
        assert!(recipient(&long).is_err());
    }

    #[test]
    fn what_was_not_offered_is_refused() {
        let cases = [
            ("EHLO a b", Wrong::Arguments),
            ("EHLO", Wrong::Arguments),
            ("DATA now", Wrong::Arguments),
            ("MAIL FROM:s@e", Wrong::Arguments),
            ("MAIL FROM:<s@e> BODY=BINARYMIME", Wrong::Parameter),
            ("MAIL FROM:<s@e> XYZZY=1", Wrong::Parameter),
            ("RCPT TO:<c@c.example> XYZZY", Wrong::Parameter),
            ("BDAT", Wrong::Chunk),
            ("BDAT -1", Wrong::Chunk),
            ("BDAT +1", Wrong::Chunk),
            ("BDAT 0x10", Wrong::Chunk),
            ("BDAT 99999999999999999999", Wrong::Chunk),
            ("BDAT 1 LASTLY", Wrong::Chunk),
            ("BDAT 1 LAST LAST", Wrong::Chunk),
            ("GET / HTTP/1.1", Wrong::Unknown),
            ("", Wrong::Unknown),
        ];
        for (line, wrong) in cases {
            assert_eq!(parse(line), Err(wrong), "{line}");
        }
    }
}
