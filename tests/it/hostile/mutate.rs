//! Mails that were damaged on the way, or by somebody.

use std::fs;
use std::path::Path;

use crate::laws::dice::Dice;

/// No damaged mail is longer.
pub(super) const LENGTH_MAX: usize = 100_000;

/// What makes readers of mail take another way.
const PIECES: [&[u8]; 52] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xc3\x28",
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    b"=?utf-8?b?",
    b"=?utf-8?q?=C3=28?=",
    b"=?iso-2022-jp?B?GyRC?=",
    b"=?utf-7?q?+AGE-?=",
    b"?=",
    b"--",
    b"--x\r\n",
    b"--x--\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Type: multipart/alternative; boundary=\"x\"\r\n\r\n--x\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Type: text/html; charset=utf-16\r\n",
    b"Content-Type: text/plain; format=flowed; delsp=yes\r\n",
    b"Content-Type: application/ms-tnef\r\n",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%e2%82; filename*1=x\r\n",
    b"Message-ID: <",
    b"References: <a@b> <c@d>\r\n",
    b"In-Reply-To: (x) <",
    b"From: \"a\\\" <b@c>",
    b"To: g: a@b, c@d;",
    b"Date: Thu, 99 Foo 99999 99:99:99 +9999\r\n",
    b"Auto-Submitted: auto-replied\r\n",
    b"Subject: Re: Fwd: AW: [x] ",
    b"<div><blockquote type=cite>",
    b"</div>",
    b"<td><table><!--",
    b"<a href=\"",
    b"&#x110000;&amp;&nbsp",
    b"<script>",
    b"> > >",
    b"On Mon, 1 Jan 2026 at 10:00, A <a@b> wrote:\r\n",
    b"-----Original Message-----\r\n",
    b"---------- Forwarded message ---------\r\nFrom: ",
    b"\r\n-- \r\n",
    b"________________________________\r\nFrom: a\r\nSent: b\r\nTo: c\r\nSubject: d\r\n",
    b"Sent from my iPhone",
    b"Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n",
    b"begin 644 x\r\n",
    b"((((((((",
    b"\"\"\"\"\"\"\"\"",
];

/// The mails to begin with.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/eml");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The mail of this seed.
pub(super) fn mail(seed: u64, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut raw = dice.pick(seeds).unwrap().clone();
    for _ in 0..1 + dice.below(12) {
        damage(&mut raw, &mut dice, seeds);
        raw.truncate(LENGTH_MAX);
    }
    raw
}

fn place(raw: &[u8], dice: &mut Dice) -> usize {
    // Headers are short and decide much.
    let reach = if dice.chance(50) { raw.len().min(1500) } else { raw.len() };
    dice.below(reach + 1)
}

fn stretch(raw: &[u8], dice: &mut Dice) -> std::ops::Range<usize> {
    let from = place(raw, dice);
    let most = *dice.pick(&[4, 40, 400, 4000]).unwrap();
    from..(from + dice.below(most)).min(raw.len())
}

fn damage(raw: &mut Vec<u8>, dice: &mut Dice, seeds: &[Vec<u8>]) {
    let at = place(raw, dice);
    match dice.weighted(&[10, 10, 30, 10, 15, 10, 5]) {
        0 => {
            if let Some(byte) = raw.get_mut(at) {
                *byte = dice.next() as u8;
            }
        }
        1 => drop(raw.drain(stretch(raw, dice))),
        2 => drop(raw.splice(at..at, dice.pick(&PIECES).unwrap().iter().copied())),
        3 => {
            let other = dice.pick(seeds).unwrap();
            let piece = other[stretch(other, dice)].to_vec();
            raw.splice(at..at, piece);
        }
        4 => {
            let mut piece = dice.pick(&PIECES).unwrap().to_vec();
            if dice.chance(40) {
                piece.extend_from_slice(dice.pick(&PIECES).unwrap());
            }
            let times = *dice.pick(&[3, 30, 300, 3000]).unwrap();
            raw.splice(at..at, piece.repeat(1 + dice.below(times)));
        }
        5 => {
            let piece = raw[stretch(raw, dice)].to_vec();
            let times = *dice.pick(&[2, 20, 200]).unwrap();
            raw.splice(at..at, piece.repeat(1 + dice.below(times)));
        }
        _ => raw.truncate(at),
    }
}
