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
    let (letters, written) = (letters(written), written.to_lowercase());
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let most = allowed(length.max(candidate.chars().take(2 * LONGEST).count()));
        let most =
            best.map_or(Some(most), |(distance, _)| Some(most.min(distance.checked_sub(1)?)));
        let Some(most) = most else { break };
        // Thousands of names may each be compared with thousands: few of them need the distance.
        if is_far(candidate, (length, letters), most) {
            continue;
        }
        let distance = strsim::osa_distance(&written, &candidate.to_lowercase());
        if distance <= most {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether a candidate certainly differs by more than so many slips from a word of this length and these letters.
fn is_far(candidate: &str, (length, written): (usize, u64), most: usize) -> bool {
    // Small letters of a few scripts have more characters than capital ones.
    let count = candidate.chars().take(2 * LONGEST).count();
    let differing = (letters(candidate) ^ written).count_ones() as usize;
    count.abs_diff(length) > most + 2 || differing > 2 * most
}

/// The letters of a word without regard to case, as a set that confuses some of them.
fn letters(word: &str) -> u64 {
    let lower = word.chars().take(2 * LONGEST).flat_map(char::to_lowercase);
    lower.fold(0, |letters, c| letters | 1 << (u32::from(c) % 64))
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

    #[test]
    fn no_close_word_is_passed_over() {
        let letters = ["a", "B", "b", "1", "价"];
        let words: Vec<String> = (0..5_usize.pow(5))
            .step_by(7)
            .map(|n| (0..n % 6).map(|place| letters[n / 5_usize.pow(place as u32) % 5]).collect())
            .collect();
        for written in words.iter().step_by(9) {
            let distance =
                |word: &str| strsim::osa_distance(&written.to_lowercase(), &word.to_lowercase());
            let most = |word: &str| allowed(written.chars().count().max(word.chars().count()));
            let near = words.iter().filter(|word| distance(word) <= most(word));
            let expected = near.min_by_key(|word| distance(word)).map(String::as_str);
            assert_eq!(closest(written, words.iter().map(String::as_str)), expected, "{written}");
        }
    }
}
