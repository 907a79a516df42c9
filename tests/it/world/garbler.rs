//! Damage to a stream of bytes, as a broken server or a broken line would do it: the same for the same seed.

/// What means something in IMAP, and therefore does the most harm in the wrong place.
const LOADED: &[u8] = b"(){}[]<>\"\\ *+.,:-0123456789ABnN\r\n\0\xff";
/// The longest stretch that is lost or comes twice.
const STRETCH_MAX: usize = 24;

/// Damages about one byte of so many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Garbler {
    state: u64,
    one_in: usize,
    /// How much damage was done.
    pub(crate) done: usize,
}

impl Garbler {
    pub(crate) fn new(seed: u64, one_in: usize) -> Garbler {
        Garbler { state: seed | 1, one_in, done: 0 }
    }

    /// A number below `end` (xorshift).
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % end.max(1) as u64).unwrap()
    }

    pub(super) fn garble(&mut self, bytes: &mut Vec<u8>) {
        let mut at = self.below(2 * self.one_in);
        while at < bytes.len() {
            self.damage(bytes, at);
            self.done += 1;
            at += 1 + self.below(2 * self.one_in);
        }
    }

    fn damage(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let end = (at + 1 + self.below(STRETCH_MAX)).min(bytes.len());
        match self.below(6) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = LOADED[self.below(LOADED.len())],
            2 => bytes.insert(at, LOADED[self.below(LOADED.len())]),
            3 => drop(bytes.remove(at)),
            4 => drop(bytes.drain(at..end)),
            _ => {
                let stretch = bytes[at..end].to_vec();
                bytes.splice(at..at, stretch);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_damages_about_as_much_as_it_is_told_and_the_same_for_the_same_seed() {
        let garbled = |seed| {
            let (mut garbler, mut bytes) = (Garbler::new(seed, 100), vec![b'x'; 10_000]);
            garbler.garble(&mut bytes);
            (garbler.done, bytes)
        };
        let (done, bytes) = garbled(7);
        assert!((50..200).contains(&done), "{done}");
        assert_eq!(garbled(7).1, bytes);
        assert_ne!(garbled(8).1, bytes);
    }
}
