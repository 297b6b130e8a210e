//! Signs that people put at the end of a sentence or before a value, without meaning anything by them.

/// Whether a sentence can end in `c`; the space before such a sign goes with it.
pub(crate) fn is_final(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '~'
            | '…'
            | '。'
            | '、'
            | '～'
            | '〜'
            | '！'
            | '？'
            | '，'
            | '；'
            | '：'
            | '．'
    ) || c.is_whitespace()
}

/// A text without the signs that end a sentence, unless it consists of them.
pub(crate) fn without_final(text: &str) -> &str {
    let text = text.trim();
    match text.trim_end_matches(is_final) {
        "" => text,
        rest => rest,
    }
}

/// Whether `c`, in folded text, only leads to a value: the colon of `查快递：123`. Not `-`, which is a sign of numbers.
pub(crate) fn is_leading(c: char) -> bool {
    c.is_whitespace() || matches!(c, ':' | ',' | '、' | '=')
}
