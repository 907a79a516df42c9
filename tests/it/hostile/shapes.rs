//! Mails that are one thing over and over: the shapes at which readers of mail become slow.

/// Pieces that a text may consist of.
const TEXTS: [(&str, &str); 31] = [
    ("letters", "a"),
    ("spaces", " "),
    ("empty lines", "\r\n"),
    ("bare CR", "\r"),
    ("zeros", "\0"),
    ("short lines", "a\r\n"),
    ("quote marks", ">"),
    ("lines of quote marks", "> > >\r\n"),
    ("signatures", "-- \r\n"),
    ("dashes", "-"),
    ("underscores", "_"),
    ("lines of dashes", "-----\r\n"),
    ("attributions", "On Mon, 1 Jan 2026 at 10:00, A B <a@b.example> wrote:\r\n"),
    ("beginnings of attributions", "On Mon, 1 Jan 2026 \r\n"),
    ("words of attributions", "wrote:\r\n"),
    ("original messages", "-----Original Message-----\r\n"),
    ("forwards", "---------- Forwarded message ---------\r\nFrom: a <a@b>\r\n\r\n"),
    ("blocks of headings", "From: a@b.example\r\nSent: Monday\r\nTo: c\r\nSubject: d\r\n"),
    ("headings", "From: a@b.example\r\n"),
    ("headings that go on", "From:\r\n"),
    ("devices", "Sent from my iPhone\r\n"),
    ("thanks", "Thank you! "),
    ("addresses", "a@b.example "),
    ("at signs", "@"),
    ("codes", "5.1.1 "),
    ("numbers", "550 "),
    (
        "recipients",
        "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n",
    ),
    ("bounced addresses", "<a@b.example>: host c said: 550 no such user\r\n"),
    ("angles", "<"),
    ("combining marks", "\u{301}"),
    ("dotted capitals", "İ"),
];

/// Pieces that an HTML part may consist of.
const TAGS: [(&str, &str); 24] = [
    ("div", "<div>"),
    ("td", "<td>"),
    ("tr", "<tr><td>x"),
    ("tables", "<table><tr><td>"),
    ("closed divs", "</div>"),
    ("br", "<br>"),
    ("li", "<li>"),
    ("lists", "<ul><li>"),
    ("p", "<p>"),
    ("blockquotes", "<blockquote>"),
    ("quoted x", "<blockquote>x"),
    ("closed blockquotes", "</blockquote>"),
    ("comments", "<!--"),
    ("closed comments", "<!---->"),
    ("scripts", "<script>"),
    ("styles", "<style></style>"),
    ("open tags", "<a"),
    ("attributes", "<a b=\"c\" "),
    ("open quotes", "<a b=\""),
    ("ampersands", "&"),
    ("references", "&amp;&#65;&#x42;"),
    ("long references", "&aaaaaaaaaaaaaaaaaaaa"),
    ("gmail", "<div class=\"gmail_quote\"><div class=\"gmail_attr\">x</div>"),
    ("outlook", "<div id=\"divRplyFwdMsg\"><hr>"),
];

/// Pieces that a header may consist of; the piece before, and what is repeated.
const HEADERS: [(&str, &str, &str); 27] = [
    ("fields", "", "a:\r\n"),
    ("fields without end", "", "a:"),
    ("lines that are no fields", "", "a\r\n"),
    ("folds", "Subject: x", "\r\n x"),
    ("encoded words", "Subject: ", "=?utf-8?b?YQ==?= "),
    ("begun encoded words", "Subject: ", "=?utf-8?q?"),
    ("question marks", "Subject: =?", "?"),
    ("answers", "Subject: ", "Re: "),
    ("tags", "Subject: ", "[x] "),
    ("brackets", "Subject: ", "["),
    ("references", "References:", " <a@b>"),
    ("different references", "References:", " <0123456789012345@b.example>\r\n"),
    ("open angles", "References: ", "<"),
    ("comments", "References: ", "("),
    ("addresses", "To: ", "a@b.example, "),
    ("names", "To: ", "\"a\" <a@b>, "),
    ("open names", "To: ", "\"a, "),
    ("groups", "To: ", "g: "),
    ("closed groups", "To: ", "g:;,"),
    ("nested comments", "From: a@b ", "(a "),
    ("backslashes", "From: \"", "\\"),
    ("senders", "", "From: a@b.example\r\n"),
    ("ids", "", "Message-ID: <a@b>\r\n"),
    ("parameters", "Content-Type: text/plain", "; a=b"),
    ("continued parameters", "Content-Type: text/plain", "; a*0*=utf-8''%41"),
    ("received", "", "Received: from a by b; Mon, 1 Jan 2026 10:00:00 +0000\r\n"),
    ("dates", "Date: ", "Mon, "),
];

