//! Sets of sequence numbers or UIDs: `1,3:5,7:*`.

use std::fmt::Write as _;

use super::cursor::{Cursor, Parsed, Unparsable};

/// A set as the client wrote it; `None` is `*`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Set(Vec<(Option<u32>, Option<u32>)>);

impl Set {
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Parsed<Set> {
        let mut ranges = Vec::new();
        loop {
            let from = number(cursor)?;
            let to = if cursor.eat(":") { number(cursor)? } else { from };
            ranges.push((from, to));
            if !cursor.eat(",") {
                return Ok(Set(ranges));
            }
        }
    }

    /// Whether the number is in the set when `largest` is the largest there is.
    pub(crate) fn contains(&self, number: u32, largest: u32) -> bool {
        self.0.iter().any(|(from, to)| {
            let (from, to) = (from.unwrap_or(largest), to.unwrap_or(largest));
            (from.min(to)..=from.max(to)).contains(&number)
        })
    }
}

fn number(cursor: &mut Cursor<'_>) -> Parsed<Option<u32>> {
    if cursor.eat("*") {
        return Ok(None);
    }
    let number = u32::try_from(cursor.number()?).map_err(|_| Unparsable)?;
    if number == 0 { Err(Unparsable) } else { Ok(Some(number)) }
}

/// Numbers in their shortest form, in the order they come: `4:6,2`.
pub(crate) fn compact(numbers: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, to)) if *to + 1 == *number => *to = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let mut text = String::new();
    for (from, to) in ranges {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = match from == to {
            true => write!(text, "{comma}{from}"),
            false => write!(text, "{comma}{from}:{to}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_its_numbers() {
        let set = Set::parse(&mut Cursor::new(b"2,4:6,9:*")).unwrap();
        let inside: Vec<u32> = (1..=12).filter(|number| set.contains(*number, 10)).collect();
        assert_eq!(inside, [2, 4, 5, 6, 9, 10]);
        assert_eq!(compact(&inside), "2,4:6,9:10");
        // RFC 3501: `*` is in the set even where the range starts beyond it.
        assert!(Set::parse(&mut Cursor::new(b"30:*")).unwrap().contains(10, 10));
        assert_eq!(Set::parse(&mut Cursor::new(b"0")), Err(Unparsable));
    }
}
