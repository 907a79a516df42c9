//! Who handed a mail to its server, where servers and clients leave word of that: an address, or a name of an account.
//!
//! Postfix, Courier and sendmail name the account in the `Received` of a submission, others in fields of their own. Exchange's Send As leaves nothing (U7). All of it can be
//! written by anybody, so it is worth something only in a mail that lies in the mailbox's own Sent.

use super::header::{self, Fields};
use super::words;

/// Fields that hold the account or the address.
const FIELDS: [&str; 4] =
    ["x-authenticated-sender", "x-authenticated-user", "x-authenticated-id", "x-auth-id"];
/// What stands before the account in a `Received` line.
const MARKS: [&str; 4] = ["(authenticated sender: ", "(authenticated as ", "(auth: ", "(user="];
/// How many names are kept.
const NAMES_MAX: usize = 10;

/// The accounts and addresses, in the order in which they are found.
pub(super) fn submitters(fields: &Fields) -> Vec<String> {
    let mut names = Vec::new();
    for field in FIELDS {
        for value in fields.all(field) {
            let addresses = header::address_list(value);
            let text = words::guess(value);
            match addresses.into_iter().find(|one| one.address.contains('@')) {
                Some(found) => names.push(found.address),
                // Some write `host: account`.
                None => names.extend(text.split_whitespace().next_back().map(str::to_owned)),
            }
        }
    }
    names.extend(fields.all("received").filter_map(account));
    names.truncate(NAMES_MAX);
    names
}

/// `with ESMTPSA … (Authenticated sender: ana@example.org)`; Courier writes `(AUTH: LOGIN ana@example.org)`.
fn account(received: &[u8]) -> Option<String> {
    let line = words::guess(received).to_lowercase();
    let (at, mark) = MARKS.iter().find_map(|mark| Some((line.find(mark)?, mark)))?;
    let rest = line.get(at + mark.len()..)?;
    let (inside, _) = rest.split_once(')')?;
    let mut words = inside.split([' ', ',']).filter(|word| !word.is_empty());
    let name = if *mark == "(auth: " { words.next_back() } else { words.next() };
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_handed_it_in_is_named_in_many_ways() {
        let cases = [
            ("X-Authenticated-Sender: mail.example.test: ana@example.test", "ana@example.test"),
            ("X-Authenticated-User: ana", "ana"),
            (
                "Received: from laptop (unknown [192.0.2.1])\r\n\t(Authenticated sender: ana@example.test)\r\n\tby mx with ESMTPSA id 1",
                "ana@example.test",
            ),
            (
                "Received: from x ([::1]) (AUTH: LOGIN ana@example.test) by mx with ESMTPSA",
                "ana@example.test",
            ),
            ("Received: from x (user=ana mech=PLAIN bits=0) by mx", "ana"),
        ];
        for (head, expected) in cases {
            let fields = Fields::read(format!("{head}\r\n\r\n").as_bytes());
            assert_eq!(submitters(&fields), [expected], "{head}");
        }
        let fields = Fields::read(b"Received: from a by b with ESMTPS id 1\r\n\r\n");
        assert!(submitters(&fields).is_empty());
    }
}
