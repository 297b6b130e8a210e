//! Matching a line against a form with holes.

use std::ops::Range;

use super::{Found, is_quote};

/// A line to match.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// A name that begins with a quote must end with one.
    pub(super) whole_quotes: bool,
}

impl Line<'_> {
    /// Matches a form against the whole line, each hole taking as little as it can.
    pub(super) fn matched(&self, form: &str) -> Option<Found> {
        let mut found = Found::default();
        self.rest(form, 0, &mut found).then_some(found)
    }

    fn rest(&self, form: &str, at: usize, found: &mut Found) -> bool {
        let end = self.text.len();
        let Some((literal, rest)) = form.split_once('{') else {
            return self.after(form, at) == Some(end);
        };
        let Some(from) = self.after(literal, at) else { return false };
        let Some((hole, rest)) = rest.split_once('}') else { return false };
        let next = rest.split_once('{').map_or(rest, |(literal, _)| literal);
        if next.is_empty() {
            return found.fill(hole, from..end) && self.rest(rest, end, found);
        }
        let mut ends = self.text[from..].char_indices().map(|(n, _)| from + n);
        ends.any(|end| {
            self.after(next, end).is_some()
                && self.may_take(hole, &self.text[from..end])
                && found.fill(hole, from..end)
                && self.rest(rest, end, found)
        })
    }

    /// Where the line goes on after `literal`, which begins at `at`. ASCII letters of either case are alike.
    fn after(&self, literal: &str, at: usize) -> Option<usize> {
        let is_beside_quote = |c: Option<char>| c.is_some_and(is_quote);
        let mut end = at;
        for c in literal.chars() {
            match self.text[end..].chars().next() {
                Some(next) if next.eq_ignore_ascii_case(&c) => end += next.len_utf8(),
                next if c == ' '
                    && (is_beside_quote(next)
                        || is_beside_quote(self.text[..end].chars().next_back())) => {}
                _ => return None,
            }
        }
        Some(end)
    }

    fn may_take(&self, hole: &str, text: &str) -> bool {
        let text = text.trim();
        let is_half =
            text.starts_with(is_quote) && (text.chars().count() == 1 || !text.ends_with(is_quote));
        !(self.whole_quotes && is_half && matches!(hole, "A" | "B"))
    }
}

impl Found {
    /// Notes the content of a hole. Only `{*}` may be empty.
    fn fill(&mut self, hole: &str, taken: Range<usize>) -> bool {
        let is_empty = taken.is_empty();
        let place = match hole {
            "A" => &mut self.actor,
            "B" => &mut self.object,
            "T" => &mut self.title,
            _ => return true,
        };
        *place = Some(taken);
        !is_empty
    }
}
