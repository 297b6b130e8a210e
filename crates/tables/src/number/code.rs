//! The codes of formats, token by token.

use super::Condition;

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Literal(String),
    /// `0`, `#` or `?`.
    Place(char),
    Point,
    Comma,
    Percent,
    /// `E+` or `E-`: whether a positive exponent has a sign.
    Exponent(bool),
    /// The number as it is.
    General,
    /// A part of a date or a time, by its letter, and how often the letter is written.
    Part(char, usize),
    /// All hours, minutes or seconds: `[h]`.
    Elapsed(char, usize),
    /// `AM/PM`.
    HalfOfDay(&'static str, &'static str),
}

impl Token {
    /// The text of a literal.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Literal(text) = self { Some(text) } else { None }
    }

    /// Whether it belongs to a date or a time.
    pub(super) fn is_of_time(&self) -> bool {
        matches!(self, Self::Part(..) | Self::Elapsed(..) | Self::HalfOfDay(..))
    }
}

/// The sections of a code: the condition of each, and its tokens if all are known.
pub(super) fn sections(code: &str) -> Vec<(Option<Condition>, Option<Vec<Token>>)> {
    let mut sections = Vec::new();
    let mut reader = Reader { rest: code, tokens: Vec::new(), condition: None, is_known: true };
    loop {
        let is_over = reader.rest.is_empty();
        if is_over || reader.rest.starts_with(';') {
            let tokens = std::mem::take(&mut reader.tokens);
            let is_known = std::mem::replace(&mut reader.is_known, true);
            sections.push((reader.condition.take(), is_known.then_some(tokens)));
            if is_over {
                return sections;
            }
            reader.rest = &reader.rest[1..];
        } else {
            reader.token();
        }
    }
}

struct Reader<'c> {
    rest: &'c str,
    tokens: Vec<Token>,
    condition: Option<Condition>,
    is_known: bool,
}

impl<'c> Reader<'c> {
    fn token(&mut self) {
        let Some(c) = self.rest.chars().next() else { return };
        if self.word() {
            return;
        }
        self.skip(c.len_utf8());
        match c {
            '"' => {
                let literal = self.until('"');
                self.literal(literal);
            }
            '\\' => {
                let next = self.next_char();
                self.literal(next);
            }
            // Room as wide as a sign, or filled with it.
            '_' | '*' => drop(self.next_char()),
            '[' => {
                let inside = self.until(']');
                self.bracket(inside);
            }
            '0' | '#' | '?' => self.tokens.push(Token::Place(c)),
            '.' => self.tokens.push(Token::Point),
            ',' => self.tokens.push(Token::Comma),
            '%' => self.tokens.push(Token::Percent),
            'E' | 'e' if self.rest.starts_with(['+', '-']) => {
                self.tokens.push(Token::Exponent(self.rest.starts_with('+')));
                self.skip(1);
            }
            '@' => self.tokens.push(Token::General),
            c if c.is_ascii_alphabetic() => self.part(c),
            // Fractions.
            '/' if !self.tokens.iter().any(Token::is_of_time) => self.is_known = false,
            c => self.literal(c.encode_utf8(&mut [0; 4])),
        }
    }

    /// Reads a word that has a meaning as a whole.
    fn word(&mut self) -> bool {
        let words = [
            ("General", Token::General),
            ("G/通用格式", Token::General),
            ("AM/PM", Token::HalfOfDay("AM", "PM")),
            ("A/P", Token::HalfOfDay("A", "P")),
            ("上午/下午", Token::HalfOfDay("上午", "下午")),
        ];
        let begins = |word: &str| {
            self.rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        };
        let Some((word, token)) = words.into_iter().find(|(word, _)| begins(word)) else {
            return false;
        };
        self.skip(word.len());
        self.tokens.push(token);
        true
    }

    fn part(&mut self, c: char) {
        let letter = c.to_ascii_lowercase();
        let same = self.rest.chars().take_while(|next| next.to_ascii_lowercase() == letter).count();
        self.skip(same);
        match letter {
            'y' | 'm' | 'd' | 'h' | 's' | 'e' | 'g' | 'b' => {
                self.tokens.push(Token::Part(letter, same + 1));
            }
            // The day of the week.
            'a' if same >= 2 => self.tokens.push(Token::Part(letter, same + 1)),
            _ => self.is_known = false,
        }
    }

    fn bracket(&mut self, inside: &str) {
        if let Some(currency) = inside.strip_prefix('$') {
            return self.literal(currency.split('-').next().unwrap_or_default());
        }
        let letter = inside.chars().next().map_or(' ', |c| c.to_ascii_lowercase());
        let is_elapsed = inside.chars().all(|c| c.to_ascii_lowercase() == letter);
        match letter {
            'h' | 'm' | 's' if is_elapsed => {
                self.tokens.push(Token::Elapsed(letter, inside.len()));
            }
            '<' | '>' | '=' => self.condition = Condition::read(inside),
            // A colour, or the digits of a language.
            _ => {}
        }
    }

    fn literal(&mut self, text: &str) {
        match self.tokens.last_mut() {
            Some(Token::Literal(last)) => last.push_str(text),
            _ => self.tokens.push(Token::Literal(text.to_owned())),
        }
    }

    fn until(&mut self, end: char) -> &'c str {
        let (inside, rest) = self.rest.split_once(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        inside
    }

    fn next_char(&mut self) -> &'c str {
        let (next, rest) = self.rest.split_at(self.rest.chars().next().map_or(0, char::len_utf8));
        self.rest = rest;
        next
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}
