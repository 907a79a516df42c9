//! UIDs as commands name them: ranges, and no command longer than servers take.

/// The longest UID set. Exchange refuses commands over 8–10 KB, and a folder's name and flags stand beside the set.
const SET_BYTES_MAX: usize = 6_000;

/// The UIDs as sequence sets (RFC 3501, section 9), sorted, neighbours as ranges; more than one where one would be
/// too long. Each comes with the UIDs that it names.
pub(super) fn sets(uids: &[u32]) -> Vec<(String, Vec<u32>)> {
    let mut sorted: Vec<u32> = uids.iter().copied().filter(|uid| *uid != 0).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut sets: Vec<(String, Vec<u32>)> = Vec::new();
    for range in sorted.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        let text = match (range.first(), range.last()) {
            (Some(first), Some(last)) if first != last => format!("{first}:{last}"),
            (Some(first), _) => first.to_string(),
            (None, _) => continue,
        };
        match sets.last_mut() {
            Some((set, named)) if set.len() + text.len() < SET_BYTES_MAX => {
                set.push(',');
                set.push_str(&text);
                named.extend_from_slice(range);
            }
            _ => sets.push((text, range.to_vec())),
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_ranges() {
        assert_eq!(sets(&[]), []);
        assert_eq!(sets(&[9, 1, 3, 2, 2, 7]), [("1:3,7,9".to_owned(), vec![1, 2, 3, 7, 9])]);
        assert_eq!(sets(&[u32::MAX - 1, u32::MAX])[0].0, "4294967294:4294967295");
    }

    #[test]
    fn long_sets_are_split_and_lose_nothing() {
        let uids: Vec<u32> = (1..10_000).map(|n| n * 3).collect();
        let sets = sets(&uids);
        assert!(1 < sets.len());
        assert!(sets.iter().all(|(set, _)| set.len() <= SET_BYTES_MAX));
        let named: Vec<u32> = sets.into_iter().flat_map(|(_, named)| named).collect();
        assert_eq!(named, uids);
    }
}
