//! The questions of a `[[table]]`, and the search for the one that a message asks.
//!
//! A question is a text that some rows answer. Of the questions that a message asks, the best answers: the longest, of
//! patterns the one with the most fixed characters, of similar ones the nearest; then the one whose first row is the upper
//! one. [`AnswerTable::find`] looks into an index, [`AnswerTable::find_by_scan`] asks one question after the other.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use mynah_core::{Captures, Chat};
use mynah_matching::engine::{Engine, EngineBuilder};
use mynah_matching::fold::Folding;
use mynah_matching::keyword::Item;
use mynah_matching::pattern::{Matcher, Pattern};
use mynah_matching::template::Template;
use mynah_matching::{Conditions, Longest, Text};

use super::event_facts::EventFacts;
use super::search::Search;
use crate::decision::RuleRef;
use crate::likeness::{Nearest, Sentence};
use crate::model::{self, Matching, Shape, Step};
use crate::rows::{self, Rows};

/// Questions that are so near to a message are looked for first.
const VERY_NEAR: f64 = 0.9;

/// A question with less likeness has nothing in common with a message.
const LEAST_NEAR: f64 = 0.05;

/// A table, ready to be asked.
#[derive(Debug)]
pub(crate) struct AnswerTable {
    /// The file as people see it.
    pub(crate) name: Arc<str>,
    matching: Matching,
    finder: Finder,
    /// The rows of all questions, question by question, each from the top.
    rows_of: Box<[u32]>,
    /// Where those of each question end.
    ends: Box<[u32]>,
    pub(crate) rows: Rows,
    shape: Shape,
    templates: bool,
    /// How many steps of the table come before the answer of the row.
    before_reply: usize,
    hant: bool,
}

/// The questions by the way they are compared. Their numbers are those of the table.
#[derive(Debug)]
enum Finder {
    /// For `exact` and `keyword`.
    Texts(Longest),
    Patterns(Patterns),
    Similar(Nearest),
}

/// Patterns with an index over the fixed texts that they require.
#[derive(Debug)]
struct Patterns {
    engine: Engine,
    matchers: Box<[Matcher]>,
    fixed: Box<[u32]>,
    /// The patterns as written, folded: under these the clocks run.
    texts: Box<[Box<str>]>,
}

/// How well a question fits, among those of one table.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Rank(f64);

/// The question that a message asks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) question: u32,
    pub(crate) captures: Captures,
}

impl AnswerTable {
    /// Compiles a checked table.
    pub(crate) fn new(table: model::AnswerTable, hant: bool) -> Self {
        let model::AnswerTable {
            name,
            matching,
            questions,
            patterns,
            mut rows,
            shape,
            templates,
            before_reply,
        } = table;
        rows.shrink();
        let folding = Folding::new(false, hant);
        let of_rows: Vec<u32> = questions.iter().map(|question| question.row).collect();
        let texts = questions
            .iter()
            .map(|question| -> Box<str> { Item::new(&question.text, folding).text().into() });
        let texts: Vec<Box<str>> = texts.collect();
        let (finder, numbers) = match matching {
            Matching::Exact | Matching::Keyword => {
                let (longest, numbers) = Longest::new(&texts);
                (Finder::Texts(longest), numbers)
            }
            Matching::Pattern => {
                let (patterns, numbers) = Patterns::new(texts, &patterns, hant);
                (Finder::Patterns(patterns), numbers)
            }
            Matching::Similar(at_least) => {
                let (nearest, numbers) = Nearest::new(texts, at_least, folding);
                (Finder::Similar(nearest), numbers)
            }
        };
        let (rows_of, ends) = by_question(&numbers, &of_rows);
        Self { name, matching, finder, rows_of, ends, rows, shape, templates, before_reply, hant }
    }

