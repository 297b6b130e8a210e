//! Sentences of the bot that another rule follows: `% …` of RiveScript, `<that>` of AIML.
//!
//! In the original they are compared with the bot's last words when a message comes. Here they are compared once with
//! the answers of all rules, and the rule names those that fit.

use std::collections::HashMap;

/// A word of a sentence, or some words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    Word(String),
    /// A wildcard of a pattern: any words.
    Any,
    /// A name in braces in an answer: its words fit a wildcard, but are hardly those that a pattern asks for.
    Told,
}

/// The sentences that rules follow, each once.
#[derive(Debug, Default)]
pub(crate) struct Previous {
    patterns: Vec<Vec<Token>>,
    numbers: HashMap<Vec<Token>, usize>,
    /// The numbers of the sentences with wildcards.
    with_any: Vec<usize>,
}

impl Previous {
    /// The number of a sentence with wildcards `*`, `_`, `#`, `^`.
    pub(crate) fn number(&mut self, pattern: &str) -> usize {
        let tokens: Vec<Token> = pattern.split_whitespace().flat_map(token_of_pattern).collect();
        if let Some(number) = self.numbers.get(&tokens) {
            return *number;
        }
        let number = self.patterns.len();
        if tokens.contains(&Token::Any) {
            self.with_any.push(number);
        }
        self.numbers.insert(tokens.clone(), number);
        self.patterns.push(tokens);
        number
    }

    /// How many sentences there are.
    pub(crate) fn len(&self) -> usize {
        self.patterns.len()
    }

    /// The sentences that fit a template of an answer; a name in braces means any words.
    pub(crate) fn matching(&self, template: &str) -> Vec<usize> {
        if self.patterns.is_empty() {
            return Vec::new();
        }
        variants(template).iter().flat_map(|one| self.matching_one(one)).collect()
    }

    fn matching_one(&self, template: &str) -> Vec<usize> {
        let tokens = tokens_of_template(template);
        let exact = self.numbers.get(&tokens).copied();
        let fit = |number: &&usize| fits(&self.patterns[**number], &tokens);
        let mut all: Vec<usize> = exact.into_iter().collect();
        all.extend(self.with_any.iter().filter(fit));
        all
    }
}

/// The texts of a template with each item of its random choices.
fn variants(template: &str) -> Vec<String> {
    const CHOICE: &str = "{random:";
    let mut done = Vec::new();
    let mut open = vec![template.to_owned()];
    while let Some(text) = open.pop() {
        let begin = text.find(CHOICE).filter(|_| done.len() + open.len() < 64);
        let end = begin.and_then(|begin| text[begin..].find('}').map(|length| begin + length));
        let (Some(begin), Some(end)) = (begin, end) else {
            done.push(text);
            continue;
        };
        let items = text[begin + CHOICE.len()..end].split('|');
        let with = |item: &str| format!("{}{item}{}", &text[..begin], &text[end + 1..]);
        open.extend(items.map(with));
    }
    done
}

fn token_of_pattern(word: &str) -> Option<Token> {
    match word {
        "*" | "_" | "#" | "^" => Some(Token::Any),
        word => word_of(word).map(Token::Word),
    }
}

/// The letters and digits of a word in small letters.
fn word_of(word: &str) -> Option<String> {
    let letters: String =
        word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (!letters.is_empty()).then_some(letters)
}

fn tokens_of_template(template: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        tokens.extend(rest[..at].split_whitespace().filter_map(word_of).map(Token::Word));
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        if !rest[at..].starts_with("{{") {
            tokens.push(Token::Told);
        }
        rest = &rest[end..];
    }
    tokens.extend(rest.split_whitespace().filter_map(word_of).map(Token::Word));
    tokens
}

/// Whether some sentence fits both.
fn fits(pattern: &[Token], text: &[Token]) -> bool {
    let differ =
        |of_pattern: &Token, of_text: &Token| *of_pattern != Token::Any && of_pattern != of_text;
    if let (Some(a), Some(b)) = (pattern.first(), text.first())
        && differ(a, b)
    {
        return false;
    }
    // reached[j]: the pattern so far can stand for the first j words of the text.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for token in pattern {
        let mut next = vec![false; text.len() + 1];
        for (at, word) in text.iter().enumerate() {
            let begins = reached[at] && !differ(token, word);
            // A wildcard goes on over words.
            let goes_on = *token == Token::Any && next[at];
            next[at + 1] = begins || goes_on;
        }
        reached = next;
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_fit_answers() {
        for (pattern, template, expected) in [
            ("who is there", "Who is there?", true),
            ("who is there", "Who is here?", false),
            ("* who", "{star} who?", true),
            ("* who", "who?", false),
            ("my name is *", "My name is {bot.name}.", true),
            ("my name is alice", "My name is {bot.name}.", false),
            ("* who", "Your {star} is {star2}.", false),
            ("are you *", "Are you {star}?", true),
            ("one", "{random:one|two}", true),
            ("three", "{random:one|two}", false),
            ("*", "Hi.", true),
            ("*", "", false),
            ("你好", "你好！", true),
        ] {
            let mut previous = Previous::default();
            let number = previous.number(pattern);
            assert_eq!(previous.matching(template).contains(&number), expected, "{pattern}");
        }
    }
}
