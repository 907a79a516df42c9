//! Runs of words as numbers, so that two texts can be compared without keeping either.
//!
//! A run is eight words, whatever stands between them; in writing without spaces it is as many letters as eight words have.
//! Each run becomes a number under the installation's own key, so the numbers tell nothing to who has only them. Everything
//! takes time in proportion to the text. Start with [`Shingles::of`]; [`first_leak`] compares.

use super::proof::Key;

/// How much a run weighs: eight words.
const RUN: u32 = 8 * WORD;
/// What a word weighs.
const WORD: u32 = 4;
/// What a letter weighs where one or two of them are a word: Han, Kana.
const IDEOGRAPH: u32 = 2;
/// What a letter weighs where words are spelled out, without spaces between them: Thai and its neighbours.
const UNSPACED: u32 = 1;
/// How many letters of the lightest sort are a run.
const UNSPACED_RUN: usize = (RUN / UNSPACED) as usize;
/// How many words or letters of a text are looked at.
const TOKENS_MAX: usize = 200_000;
/// How many bytes of a run's number are kept: two runs that differ are taken for each other once in a million million.
const KEPT_BYTES: usize = 5;
/// A prime, 2^61 - 1: numbers below it are multiplied without being taken for each other too often.
const PRIME: u64 = (1 << 61) - 1;

/// The runs of a text, in ascending order, each once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shingles(Vec<u64>);

impl Shingles {
    /// The runs of `text`, the first `most` of them.
    pub fn of(text: &str, key: &Key, most: usize) -> Shingles {
        let mut found = Vec::new();
        // No more words are looked at than are needed for so many runs.
        runs(text, key, most.saturating_add(UNSPACED_RUN), |number, _| {
            found.push(number);
            found.len() < most
        });
        found.sort_unstable();
        found.dedup();
        Shingles(found)
    }

    fn contains(&self, number: u64) -> bool {
        self.0.binary_search(&number).is_ok()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the runs of another text.
    pub fn extend(&mut self, other: Shingles) {
        self.0.extend(other.0);
        // Two ascending rows, one behind the other, which a stable sort merges.
        self.0.sort();
        self.0.dedup();
    }

    /// The form in which they are kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.to_le_bytes().into_iter().take(KEPT_BYTES)).collect()
    }

    /// What was kept.
    pub fn from_bytes(bytes: &[u8]) -> Shingles {
        let (numbers, _) = bytes.as_chunks::<KEPT_BYTES>();
        let number = |kept: &[u8; KEPT_BYTES]| {
            kept.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        Shingles(numbers.iter().map(number).collect())
    }
}

/// The first run of `text` that is among what was written inside and not among what is known outside.
pub fn first_leak<'t>(
    text: &'t str,
    key: &Key,
    inside: &Shingles,
    outside: &Shingles,
) -> Option<&'t str> {
    let mut leak = None;
    runs(text, key, TOKENS_MAX, |number, run| {
        if inside.contains(number) && !outside.contains(number) {
            leak = text.get(run.0..run.1);
        }
        leak.is_none()
    });
    leak
}

/// A word, or a letter of a script without spaces.
struct Token {
    start: usize,
    end: usize,
    weight: u32,
    number: u64,
}

/// Hands each run to `see`, with where it begins and ends, until that says no.
fn runs(text: &str, key: &Key, most: usize, mut see: impl FnMut(u64, (usize, usize)) -> bool) {
    let tokens = tokens(text, key.number("words"), most.min(TOKENS_MAX));
    let base = key.number("runs") % PRIME;
    // The number of all tokens before a place, and the base to the power of that place: a run is the difference of two.
    let (mut sums, mut powers) = (vec![0], vec![1]);
    let (mut sum, mut power) = (0, 1);
    for token in &tokens {
        sum = (product(sum, base) + token.number) % PRIME;
        power = product(power, base);
        sums.push(sum);
        powers.push(power);
    }
    let (mut first, mut weight) = (0, 0);
    for (last, token) in tokens.iter().enumerate() {
        weight += token.weight;
        // The shortest run that ends here.
        while let Some(begin) = tokens.get(first).filter(|begin| RUN + begin.weight <= weight) {
            weight -= begin.weight;
            first += 1;
        }
        let (Some(before), Some(sum), Some(power), Some(begin)) =
            (sums.get(first), sums.get(last + 1), powers.get(last + 1 - first), tokens.get(first))
        else {
            return;
        };
        let run = (sum + PRIME - product(*before, *power)) % PRIME % (1 << (8 * KEPT_BYTES));
        if RUN <= weight && !see(run, (begin.start, token.end)) {
            return;
        }
    }
}

fn product(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other) % u128::from(PRIME);
    u64::try_from(product).unwrap_or_default()
}

/// The words of a text, in lower case, as numbers.
fn tokens(text: &str, seed: u64, most: usize) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut word: Option<Token> = None;
    for (at, letter) in text.char_indices() {
        let end = at + letter.len_utf8();
        let weight = weight(letter);
        match weight {
            Weight::Nothing => continue,
            Weight::Between => tokens.extend(word.take()),
            Weight::Alone(weight) => {
                tokens.extend(word.take());
                tokens.push(Token { start: at, end, weight, number: mixed(seed, letter) });
            }
            Weight::InWord => {
                let begun = Token { start: at, end, weight: WORD, number: seed };
                let word = word.get_or_insert(begun);
                word.end = end;
                word.number = letter.to_lowercase().fold(word.number, mixed);
            }
        }
        if tokens.len() >= most {
            break;
        }
    }
    tokens.extend(word);
    for token in &mut tokens {
        token.number = token.number % (PRIME - 1) + 1;
    }
    tokens
}

