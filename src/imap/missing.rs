//! Where messages are missing from a folder, found with few bytes: not by a list of 50,000 UIDs, but by asking who stands
//! at a few places of it and narrowing down.
//!
//! A message's number is its place (RFC 3501, section 2.3.1.2). Where as many are known between two UIDs as there are
//! places between theirs, none is missing. What is found here is only where to look: that a message is gone is said by
//! whoever lists the stretch.

use std::ops::Range;

use super::error::Error;
use super::session::Session;
use super::{fetch, uid_set};

/// In how many parts a span is cut.
const PARTS: usize = 32;
/// A span of so few messages is listed.
const LEAF: usize = 64;
/// How many places are asked for at a time. With more of them the folder has lost so much that listing is as cheap.
const PLACES_MAX: usize = 512;

/// Neighbouring messages: which of the known UIDs, and which places.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Span {
    known: Range<usize>,
    places: Range<usize>,
}

impl Span {
    /// As many are there as are known.
    fn is_sound(&self) -> bool {
        self.known.len() == self.places.len()
    }

    fn is_leaf(&self) -> bool {
        // One place has no places within to ask for.
        self.known.len() <= LEAF || self.places.len() <= 1
    }

    /// The places to ask for, counted from zero: the last one of every part.
    fn probes(&self) -> Vec<usize> {
        let step = self.places.len().div_ceil(PARTS).max(1);
        self.places.clone().skip(step - 1).step_by(step).collect()
    }

    /// Cuts itself at the places of which it was told who stands there.
    fn cut(&self, known: &[u32], told: &[(usize, u32)]) -> Vec<Span> {
        let (mut parts, mut at) = (Vec::new(), (self.known.start, self.places.start));
        for (place, uid) in told {
            let behind = known.partition_point(|one| one <= uid).min(self.known.end);
            let place = place + 1;
            if behind < at.0 || place <= at.1 || self.places.end < place {
                continue;
            }
            parts.push(Span { known: at.0..behind, places: at.1..place });
            at = (behind, place);
        }
        parts.push(Span { known: at.0..self.known.end, places: at.1..self.places.end });
        parts
    }
}

/// The stretches of UIDs within which something that is known is missing, of the folder that is open.
///
/// `known` are all UIDs known of it, sorted, and `exists` is how many messages it has, both as of a SELECT since when
/// only this was asked: a server must not tell of a message that is gone in answer to FETCH (RFC 3501, section 7.4.1), so
/// that the places stay. A server that does not keep to it answers wrongly, and is found out by the next walk.
pub(super) async fn stretches(
    session: &mut Session,
    known: &[u32],
    exists: u32,
) -> Result<Vec<(u32, u32)>, Error> {
    let places = usize::try_from(exists).unwrap_or(usize::MAX);
    let mut open = vec![Span { known: 0..known.len(), places: 0..places }];
    let mut found: Vec<Range<usize>> = Vec::new();
    while !open.is_empty() {
        let (leaves, spans): (Vec<Span>, Vec<Span>) = open.into_iter().partition(Span::is_leaf);
        found.extend(leaves.into_iter().map(|leaf| leaf.known));
        let asked: Vec<usize> = spans.iter().flat_map(Span::probes).collect();
        if asked.len() > PLACES_MAX {
            found.extend(spans.into_iter().map(|span| span.known));
            break;
        }
        let told = at(session, &asked).await?;
        open = Vec::new();
        for span in spans {
            let parts = span.cut(known, &told);
            // Nothing was told that would narrow it down.
            if parts.len() < 2 || parts.contains(&span) {
                found.push(span.known);
                continue;
            }
            open.extend(parts.into_iter().filter(|part| !part.is_sound()));
        }
    }
    found.sort_by_key(|range| range.start);
    let ends = |range: Range<usize>| {
        let uids = known.get(range)?;
        Some((*uids.first()?, *uids.last()?))
    };
    Ok(found.into_iter().filter_map(ends).collect())
}

