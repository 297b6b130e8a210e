//! Did you mean: the name closest to the one that was written.

/// A longer word is not a typing mistake, and would take long to compare.
const LONGEST: usize = 100;

/// The candidate closest to `written`, if one is close enough to be meant.
pub fn closest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = written.chars().count();
    if length > LONGEST {
        return None;
    }
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&written, &candidate.to_lowercase()), candidate))
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
        assert_eq!(closest("messges", ["messages", "logs"]), Some("messages"));
    }
}