/// FNV-1a, a letter at a time.
fn mixed(number: u64, letter: char) -> u64 {
    (number ^ u64::from(u32::from(letter))).wrapping_mul(0x0100_0000_01b3)
}

enum Weight {
    /// Seen by nobody, or part of a word that reads the same without it.
    Nothing,
    /// Ends a word.
    Between,
    /// A letter of a word.
    InWord,
    /// A letter that counts by itself.
    Alone(u32),
}

fn weight(letter: char) -> Weight {
    match letter {
        // Apostrophes, soft hyphen, joiners, and the signs that join letters in the scripts of India.
        '\'' | '\u{2019}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {
            Weight::Nothing
        }
        '\u{94d}' | '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}'
        | '\u{ccd}' | '\u{d4d}' | '\u{dca}' => Weight::Nothing,
        // Accents that stand by themselves; Arabic and Hebrew vowels.
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' => Weight::Nothing,
        // Thai, Lao, Myanmar, Khmer.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
            if letter.is_alphanumeric() =>
        {
            Weight::Alone(UNSPACED)
        }
        // Kana, and Han with its extensions.
        '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
            if letter.is_alphanumeric() =>
        {
            Weight::Alone(IDEOGRAPH)
        }
        letter if letter.is_alphanumeric() => Weight::InWord,
        _ => Weight::Between,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leak<'t>(text: &'t str, inside: &str, outside: &str) -> Option<&'t str> {
        let key = Key::new(b"test");
        let kept =
            |text: &str| Shingles::from_bytes(&Shingles::of(text, &key, usize::MAX).to_bytes());
        first_leak(text, &key, &kept(inside), &kept(outside))
    }

    const NOTE: &str = "He pays late every time, so do not offer him a discount before March.";

    #[test]
    fn eight_words_of_a_note_are_found_wherever_they_stand() {
        let found =
            leak("Dear Carla, he pays late\n> every TIME; so do-not offer it. Ana", NOTE, "");
        assert_eq!(found, Some("he pays late\n> every TIME; so do-not"));
        let seven = "He pays late every time, so do it.";
        assert_eq!(leak(seven, NOTE, ""), None);
        assert_eq!(leak("", NOTE, ""), None);
        assert_eq!(leak(NOTE, "", ""), None);
    }

    #[test]
    fn what_the_customer_wrote_or_knows_is_no_leak() {
        let customer = "The kettle that I bought in May leaks at the bottom since Monday.";
        let forward = format!("See below, and be quick about it please, Ben.\n{customer}");
        assert_eq!(leak(&format!("You wrote: {customer}"), &forward, customer), None);
        assert!(leak(&forward, &forward, customer).is_some());
        // Where the two meet, a run of both is neither's.
        let joined = "quick about it please, Ben. The kettle that";
        assert!(leak(joined, &forward, customer).is_some());
    }

    #[test]
    fn every_script_has_its_runs() {
        for note in [
            "Bitte nichts zusagen, bevor die Rechtsabteilung den Vertrag geprüft hat",
            "Не обещайте ему ничего, пока юристы не проверили весь этот договор",
            "このお客様には値引きをしないでください、支払いがいつも遅れています",
            "请不要在三月之前给他任何折扣因为他总是拖欠我们的货款",
            "อย่าเสนอส่วนลดให้ลูกค้ารายนี้ก่อนเดือนมีนาคมเพราะเขาจ่ายช้า",
            "결제가 항상 늦으니 삼월 전에는 절대로 할인을 약속하지 말아 주세요",
            "لا تعده بأي خصم قبل شهر مارس لأنه يدفع دائما متأخرا جدا",
            "मार्च से पहले उसे कोई छूट मत देना क्योंकि वह हमेशा देर से भुगतान करता है",
            "אל תציעו לו שום הנחה לפני חודש מרץ כי הוא תמיד משלם באיחור",
            "Μην του υποσχεθείτε τίποτα πριν ελέγξουν οι νομικοί όλη τη σύμβαση",
        ] {
            assert!(leak(&format!("Hello! {note} Bye."), note, "").is_some(), "{note}");
            let half: String = note.chars().take(note.chars().count() / 4).collect();
            assert_eq!(leak(&half, note, ""), None, "{half}");
        }
        assert!(
            leak(
                "DON’T tell him that a part is on its way",
                "don't tell him that a part is on",
                ""
            )
            .is_some()
        );
    }

    #[test]
    fn runs_depend_on_the_words_alone_and_on_the_key() {
        let (key, other) = (Key::new(b"one"), Key::new(b"two"));
        let runs = |text: &str, key: &Key| Shingles::of(text, key, usize::MAX);
        assert_eq!(runs(NOTE, &key), runs(&NOTE.to_uppercase().replace(' ', "\n"), &key));
        assert_ne!(runs(NOTE, &key), runs(NOTE, &other));
        assert_eq!(runs(NOTE, &key).0.len(), 7);
        assert_eq!(Shingles::of(NOTE, &key, 3).0.len(), 3);
        assert!(runs("seven words are not enough for one", &key).is_empty());
    }

    #[test]
    fn of_a_very_long_text_the_beginning_counts() {
        let long = "so much to say about one kettle and its lid ".repeat(100_000);
        assert_eq!(Shingles::of(&long, &Key::default(), usize::MAX).0.len(), 10);
    }
}
