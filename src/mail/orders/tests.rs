//! What mail programs write, and what is left of it.

use super::*;
use crate::mail::parse::parse;

fn found(raw: &str) -> Top {
    top(raw.as_bytes(), &parse(raw.as_bytes()))
}

fn plain(text: &str) -> String {
    format!("From: a@b\r\nIn-Reply-To: <x@y>\r\nContent-Type: text/plain\r\n\r\n{text}")
}

/// The lines, what is left of the body, and whether more is said.
#[track_caller]
fn orders(raw: &str) -> (Vec<String>, String, bool) {
    match found(raw) {
        Top::Orders { lines, rest, says_more } => {
            let rest = String::from_utf8(rest).unwrap();
            let (_, body) = rest.split_once("\r\n\r\n").unwrap();
            (lines, body.to_owned(), says_more)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_at_the_top_are_taken_out_of_plain_text() {
    let cases: [(&str, &[&str], &str, bool); 8] = [
        ("#claim\r\n\r\nHello\r\n", &["#claim"], "Hello\r\n", true),
        ("\r\n#Claim \r\nHello", &["#Claim"], "Hello", true),
        ("#claim", &["#claim"], "", false),
        ("#claim\r\n#block  parts\r\n\r\n\r\nHi\r\n", &["#claim", "#block parts"], "Hi\r\n", true),
        ("#wait\r\n\r\n#resolve\r\nHi", &["#wait", "#resolve"], "Hi", true),
        (
            "#wait\r\n\r\nOn 3 Nov 2026, Ana wrote:\r\n> #old\r\n> text",
            &["#wait"],
            "On 3 Nov 2026, Ana wrote:\r\n> #old\r\n> text",
            false,
        ),
        ("#wait\r\n-- \r\nAna", &["#wait"], "-- \r\nAna", false),
        (
            "#wait\r\n\r\nVon: Ana\r\nGesendet: x\r\nAn: y\r\nBetreff: z\r\n\r\nalt",
            &["#wait"],
            "Von: Ana\r\nGesendet: x\r\nAn: y\r\nBetreff: z\r\n\r\nalt",
            false,
        ),
    ];
    for (text, lines, rest, more) in cases {
        assert_eq!(
            orders(&plain(text)),
            (lines.iter().map(|line| (*line).into()).collect(), rest.into(), more),
            "{text}"
        );
    }
}

#[test]
fn a_hash_that_is_no_word_is_text() {
    for text in
        ["#4812 is fixed", "# heading", "#1", "#", "see #claim", "Hello\r\n#claim", "", "##x"]
    {
        assert_eq!(found(&plain(text)), Top::Text, "{text}");
    }
}

fn both(plain: &str, html: &str) -> String {
    format!(
        "From: a@b\r\nIn-Reply-To: <x@y>\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{plain}\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{html}\r\n--b--\r\n"
    )
}

/// As Gmail, Apple Mail, Outlook and Thunderbird write them.
#[test]
fn lines_are_taken_out_of_html_as_well() {
    let gmail = "<div dir=3D\"ltr\">#claim<div><br></div><div>We send it =E2=82=AC.</div></div>";
    let apple = "<html><head><meta charset=3D\"utf-8\"></head><body style=3D\"a\">#claim<div><br></div><div>We send it =E2=82=AC.</div></body></html>";
    let outlook = "<html><head><style><!-- p {a:b} --></style><!--[if gte mso 9]><xml>x</xml><![endif]--></head>\r\n<body lang=3DDE>\r\n<div class=3D\"WordSection1\">\r\n<p class=3DMsoNormal><b>#claim</b><o:p></o:p></p>\r\n<p class=3DMsoNormal><o:p>&nbsp;</o:p></p>\r\n<p class=3DMsoNormal>We send it =E2=82=AC.<o:p></o:p></p></div></body></html>";
    let thunderbird =
        "<html><body><p>#claim<br>\r\n    </p><p>We send it =E2=82=AC.</p></body></html>";
    for html in [gmail, apple, outlook, thunderbird] {
        let (lines, rest, more) = orders(&both("#claim\r\n\r\nWe send it \u{20ac}.", html));
        assert_eq!((lines.len(), more), (1, true));
        assert!(!rest.contains("#claim") && !rest.contains("<br>"), "{rest}");
        assert_eq!(rest.matches("We send it").count(), 2, "{rest}");
        assert!(rest.contains("We send it =E2=82=AC."), "{rest}");
        assert!(rest.lines().all(|line| line.len() <= 76 || html.contains(line)), "{rest}");
        let only = html.replace("We send it =E2=82=AC.", "");
        let (_, rest, more) = orders(&both("#claim\r\n", &only));
        assert!(!more && !rest.contains("#claim"), "{rest}");
    }
}

#[test]
fn coded_text_stays_coded() {
    let coded = STANDARD("#resolve\r\n\r\nGrüße\r\n");
    let raw = format!(
        "From: a@b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}"
    );
    let (lines, rest, _) = orders(&raw);
    assert_eq!(lines, ["#resolve"]);
    assert_eq!(rest, format!("{}\r\n", STANDARD("Grüße\r\n")));
    let raw = "From: a@b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n#block wait=\r\ning\r\nGr=C3=BC=C3=9Fe =\r\nAna";
    let (lines, rest, _) = orders(raw);
    assert_eq!(
        (lines, rest.as_str()),
        (vec!["#block waiting".to_owned()], "Gr=C3=BC=C3=9Fe =\r\nAna")
    );
}

#[expect(non_snake_case, reason = "stands for the alphabet of that name")]
fn STANDARD(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn a_long_line_is_whole_where_its_end_is_known() {
    let long = "#block waiting for the parts that the supplier promised for last ";
    let flowed = format!(
        "From: a@b\r\nContent-Type: text/plain; format=flowed\r\n\r\n{long}\r\nTuesday\r\nHello"
    );
    let (lines, rest, _) = orders(&flowed);
    assert_eq!((lines[0].ends_with("last Tuesday"), rest.as_str()), (true, "Hello"));
    let stuck = |raw: &str| match found(raw) {
        Top::Stuck { why, .. } => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(stuck(&plain(&format!("{long}\r\nTuesday\r\nHello"))), Stuck::Long);
    assert_eq!(orders(&plain(&format!("{long}\r\n\r\nHello"))).1, "Hello");
}

#[test]
fn what_cannot_be_taken_out_safely_is_stuck() {
    let stuck = |raw: &str| match found(raw) {
        Top::Stuck { why, lines } => (why, lines.len()),
        other => panic!("{other:?}: {raw}"),
    };
    assert_eq!(stuck(&both("#claim\r\nHi", "<p>Hi</p>")), (Stuck::Form, 1));
    assert_eq!(stuck(&both("Hi", "<p>#claim</p>Hi")), (Stuck::Form, 1));
    assert_eq!(stuck(&both("#claim\r\nHi", "<img src=3Dx>#claim<br>Hi")), (Stuck::Form, 1));
    let signed = plain("#claim\r\nHi").replace(
        "Content-Type: text/plain\r\n\r\n",
        "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\n",
    ) + "\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n";
    assert_eq!(stuck(&signed), (Stuck::Signed, 1));
    let armour = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n#claim\r\nHi\r\n-----BEGIN PGP SIGNATURE-----";
    assert_eq!(stuck(&plain(armour)), (Stuck::Signed, 1));
    // Below a quotation it is no first line, but nobody wants it to leave.
    assert_eq!(stuck(&plain("> old\r\n\r\n#claim\r\nHi")), (Stuck::Form, 1));
}

#[test]
fn files_are_something_to_say() {
    let raw = "From: a@b\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\n#resolve\r\n--m\r\nContent-Disposition: attachment\r\n\r\nx\r\n--m--\r\n";
    let (_, rest, more) = orders(raw);
    assert!(more && !rest.contains("#resolve") && rest.contains("--m\r\n\r\n\r\n--m"), "{rest}");
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_nothing_breaks(text in "(?s)[#a-c<>=;/&\\-\" \r\n]{0,80}", kind in 0..4_usize) {
        let head = ["text/plain", "text/html", "multipart/mixed; boundary=a", "multipart/alternative; boundary=\"a\""];
        let _ = found(&format!("A: b\r\nContent-Type: {}\r\n\r\n{text}", head[kind]));
    }
}
