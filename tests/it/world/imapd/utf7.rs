//! Modified UTF-7, in which folder names travel (RFC 3501, section 5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};

const ENGINE: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

pub(crate) fn encode(name: &str) -> String {
    let mut wire = String::new();
    let mut pending = Vec::new();
    for character in name.chars() {
        if (' '..='~').contains(&character) {
            flush(&mut pending, &mut wire);
            wire.push(character);
            if character == '&' {
                wire.push('-');
            }
        } else {
            let mut units = [0; 2];
            pending.extend(
                character.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()),
            );
        }
    }
    flush(&mut pending, &mut wire);
    wire
}

fn flush(pending: &mut Vec<u8>, wire: &mut String) {
    if !pending.is_empty() {
        wire.push('&');
        wire.push_str(&ENGINE.encode(&*pending));
        wire.push('-');
        pending.clear();
    }
}

/// The name, or nothing if this is no modified UTF-7.
pub(crate) fn decode(wire: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = wire;
    while let Some((plain, shifted)) = rest.split_once('&') {
        name.push_str(plain);
        let (coded, behind) = shifted.split_once('-')?;
        if coded.is_empty() {
            name.push('&');
        } else {
            let bytes = ENGINE.decode(coded).ok()?;
            let units = bytes.chunks(2).map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
            name.push_str(&String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()?);
        }
        rest = behind;
    }
    if !rest.is_ascii() {
        return None;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for (name, wire) in [
            ("Entwürfe", "Entw&APw-rfe"),
            ("R & D", "R &- D"),
            ("台北", "&U,BTFw-"),
            ("[Gmail]/Вся почта", "[Gmail]/&BBIEQQRP- &BD8EPgRHBEIEMA-"),
            ("😀!", "&2D3eAA-!"),
        ] {
            assert_eq!(encode(name), wire);
            assert_eq!(decode(wire).as_deref(), Some(name));
        }
        assert_eq!(decode("a&b"), None);
        assert_eq!(decode("Entwürfe"), None);
    }
}
