//! Did you mean: the name closest to what was written.

/// Something longer is no slip of the finger, and would take long to compare.
const LONGEST: usize = 100;

/// The candidate closest to `written`, if one is close enough to be meant.
pub(crate) fn closest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = written.chars().count();
    if length > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (distance(&written.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(length.max(candidate.chars().count())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many slips of the finger a word of that length may have; a word of one character none, or all would be close.
fn allowed(length: usize) -> usize {
    match length {
        0 | 1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

/// How many characters were added, left out, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let keys = ["keyword", "reply", "in", "groups", "limit", "cooldown"];
        for (written, expected) in [
            ("keywrod", Some("keyword")),
            ("Keyword", Some("keyword")),
            ("replay", Some("reply")),
            ("group", Some("groups")),
            ("cooldwon", Some("cooldown")),
            ("colour", None),
            ("x", None),
            ("", None),
            ("on", Some("in")),
        ] {
            assert_eq!(closest(written, keys), expected, "{written}");
        }
        assert_eq!(closest("客戶群", ["客户群", "售后群"]), Some("客户群"));
    }
}
