//! What the receiving server found out about who sent a mail: `Authentication-Results` (RFC 8601), and Exchange's own field.
//!
//! Only the topmost field is read: the receiving server wrote it last, and whatever stands below may have come with the
//! mail. Nothing here decides whom to believe; that is [`crate::desk::proof`]. Start with [`evidence`].

use super::header::{self, Fields};
use super::words;

/// The longest field that is believed, in bytes.
const FIELD_MAX: usize = 16 * 1024;

/// One method's result, as in `dkim=pass header.d=example.com`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// `dkim`, `spf`, `dmarc` and others, lower case.
    pub method: String,
    /// `pass`, `fail` and others, lower case.
    pub result: String,
    /// What was looked at, lower case, as in (`header.d`, `example.com`).
    pub properties: Vec<(String, String)>,
}

impl Finding {
    /// The values of one property.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.properties.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One field's results.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Results {
    /// Who found it out, lower case. Exchange Online does not say.
    pub authority: Option<String>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What a mail's header says about who sent it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Evidence {
    /// The addresses of all From fields, lower case.
    pub from: Vec<String>,
    /// The addresses of all Sender fields, lower case.
    pub sender: Vec<String>,
    /// What the topmost `Authentication-Results` says; `None` where there is none, or it cannot be read.
    pub results: Option<Results>,
    /// Whether Exchange says that somebody logged in to its own organisation sent it. Exchange takes the field off what comes
    /// from outside; other servers do not.
    pub exchange_internal: bool,
}

/// Reads the header of a mail.
pub fn evidence(raw: &[u8]) -> Evidence {
    let fields = Fields::read(raw);
    let addresses = |name: &'static str| -> Vec<String> {
        let lists = fields.all(name).flat_map(header::address_list);
        lists.map(|one| one.address.to_lowercase()).collect()
    };
    let topmost = fields.all("authentication-results").next();
    let mut said = fields.all("x-ms-exchange-organization-authas").peekable();
    let is_said = said.peek().is_some();
    Evidence {
        from: addresses("from"),
        sender: addresses("sender"),
        results: topmost.filter(|field| field.len() <= FIELD_MAX).and_then(results),
        exchange_internal: is_said && said.all(|value| value.eq_ignore_ascii_case(b"internal")),
    }
}

/// What one field says; `None` where it is not one of RFC 8601's.
fn results(field: &[u8]) -> Option<Results> {
    let mut segments = segments(&words::guess(field))?.into_iter().peekable();
    let mut results = Results::default();
    // Where the first segment is a result already, nobody is named.
    if let Some(first) = segments.next_if(|segment| !segment.contains(&Token::Equals)) {
        results.authority = match first.first()? {
            Token::Word(word) => Some(word.clone()),
            Token::Equals => None,
        };
    }
    results.findings = segments.filter_map(|segment| finding(&segment)).collect();
    Some(results)
}

fn finding(tokens: &[Token]) -> Option<Finding> {
    let mut pairs = pairs(tokens).into_iter();
    let (method, result) = pairs.next()?;
    // `dkim/1=pass` names a version.
    let method = method.split('/').next().unwrap_or_default().to_owned();
    Some(Finding { method, result, properties: pairs.collect() })
}

/// Every `word = word`; other words are passed over.
fn pairs(tokens: &[Token]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = tokens;
    while let [first, others @ ..] = rest {
        rest = others;
        if let (Token::Word(name), [Token::Equals, Token::Word(value), after @ ..]) =
            (first, others)
        {
            found.push((name.clone(), value.clone()));
            rest = after;
        }
    }
    found
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    /// Lower case, without quotes.
    Word(String),
    Equals,
}

/// The field cut at its semicolons, without comments; `None` where a quote or a comment does not end: then nobody can say what
/// the server meant.
fn segments(text: &str) -> Option<Vec<Vec<Token>>> {
    let mut all = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => word.get_or_insert_default().push_str(&quoted(&mut letters)?),
            ';' | '=' | '(' => {
                end(&mut all, &mut word);
                match letter {
                    ';' => all.push(Vec::new()),
                    '=' => all.last_mut()?.push(Token::Equals),
                    _ => comment(&mut letters)?,
                }
            }
            ')' => return None,
            letter if letter.is_whitespace() => end(&mut all, &mut word),
            letter => word.get_or_insert_default().extend(letter.to_lowercase()),
        }
    }
    end(&mut all, &mut word);
    Some(all)
}

fn end(all: &mut [Vec<Token>], word: &mut Option<String>) {
    if let (Some(word), Some(segment)) = (word.take(), all.last_mut()) {
        segment.push(Token::Word(word));
    }
}

/// What stands up to the closing quote.
fn quoted(letters: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.extend(letters.next()?.to_lowercase()),
            letter => text.extend(letter.to_lowercase()),
        }
    }
}

