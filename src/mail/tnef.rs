//! Outlook's `winmail.dat`: TNEF, [MS-OXTNEF]. Only the plain body and the names of what is packed inside.
//!
//! The format: a signature, a key, then attributes of level (1 byte), id (4), length (4), data, checksum (2).

use super::message::Attachment;
use super::words;

const SIGNATURE: u32 = 0x223e_9f78;
const BODY: u32 = 0x0002_800c;
const ATTACH_RENDER: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800f;
/// How many attributes are read.
const ATTRIBUTES_MAX: usize = 10_000;

/// What was packed.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Packed {
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
}

/// Reads as far as the bytes make sense.
pub(super) fn read(bytes: &[u8]) -> Packed {
    let mut packed = Packed::default();
    let Some((head, mut rest)) = bytes.split_at_checked(6) else { return packed };
    if number(head) != Some(SIGNATURE) {
        return packed;
    }
    for _ in 0..ATTRIBUTES_MAX {
        let Some((id, data, after)) = attribute(rest) else { break };
        rest = after;
        let text = || words::guess(data.split(|byte| *byte == 0).next().unwrap_or_default());
        match id {
            BODY => packed.text = text(),
            ATTACH_RENDER => packed.attachments.push(Attachment {
                name: String::new(),
                media_type: "application/octet-stream".to_owned(),
                size: 0,
            }),
            ATTACH_TITLE => packed
                .attachments
                .iter_mut()
                .next_back()
                .into_iter()
                .for_each(|last| last.name = text()),
            ATTACH_DATA => packed
                .attachments
                .iter_mut()
                .next_back()
                .into_iter()
                .for_each(|last| last.size = data.len()),
            _ => {}
        }
    }
    packed
}

fn attribute(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let id = number(bytes.get(1..5)?)?;
    let length = usize::try_from(number(bytes.get(5..9)?)?).ok()?;
    let (data, rest) = bytes.get(9..)?.split_at_checked(length)?;
    Some((id, data, rest.get(2..)?))
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|four| u32::from_le_bytes(*four))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
        let mut out = vec![1];
        out.extend(id.to_le_bytes());
        out.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        out.extend(data);
        out.extend([0, 0]);
        out
    }

    #[test]
    fn body_and_names_come_out() {
        let mut bytes = SIGNATURE.to_le_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(attribute(BODY, b"Hello\0"));
        bytes.extend(attribute(ATTACH_RENDER, b""));
        bytes.extend(attribute(ATTACH_TITLE, b"a.pdf\0"));
        bytes.extend(attribute(ATTACH_DATA, b"12345"));
        let packed = read(&bytes);
        assert_eq!(packed.text, "Hello");
        assert_eq!(
            packed.attachments.first().map(|a| (a.name.as_str(), a.size)),
            Some(("a.pdf", 5))
        );
        bytes.truncate(bytes.len() - 4);
        assert_eq!(read(&bytes).text, "Hello");
        assert_eq!(read(b"no"), Packed::default());
    }
}
