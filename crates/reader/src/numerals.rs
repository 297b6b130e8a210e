//! Chinese numerals.

/// A text with small Chinese numerals as digits: `十二点` is `12点`.
#[must_use]
pub fn arabic(text: &str) -> String {
    let digit = |c: char| {
        "零一二三四五六七八九".chars().position(|known| known == c).or((c == '两').then_some(2))
    };
    let mut written = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let Some(mut number) = digit(c).or((c == '十').then_some(1)) else {
            written.push(c);
            continue;
        };
        if c == '十' || characters.next_if_eq(&'十').is_some() {
            let unit = characters.peek().copied().and_then(digit);
            number = number * 10 + unit.unwrap_or_default();
            if unit.is_some() {
                characters.next();
            }
        }
        written.push_str(&number.to_string());
    }
    written
}
