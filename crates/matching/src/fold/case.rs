//! Simple case folding: one character becomes one character.

/// The one character for all cases of `c`, by the simple case folding of Unicode (its statuses C and S).
pub fn fold_case(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if is_ideograph(c) {
        return c;
    }
    exception(c).unwrap_or_else(|| single_lowercase(c))
}

/// Whether case folding keeps `c` and makes it of no other character.
pub fn is_caseless(c: char) -> bool {
    if c.is_ascii() { !c.is_ascii_alphabetic() } else { is_ideograph(c) }
}

/// The block from the radicals to the end of the ideographs has no cases, and most texts here are in it.
fn is_ideograph(c: char) -> bool {
    ('\u{2e80}'..'\u{a640}').contains(&c)
}

fn single_lowercase(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

/// Where simple case folding is not simple lower case.
fn exception(c: char) -> Option<char> {
    Some(match c {
        'µ' => 'μ',
        'ſ' => 's',
        '\u{345}' | '\u{1fbe}' => 'ι',
        'ς' => 'σ',
        'ϐ' => 'β',
        'ϑ' => 'θ',
        'ϕ' => 'φ',
        'ϖ' => 'π',
        'ϰ' => 'κ',
        'ϱ' => 'ρ',
        'ϵ' => 'ε',
        'ẛ' => 'ṡ',
        '\u{1fd3}' => '\u{390}',
        '\u{1fe3}' => '\u{3b0}',
        'ﬅ' => 'ﬆ',
        '\u{1c80}' => 'в',
        '\u{1c81}' => 'д',
        '\u{1c82}' => 'о',
        '\u{1c83}' => 'с',
        '\u{1c84}' | '\u{1c85}' => 'т',
        '\u{1c86}' => 'ъ',
        '\u{1c87}' => 'ѣ',
        '\u{1c88}' => '\u{a64b}',
        // Cherokee folds to upper case, which is the older one there.
        '\u{13a0}'..='\u{13f5}' => c,
        '\u{13f8}'..='\u{13fd}' => char::from_u32(u32::from(c) - 8)?,
        '\u{ab70}'..='\u{abbf}' => char::from_u32(u32::from(c) - 0xab70 + 0x13a0)?,
        _ => return None,
    })
}
