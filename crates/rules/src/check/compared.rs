//! Which texts of a file are compared in another way than by earlier versions: one note for each way.

use super::{Checker, Fields, Text};
use crate::problem::{Comparison, Problem};
use crate::sources::Spot;
use mynah_matching::fold::Folding;
use mynah_matching::keyword::{Stem, ends_in_final_sign, is_chinese};

/// So many places are named.
const NAMED: usize = 5;

impl Checker<'_> {
    /// Notes how the text of a condition is compared.
    pub(super) fn compared_item(&mut self, key: &str, text: &Text<'_>) {
        let written = text.text;
        if matches!(key, "exact" | "suffix" | "start" | "cancel" | "choose" | "restart_on")
            && !ends_in_final_sign(written)
        {
            self.is_compared(Comparison::FinalPunctuation, &text.spot);
        }
        let is_item = matches!(key, "keyword" | "all" | "none" | "exact" | "prefix" | "suffix");
        if !is_item && key != "pattern" {
            return;
        }
        if has_chinese_beside_words(written) {
            self.is_compared(Comparison::Blanks, &text.spot);
        }
        if written.contains(['‘', '’', '“', '”', '–', '—', '−', '\'', '"', '-']) {
            self.is_compared(Comparison::Signs, &text.spot);
        }
        if is_item && written.trim() != written {
            self.is_compared(Comparison::Ends, &text.spot);
        }
        if key == "prefix" {
            self.is_compared(Comparison::Leads, &text.spot);
        }
        let stem = Stem::read(written);
        let is_stem = stem.begins_inside || stem.ends_inside;
        if is_stem && matches!(key, "keyword" | "all" | "none") {
            self.is_compared(Comparison::Stars, &text.spot);
        }
    }

    /// Notes how a pattern is compared.
    pub(super) fn compared_pattern(&mut self, text: &Text<'_>) {
        self.compared_item("pattern", text);
        let written = text.text;
        if written.contains('{') {
            self.is_compared(Comparison::Leads, &text.spot);
        }
        if written.contains(":int}") {
            self.is_compared(Comparison::Numbers, &text.spot);
        }
        let in_square = written.split('[').skip(1).filter_map(|part| part.split(']').next());
        if in_square.into_iter().any(|part| part.contains('|') && !part.contains('(')) {
            self.is_compared(Comparison::Bars, &text.spot);
        }
    }

    /// Notes the names by which the bot is called.
    pub(super) fn compared_names(&mut self, bot: &Fields<'_>) {
        if bot.entry("names").is_some() {
            self.is_compared(Comparison::BareNames, &bot.key_spot("names"));
        }
    }

    /// Notes a rule for calls.
    pub(super) fn compared_call(&mut self, rule: &Fields<'_>) {
        if rule.flag("at_me") {
            self.is_compared(Comparison::Mentions, &rule.key_spot("at_me"));
        }
    }

    fn is_compared(&mut self, comparison: Comparison, spot: &Spot) {
        let (count, spots) = self.compared.entry(comparison).or_default();
        *count += 1;
        if spots.len() < NAMED {
            spots.push(spot.clone());
        }
    }

    /// Says it, one note for each way.
    pub(super) fn say_compared(&mut self) {
        for (how, (count, spots)) in std::mem::take(&mut self.compared) {
            let mut places: Vec<_> = spots.iter().map(|spot| self.place(spot)).collect();
            places.dedup();
            if let Some(first) = spots.first() {
                self.say(Problem::Compared { how, count, places }, first.clone());
            }
        }
    }
}

/// Whether a Chinese character and a letter or digit of another script meet, with or without a blank.
fn has_chinese_beside_words(text: &str) -> bool {
    let folded = Folding::new(false, false).fold(text);
    let mut before = None;
    folded.text().chars().any(|c| {
        let meets = before.is_some_and(|before| {
            let is_word = |c: char| c.is_alphanumeric() && !is_chinese(c);
            (is_chinese(before) && is_word(c)) || (is_word(before) && is_chinese(c))
        });
        before = Some(c);
        meets
    })
}