/// Passes over a comment, and those in it.
fn comment(letters: &mut std::str::Chars<'_>) -> Option<()> {
    let mut depth = 1;
    while depth > 0 {
        match letters.next()? {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => {
                letters.next()?;
            }
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `authority: method=result property=value …, …`
    fn spelled(field: &str) -> String {
        let raw = format!("Authentication-Results: {field}\r\nFrom: a@b.test\r\n\r\n");
        let Some(results) = evidence(raw.as_bytes()).results else { return "unreadable".into() };
        let findings: Vec<String> = results
            .findings
            .iter()
            .map(|one| {
                let properties: String =
                    one.properties.iter().map(|(key, value)| format!(" {key}={value}")).collect();
                format!("{}={}{properties}", one.method, one.result)
            })
            .collect();
        format!("{}: {}", results.authority.unwrap_or("-".into()), findings.join(", "))
    }

    #[test]
    fn the_fields_of_many_servers_are_read() {
        let cases = [
            // Gmail.
            (
                "mx.google.com;\r\n       dkim=pass header.i=@example.com header.s=20230601 header.b=Xk/Zr+9a;\r\n       \
                 spf=pass (google.com: domain of ana@example.com designates 209.85.220.41 as permitted sender) smtp.mailfrom=ana@example.com;\r\n       \
                 dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=example.com;\r\n       dara=pass header.i=@example.com",
                "mx.google.com: dkim=pass header.i=@example.com header.s=20230601 header.b=xk/zr+9a, spf=pass smtp.mailfrom=ana@example.com, \
                 dmarc=pass header.from=example.com, dara=pass header.i=@example.com",
            ),
            // Exchange Online.
            (
                "spf=pass (sender IP is 209.85.221.46)\r\n smtp.mailfrom=example.com; dkim=pass (signature was verified)\r\n \
                 header.d=example.com;dmarc=pass action=none header.from=example.com;compauth=pass reason=100",
                "-: spf=pass smtp.mailfrom=example.com, dkim=pass header.d=example.com, \
                 dmarc=pass action=none header.from=example.com, compauth=pass reason=100",
            ),
            // OpenDMARC; OpenDKIM with a version, a key's size, and a signature that ends with `=`.
            (
                "mail.example.org; dmarc=pass (p=reject dis=none) header.from=example.com",
                "mail.example.org: dmarc=pass header.from=example.com",
            ),
            (
                "Mail.Example.ORG 1;\r\n\tdkim/1=pass (2048-bit key; unprotected) header.d=example.com header.i=@example.com header.a=rsa-sha256 header.s=s1 header.b=Ab3dEf==; dkim-atps=neutral",
                "mail.example.org: dkim=pass header.d=example.com header.i=@example.com header.a=rsa-sha256 header.s=s1 header.b=ab3def, dkim-atps=neutral",
            ),
            // rspamd.
            (
                "mx.example.org;\r\n\tdkim=pass header.d=example.com header.s=dkim header.b=\"k/1=;x\";\r\n\tspf=pass (mx.example.org: domain of \"ana@example.com\" designates 192.0.2.1 as permitted sender) smtp.mailfrom=ana@example.com;\r\n\tdmarc=pass (policy=quarantine) header.from=example.com",
                "mx.example.org: dkim=pass header.d=example.com header.s=dkim header.b=k/1=;x, spf=pass smtp.mailfrom=ana@example.com, dmarc=pass header.from=example.com",
            ),
            // RFC 8601, appendix B.2 and B.6; blanks and comments wherever they may be.
            ("example.org 1; none", "example.org: "),
            (
                "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462",
                "foo.example.net: 1=fail expired=1362471462",
            ),
            (
                "example.com; auth=pass (cram-md5) smtp.auth=\"sender@example.net\"; spf = pass smtp.mailfrom=example.net",
                "example.com: auth=pass smtp.auth=sender@example.net, spf=pass smtp.mailfrom=example.net",
            ),
            // What a sender wrote into a comment or a quoted local part says nothing.
            (
                "example.org; spf=fail (of x \\) dmarc=pass; dmarc=pass header.from=example.com) smtp.mailfrom=\"a; dmarc=pass header.from=example.com\"@evil.test",
                "example.org: spf=fail smtp.mailfrom=a; dmarc=pass header.from=example.com@evil.test",
            ),
            (
                "example.org; spf=pass (of x) y) smtp.mailfrom=evil.test; dmarc=pass header.from=example.com",
                "unreadable",
            ),
            ("example.org; spf=fail smtp.mailfrom=\"x; dmarc=pass", "unreadable"),
            ("example.org; dkim=fail (x", "unreadable"),
            ("", "unreadable"),
        ];
        for (field, expected) in cases {
            assert_eq!(spelled(field), expected, "{field}");
        }
    }

    #[test]
    fn only_the_topmost_field_counts() {
        let raw = b"Authentication-Results: mx.example.org; dmarc=fail header.from=example.com\r\nReceived: from x\r\n\
            Authentication-Results: mx.example.org; dmarc=pass header.from=example.com\r\nFrom: Ana <Ana@Example.com>\r\n\
            From: ben@example.com\r\nSender: cleo@example.com\r\n\r\nAuthentication-Results: x; dmarc=pass\r\n";
        let found = evidence(raw);
        assert_eq!(found.results.unwrap().findings[0].result, "fail");
        assert_eq!(found.from, ["ana@example.com", "ben@example.com"]);
        assert_eq!(found.sender, ["cleo@example.com"]);
        assert!(!found.exchange_internal);
    }

    #[test]
    fn exchange_says_who_logged_in() {
        let said = |fields: &str| {
            evidence(format!("{fields}From: a@b.test\r\n\r\n").as_bytes()).exchange_internal
        };
        assert!(said("X-MS-Exchange-Organization-AuthAs: Internal\r\n"));
        assert!(!said("X-MS-Exchange-Organization-AuthAs: Anonymous\r\n"));
        let both = "X-MS-Exchange-Organization-AuthAs: Anonymous\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\n";
        assert!(!said(both));
        assert!(!said("X-MS-Exchange-CrossTenant-AuthAs: Internal\r\n"));
    }
}
