//! Quotes, equals signs, commas and brackets as Chinese keyboards and word processors write them.

/// A statement with plain signs.
#[derive(Debug)]
pub(super) struct Mended {
    /// Its text.
    pub(super) text: String,
    /// The first sign that was replaced, and where it stood.
    pub(super) first: (char, usize),
    /// Its replacement.
    pub(super) ascii: char,
    /// From this byte of the text on, it is the statement from that byte on.
    pub(super) shifts: Vec<(usize, usize)>,
}

/// The statement with plain signs, if there is anything to replace.
pub(super) fn mend(statement: &str) -> Option<Mended> {
    // In a text that was opened with a plain quote, typographic signs may be meant. Only if it is never closed, they
    // were meant to close it.
    let outside = replace(statement, false);
    outside.filter(is_good).or_else(|| replace(statement, true)).filter(is_good)
}

fn is_good(mended: &Mended) -> bool {
    toml::de::DeTable::parse(&mended.text).is_ok()
}

fn replace(statement: &str, closes_plain_quotes: bool) -> Option<Mended> {
    let mut text = String::new();
    let mut shifts = Vec::new();
    let mut first = None;
    let mut open: Option<char> = None;
    for (at, c) in statement.char_indices() {
        let ascii = plain(c);
        let is_quote = matches!(ascii, Some('"' | '\''));
        let replaced = match open {
            None => ascii,
            Some(quote) if is_quote && (is_typographic(quote) || closes_plain_quotes) => ascii,
            Some(_) => None,
        };
        match replaced {
            Some(ascii) => {
                text.push(ascii);
                shifts.push((text.len(), at + c.len_utf8()));
                first = first.or(Some(((c, at), ascii)));
            }
            None => text.push(c),
        }
        open = match open {
            None if is_quote || matches!(c, '"' | '\'') => Some(c),
            Some(_) if replaced.is_some() => None,
            Some(quote) if c == quote => None,
            other => other,
        };
    }
    shifts.insert(0, (0, 0));
    first.map(|(first, ascii)| Mended { text, first, ascii, shifts })
}

fn is_typographic(c: char) -> bool {
    plain(c).is_some()
}

/// The plain sign for a typographic one.
fn plain(c: char) -> Option<char> {
    match c {
        '“' | '”' | '„' | '‟' | '＂' | '「' | '」' | '『' | '』' | '«' | '»' => {
            Some('"')
        }
        '‘' | '’' | '‚' | '＇' => Some('\''),
        '＝' => Some('='),
        '，' | '、' | '；' => Some(','),
        '［' | '【' => Some('['),
        '］' | '】' => Some(']'),
        '｛' => Some('{'),
        '｝' => Some('}'),
        '＃' => Some('#'),
        '\u{3000}' | '\u{a0}' => Some(' '),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_replaced_where_they_are_not_text() {
        for (statement, expected) in [
            ("keyword = “价格”", Some(("keyword = \"价格\"", '“'))),
            ("keyword ＝ \"价格\"", Some(("keyword = \"价格\"", '＝'))),
            ("keyword = [\"a\"，\"b，c\"]", Some(("keyword = [\"a\",\"b，c\"]", '，'))),
            ("keyword = \"价格”", Some(("keyword = \"价格\"", '”'))),
            ("keyword = 「价格」", Some(("keyword = \"价格\"", '「'))),
            ("【【rule】】", Some(("[[rule]]", '【'))),
            ("reply = \"“好”\"", None),
            ("a = ‘’‘\nx\n’’’", Some(("a = '''\nx\n'''", '‘'))),
            ("a b = 1", None),
        ] {
            let mended = mend(statement);
            let found = mended.as_ref().map(|mended| (mended.text.as_str(), mended.first.0));
            assert_eq!(found, expected, "{statement}");
        }
    }

    #[test]
    fn the_bytes_after_a_sign_know_where_they_were() {
        let mended = mend("k = “a”").expect("mended");
        assert_eq!(mended.shifts, [(0, 0), (5, 7), (7, 11)]);
    }
}