    /// How many questions it has.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The key of the condition that fails where no question is asked.
    pub(crate) fn key(&self) -> &'static str {
        match self.matching {
            Matching::Similar(_) => "similar",
            Matching::Exact | Matching::Keyword | Matching::Pattern => "table",
        }
    }

    /// The question that a message asks: in the words behind the name of the bot, else in all its words.
    pub(crate) fn asked(&self, facts: &EventFacts<'_>, search: Search) -> Option<Asked> {
        if let Finder::Similar(_) = self.finder {
            return self.find_similar(facts.sentence(), facts.chat, search);
        }
        let find = |text: &Text<'_>| match search {
            Search::Indexed => self.find(text, facts.chat),
            Search::Ordered => self.find_by_scan(text, facts.chat),
        };
        facts.text_behind_name(false).and_then(find).or_else(|| find(&facts.text))
    }

    /// Whether a text asks a question in a chat.
    pub(crate) fn is_asked_by(&self, text: &Text<'_>, chat: &Chat) -> bool {
        match &self.finder {
            // Sentences are compared without the name of the bot, if the message begins with it.
            Finder::Similar(_) => true,
            _ => self.find(text, chat).is_some(),
        }
    }

    /// The names of its rows.
    pub(crate) fn row_names(&self) -> impl Iterator<Item = String> {
        (0..self.rows.len())
            .map(|row| format!("{}:{}", self.name, self.rows.number(rows::place_of(row))))
    }

    /// Whether some chat gets an answer to a text.
    pub(crate) fn may_answer(&self, text: &Text<'_>) -> bool {
        match &self.finder {
            Finder::Similar(nearest) => {
                let sentence = Sentence::new(text.as_str(), Folding::new(false, self.hant));
                !nearest.near(&sentence, nearest.at_least()).is_empty()
            }
            _ => !self.candidates(text).is_empty(),
        }
    }

    /// The question that a text asks, found by the index.
    fn find(&self, text: &Text<'_>, chat: &Chat) -> Option<Asked> {
        self.best(self.candidates(text), chat)
    }

    /// All questions that a text asks, with their ranks and captures.
    fn candidates(&self, text: &Text<'_>) -> Vec<(Rank, Asked)> {
        match &self.finder {
            Finder::Texts(longest) => {
                let folded = text.folded(Folding::new(false, text.hant())).text();
                let numbers = match self.matching {
                    Matching::Exact => longest.exact(folded).collect(),
                    _ => longest.within(folded),
                };
                numbers
                    .into_iter()
                    .map(|number| (self.length(longest, number), Asked::plain(number)))
                    .collect()
            }
            Finder::Patterns(patterns) => patterns.asked(text),
            Finder::Similar(_) => Vec::new(),
        }
    }

    fn find_similar(&self, said: &Sentence, chat: &Chat, search: Search) -> Option<Asked> {
        let Finder::Similar(nearest) = &self.finder else { return None };
        let best = |near: Vec<(u32, f64)>| {
            let ranked = near.into_iter().map(|(number, like)| (Rank(like), Asked::plain(number)));
            self.best(ranked.collect(), chat)
        };
        match search {
            // Very near questions are found faster than all that are near enough, and one of them is the nearest.
            Search::Indexed => best(nearest.near(said, VERY_NEAR))
                .or_else(|| best(nearest.near(said, nearest.at_least()))),
            Search::Ordered => best(nearest.near_by_scan(said)),
        }
    }

    /// The rows for this chat whose questions have anything in common with a sentence, from the top: likeness, question
    /// and row. Rows without an answer in words are left out.
    pub(super) fn nearest(&self, said: &Sentence, chat: &Chat) -> Vec<(f64, u32, u32)> {
        let mut near = match &self.finder {
            Finder::Similar(nearest) => nearest.all_near(said, LEAST_NEAR),
            _ => self.near_by_scan(said),
        };
        near.sort_unstable_by_key(|(question, _)| *question);
        let rows = near.into_iter().flat_map(|(question, like)| {
            self.rows_here(question, chat).map(move |row| (like, question, row))
        });
        rows.filter(|(_, _, row)| !self.rows.reply(*row).is_empty()).collect()
    }

    /// Questions are compared with few messages in this way, so there is no index for it.
    fn near_by_scan(&self, said: &Sentence) -> Vec<(u32, f64)> {
        let folding = Folding::new(false, self.hant);
        let likeness = |question| Sentence::new(self.text(question), folding).likeness(said);
        let all = 0..rows::place_of(self.len());
        all.map(|question| (question, likeness(question)))
            .filter(|(_, like)| *like >= LEAST_NEAR)
            .collect()
    }

    /// The same as [`find`](Self::find) by asking one question after the other: the definition of the answer.
    fn find_by_scan(&self, text: &Text<'_>, chat: &Chat) -> Option<Asked> {
        let folding = Folding::new(false, text.hant());
        let folded = text.folded(folding);
        let mut best: Option<(Rank, Reverse<u32>, Asked)> = None;
        for number in 0..rows::place_of(self.len()) {
            let (rank, captures) = match &self.finder {
                Finder::Texts(longest) => {
                    let item = Item::new(longest.text(number), folding);
                    let is_asked = match self.matching {
                        Matching::Exact => item.is(folded.text()),
                        _ => item.find(folded.text()).is_some(),
                    };
                    if !is_asked {
                        continue;
                    }
                    (self.length(longest, number), Captures::new())
                }
                Finder::Patterns(patterns) => {
                    let Some(captures) = patterns.matchers[number as usize].captures(folded) else {
                        continue;
                    };
                    (patterns.rank(number), captures)
                }
                Finder::Similar(_) => continue,
            };
            let Some(row) = self.rows_here(number, chat).next() else { continue };
            let asked = Asked { question: number, captures };
            let is_better = best.as_ref().is_none_or(|(rank_before, row_before, _)| {
                (rank, Reverse(row)) > (*rank_before, *row_before)
            });
            if is_better {
                best = Some((rank, Reverse(row), asked));
            }
        }
        best.map(|(_, _, asked)| asked)
    }

    /// The best of the questions that have a row in this chat.
    fn best(&self, asked: Vec<(Rank, Asked)>, chat: &Chat) -> Option<Asked> {
        let here = asked.into_iter().filter_map(|(rank, asked)| {
            let row = self.rows_here(asked.question, chat).next()?;
            Some((rank, Reverse(row), asked))
        });
        // Of equal ones the first: their numbers ascend among equal ranks.
        let best = here.reduce(|best, other| {
            let order = (other.0, other.1, Reverse(other.2.question));
            if order > (best.0, best.1, Reverse(best.2.question)) { other } else { best }
        });
        best.map(|(_, _, asked)| asked)
    }

    fn length(&self, longest: &Longest, number: u32) -> Rank {
        Rank::of(longest.text(number).chars().count())
    }

    /// The rows of a question, from the top.
    fn rows_of(&self, question: u32) -> &[u32] {
        let question = question as usize;
        let start = question.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.rows_of[start..self.ends[question] as usize]
    }

    /// The rows of a question that are for this chat.
    pub(crate) fn rows_here(&self, question: u32, chat: &Chat) -> impl Iterator<Item = u32> {
        let rows = self.rows_of(question).iter().copied();
        rows.filter(move |row| match self.rows.groups(*row) {
            None => true,
            Some(groups) => chat.is_group() && groups.iter().any(|glob| glob.fits(&chat.name)),
        })
    }

    /// The folded text of a question.
    pub(super) fn text(&self, question: u32) -> &str {
        match &self.finder {
            Finder::Texts(longest) => longest.text(question),
            Finder::Patterns(patterns) => &patterns.texts[question as usize],
            Finder::Similar(nearest) => nearest.text(question),
        }
    }

    /// The end of the names of the state of a question: the same wherever its rows are. A hash, since a question may be long.
    pub(crate) fn state_key(&self, question: u32) -> String {
        // FNV-1a, as for rules without an id.
        let hash = self.text(question).bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// How a row is named towards people.
    pub(crate) fn reference(&self, row: u32) -> RuleRef {
        rows::reference(&self.name, self.rows.number(row))
    }

    /// The steps of the table, and in their place those of a row.
    pub(crate) fn steps(&self, of_table: &[Step], row: u32) -> Vec<Step> {
        let (before, after) = of_table.split_at(self.before_reply.min(of_table.len()));
        let mut steps = before.to_vec();
        let reply = self.rows.reply(row);
        if !reply.is_empty() {
            steps.push(Step::Say { text: self.template(reply), shape: self.shape });
        }
        steps.extend(self.rows.image(row).map(|path| Step::Image(path.to_owned())));
        steps.extend(self.rows.file(row).map(|path| Step::File(path.to_owned())));
        steps.extend_from_slice(after);
        steps
    }

    fn template(&self, reply: &str) -> Template {
        let parsed = if self.templates { Template::parse(reply).ok() } else { None };
        // It was checked when the table was read.
        parsed.unwrap_or_else(|| Template::plain(reply))
    }

    /// The questions nearest to a message, for people; of a table that is not `similar` the file.
    pub(crate) fn wanted(&self, facts: &EventFacts<'_>) -> (String, String) {
        let name = &self.name;
        match &self.finder {
            Finder::Similar(nearest) => {
                (format!("{name} ({})", nearest.at_least()), nearest.best(facts.sentence()))
            }
            _ => {
                let folded = facts.text.folded(Folding::new(false, self.hant));
                (name.to_string(), folded.text().to_owned())
            }
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let finder = match &self.finder {
            Finder::Texts(longest) => longest.heap(),
            Finder::Patterns(patterns) => patterns.heap(),
            Finder::Similar(nearest) => nearest.heap(),
        };
        finder + self.rows.heap() + size_of_val(&*self.rows_of) + size_of_val(&*self.ends)
    }
}

impl Asked {
    fn plain(question: u32) -> Self {
        Self { question, captures: Captures::new() }
    }
}

impl Rank {
    fn of(characters: usize) -> Self {
        Self(u32::try_from(characters).unwrap_or(u32::MAX).into())
    }
}

impl Patterns {
    fn new(texts: Vec<Box<str>>, patterns: &[Pattern], hant: bool) -> (Self, Vec<u32>) {
        let folding = Folding::new(false, hant);
        let mut engine = EngineBuilder::default();
        let (mut numbers, mut matchers, mut fixed, mut kept) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut known: HashMap<Box<str>, u32> = HashMap::new();
        for (text, pattern) in texts.into_iter().zip(patterns) {
            if let Some(number) = known.get(&text) {
                numbers.push(*number);
                continue;
            }
            let number = rows::place_of(matchers.len());
            numbers.push(number);
            let when = Conditions { pattern: vec![pattern.clone()], ..Conditions::default() };
            engine.add(&when, hant);
            matchers.push(Matcher::new(pattern, folding));
            fixed.push(rows::place_of(pattern.fixed_characters()));
            kept.push(text.clone());
            known.insert(text, number);
        }
        let patterns = Self {
            engine: engine.build(),
            matchers: matchers.into(),
            fixed: fixed.into(),
            texts: kept.into(),
        };
        (patterns, numbers)
    }

    fn asked(&self, text: &Text<'_>) -> Vec<(Rank, Asked)> {
        let folded = text.folded(Folding::new(false, text.hant()));
        let candidates = self.engine.candidates(text);
        let asked = candidates.within(0..self.matchers.len()).filter_map(|place| {
            let captures = self.matchers[place].captures(folded)?;
            let question = rows::place_of(place);
            Some((self.rank(question), Asked { question, captures }))
        });
        asked.collect()
    }

    fn rank(&self, number: u32) -> Rank {
        Rank(self.fixed[number as usize].into())
    }

    fn heap(&self) -> usize {
        let matchers: usize = self.matchers.iter().map(Matcher::heap).sum();
        let texts: usize = self.texts.iter().map(|text| text.len() + size_of_val(text)).sum();
        matchers
            + texts
            + size_of_val(&*self.matchers)
            + size_of_val(&*self.fixed)
            + self.engine.heap()
    }
}

/// The rows of each question, given the question and the row of each place where one is written.
fn by_question(numbers: &[u32], of_rows: &[u32]) -> (Box<[u32]>, Box<[u32]>) {
    let mut pairs: Vec<(u32, u32)> = numbers.iter().copied().zip(of_rows.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut ends = Vec::new();
    for (place, (number, _)) in (1..).zip(&pairs) {
        ends.truncate(*number as usize);
        ends.resize(*number as usize, place - 1);
        ends.push(place);
    }
    (pairs.into_iter().map(|(_, row)| row).collect(), ends.into())
}