/// Pieces that parts may consist of.
const PARTS: [(&str, &str); 9] = [
    ("boundaries", "--x\r\n"),
    ("boundaries and ends", "--x\r\n\r\n--x--\r\n"),
    ("parts", "--x\r\n\r\na\r\n"),
    ("nested parts", "--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"),
    (
        "nested alternatives",
        "--x\r\nContent-Type: multipart/alternative; boundary=\"y\"\r\n\r\n--y\r\n",
    ),
    ("attached mails", "--x\r\nContent-Type: message/rfc822\r\n\r\n"),
    (
        "reports",
        "--x\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b\r\n\r\n",
    ),
    ("attachments", "--x\r\nContent-Disposition: attachment; filename=a\r\n\r\na\r\n"),
    ("parts in base64", "--x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n"),
];

fn filled(before: &str, piece: &str, after: &str, bytes: usize) -> Vec<u8> {
    let mut raw = before.as_bytes().to_vec();
    raw.extend_from_slice(piece.repeat(bytes / piece.len()).as_bytes());
    raw.extend_from_slice(after.as_bytes());
    raw
}

const PLAIN: &str = "From: a@b.example\r\nTo: c@d.example\r\n";

/// Every shape, of about so many bytes, one after the other.
pub(super) fn all(bytes: usize) -> impl Iterator<Item = (String, Vec<u8>)> {
    let subjects =
        [("", "mail"), ("Subject: Re: x\r\n", "answer"), ("Subject: Fwd: x\r\n", "forward")];
    let reports = "Subject: Undelivered Mail Returned to Sender\r\n";
    let texts = TEXTS.into_iter().flat_map(move |(name, piece)| {
        let with = |(subject, of): (&str, &str)| {
            let before = format!("{PLAIN}{subject}\r\n");
            (format!("{name} in a plain {of}"), filled(&before, piece, "", bytes))
        };
        subjects.into_iter().chain([(reports, "report")]).map(with).collect::<Vec<_>>()
    });
    let tags = TAGS.into_iter().chain(TEXTS).flat_map(move |(name, piece)| {
        let with = |(subject, of): (&str, &str)| {
            let before = format!("{PLAIN}{subject}Content-Type: text/html; charset=utf-8\r\n\r\n");
            (format!("{name} in an HTML {of}"), filled(&before, piece, "", bytes))
        };
        subjects.map(with)
    });
    let headers = HEADERS.into_iter().map(move |(name, before, piece)| {
        let before = format!("{PLAIN}{before}");
        (format!("{name} in the header"), filled(&before, piece, "\r\n\r\ntext\r\n", bytes))
    });
    let parts = PARTS.into_iter().map(move |(name, piece)| {
        let before = format!("{PLAIN}Content-Type: multipart/mixed; boundary=x\r\n\r\n");
        (format!("{name} in a multipart"), filled(&before, piece, "", bytes))
    });
    let encoded = [
        ("base64", "YQ"),
        ("base64", "Y Q\r\n"),
        ("quoted-printable", "="),
        ("quoted-printable", "=C3"),
    ];
    let encoded = encoded.into_iter().map(move |(how, piece)| {
        let before = format!("{PLAIN}Content-Transfer-Encoding: {how}\r\n\r\n");
        (format!("{how} of {piece:?}"), filled(&before, piece, "", bytes))
    });
    let charsets = ["utf-7", "utf-16", "iso-2022-jp", "gb18030", "shift_jis", "no-such-charset"];
    let charsets = charsets.into_iter().flat_map(move |charset| {
        ["\u{1b}$B", "+", "+A", "\u{e9}"].map(|piece| {
            let before = format!("{PLAIN}Content-Type: text/plain; charset={charset}\r\n\r\n");
            (format!("{piece:?} in {charset}"), filled(&before, piece, "", bytes))
        })
    });
    let bare = [("letters", "a"), ("line ends", "\r\n"), ("colons", ":"), ("fields", "a: b\r\n")];
    let bare =
        bare.map(|(name, piece)| (format!("nothing but {name}"), filled("", piece, "", bytes)));
    texts.chain(tags).chain(headers).chain(parts).chain(encoded).chain(charsets).chain(bare)
}
