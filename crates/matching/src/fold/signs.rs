//! Quotation marks and dashes that keyboards and word processors make of the plain ones.

/// The plain form of a curly quotation mark, a prime or a dash.
pub(super) fn plain(c: char) -> Option<char> {
    if !('\u{2010}'..='\u{2212}').contains(&c) {
        return None;
    }
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => Some('\''),
        '\u{201c}' | '\u{201d}' | '\u{201f}' | '\u{2033}' => Some('"'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        _ => None,
    }
}
