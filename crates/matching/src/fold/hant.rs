//! Traditional characters to simplified ones, one character at a time.
//!
//! The pairs in `hant.txt` are those of the transform `Hant-Hans` of the Unicode CLDR (as in ICU 72), followed to the
//! end where one simplified form has another. Characters that need a whole word to decide (乾, 著) stand there as the
//! transform has them: both sides of a comparison are folded alike, so that this can only make more texts equal.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Each traditional character followed by its simplified one, in lines for readability only.
const PAIRS: &str = include_str!("hant.txt");

static SIMPLE: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let mut characters = PAIRS.chars().filter(|c| !c.is_whitespace());
    std::iter::from_fn(|| Some((characters.next()?, characters.next()?))).collect()
});

/// The simplified form of a character; others stay.
pub(super) fn simplify(c: char) -> char {
    if c < '\u{3400}' {
        return c;
    }
    SIMPLE.get(&c).copied().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_characters_become_simplified() {
        let simple: String = "價格多少錢？請問臺灣髮廊，hi 簡体".chars().map(simplify).collect();
        assert_eq!(simple, "价格多少钱？请问台湾发廊，hi 简体");
    }

    #[test]
    fn simplified_forms_are_final() {
        assert!(SIMPLE.len() > 2000);
        assert!(SIMPLE.values().all(|simple| simplify(*simple) == *simple));
    }
}