/// Who stands at these places, as far as the server tells.
async fn at(session: &mut Session, places: &[usize]) -> Result<Vec<(usize, u32)>, Error> {
    let numbers = places.iter().filter_map(|place| u32::try_from(place + 1).ok());
    let numbers: Vec<u32> = numbers.collect();
    let mut told = Vec::with_capacity(places.len());
    for (set, _) in uid_set::sets(&numbers) {
        let take = |response: &async_imap::imap_proto::Response<'_>| {
            if let Some(fetch::Row { number, uid: Some(uid), .. }) = fetch::row(response) {
                told.push((number.saturating_sub(1) as usize, uid));
            }
        };
        session.exec(&format!("FETCH {set} (UID)"), take).await?;
    }
    told.sort_unstable();
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::connect::tests::session;

    /// Narrows down as [`stretches`] does, against a list of those that are there. Answers the stretches and how many
    /// places were asked for.
    fn search(known: &[u32], there: &[u32]) -> (Vec<(u32, u32)>, usize) {
        let mut open = vec![Span { known: 0..known.len(), places: 0..there.len() }];
        let (mut found, mut asked) = (Vec::new(), 0);
        while let Some(span) = open.pop() {
            if span.is_leaf() {
                found.extend(known.get(span.known).filter(|uids| !uids.is_empty()));
                continue;
            }
            let told: Vec<(usize, u32)> =
                span.probes().into_iter().map(|place| (place, there[place])).collect();
            asked += told.len();
            assert!(asked < 10_000, "asked for ever");
            let parts = span.cut(known, &told);
            assert!(1 < parts.len() && !parts.contains(&span));
            open.extend(parts.into_iter().filter(|part| !part.is_sound()));
        }
        found.sort_unstable();
        (found.into_iter().map(|uids| (uids[0], uids[uids.len() - 1])).collect(), asked)
    }

    #[track_caller]
    fn check(known: &[u32], gone: &[u32], others: &[u32]) -> usize {
        let mut there: Vec<u32> = known
            .iter()
            .copied()
            .filter(|uid| !gone.contains(uid))
            .chain(others.to_vec())
            .collect();
        there.sort_unstable();
        let (stretches, asked) = search(known, &there);
        for uid in gone {
            let within = |(first, last): &(u32, u32)| first <= uid && uid <= last;
            assert!(stretches.iter().any(within), "{uid} is missing, not in {stretches:?}");
        }
        let listed: usize = stretches
            .iter()
            .map(|(first, last)| known.iter().filter(|uid| first <= uid && uid <= &last).count())
            .sum();
        assert!(listed <= (gone.len() + others.len()) * LEAF, "{listed} are listed");
        asked
    }

    #[test]
    fn what_is_missing_is_found_wherever_it_was_with_few_questions() {
        let known: Vec<u32> = (1..=50_000).map(|n| n * 3 + n % 2).collect();
        for place in [0, 1, 17, 24_999, 31_250, 49_998, 49_999] {
            assert!(check(&known, &[known[place]], &[]) <= 2 * PARTS);
        }
        assert!(check(&known, &[known[3], known[4], known[40_000]], &[]) <= 5 * PARTS);
        // Messages that the server has and never showed.
        check(&known, &[known[1_000]], &[known[30_000] + 1]);
        check(&known[..200], &known[50..52], &[]);
        check(&known[..10], &known[..10], &[]);
        assert_eq!(search(&[], &[]), (vec![], 0));
    }

    /// Whoever tidies up deletes many in a row. Those that stayed among them stand alone behind a long gap.
    #[test]
    fn many_that_are_missing_in_a_row_are_listed_and_not_asked_for_for_ever() {
        let known: Vec<u32> = (1..=5_000).collect();
        for gone in [1_000..1_300, 0..4_999, 1..5_000, 4_000..5_000, 0..5_000] {
            let (first, last) = (known[gone.start], known[gone.end - 1]);
            let there: Vec<u32> =
                known.iter().copied().filter(|uid| *uid < first || last < *uid).collect();
            let (stretches, asked) = search(&known, &there);
            let missing = |uid: u32| stretches.iter().any(|(from, to)| *from <= uid && uid <= *to);
            assert!((first..=last).all(missing), "{gone:?}: {stretches:?}");
            assert!(asked <= 4 * PARTS, "{asked} places were asked for");
        }
    }

    #[tokio::test]
    async fn places_are_asked_for_by_number_and_an_incomplete_answer_widens_the_stretch() {
        let (mut session, script) = session(
            "",
            "C: A0003 FETCH 3,6,9,12,15,18,21,24,27,30,33,36,39,42,45,48,51,54,57,60,63,66,69 (UID)\n\
             S: * 30 FETCH (UID 31)\nS: * 24 FETCH (UID 24)\nS: * 69 EXISTS\nS: A0003 OK",
        )
        .await;
        let known: Vec<u32> = (1..=70).collect();
        let found = stretches(&mut session, &known, 69).await.unwrap();
        assert_eq!(found, [(25, 31)]);
        script.played().await;
    }
}
