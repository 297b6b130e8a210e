//! Holds a pattern against folded texts.
//!
//! A small machine: it tries the ways through the pattern in order, holes shortest first, and never tries the same
//! state at the same place twice, so that its time is bounded by pattern × text.

use std::ops::Range;
use std::sync::Arc;

use super::{HoleKind, Node, Pattern};
use crate::List;
use crate::fold::{Folded, Folding};
use crate::keyword::{is_chinese, is_word, without_lead};
use crate::numerals::{self, Numbers};
use crate::punctuation::{is_final, is_leading, without_final};

/// A pattern made ready for texts of one folding.
#[derive(Debug, Clone)]
pub struct Matcher {
    source: Box<str>,
    folding: Folding,
    code: Box<[Instruction]>,
    /// How many instructions are choices.
    choices: usize,
    names: Box<[Box<str>]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Instruction {
    /// This character, no space.
    Char(char),
    /// Words are apart here.
    Gap,
    /// A hole begins. The next instruction fills it.
    Open { hole: usize },
    /// Takes one character more or ends the hole.
    Fill { hole: usize, number: usize },
    /// Takes a number, the longest first.
    Number { hole: usize, numbers: Numbers, number: usize },
    /// Takes an item of a list, the longest first.
    OneOf { hole: Option<usize>, list: Arc<List>, number: usize },
    /// Goes on at the first place, and at the second if that fails.
    Split { first: usize, second: usize, number: usize },
    /// Goes on there.
    Jump(usize),
    /// Fits, if the text ends here.
    End,
}

/// A state of the machine besides its place in pattern and text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mode {
    /// The last part matched.
    after: Part,
    /// Words are to be apart here; the next part decides.
    gap: bool,
    /// Inside a hole: it has a character other than a space.
    filled: bool,
}

/// The last part matched, as far as it matters for the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    /// No hole.
    #[default]
    Words,
    /// A hole for any text.
    Text,
    /// A number or an item of a list: its end is known by itself.
    Item,
}

#[derive(Debug)]
enum Job {
    Go { next: usize, at: usize, mode: Mode },
    Restore { hole: usize, value: Option<Range<usize>> },
}

/// The texts of the holes, as ranges of the folded text; in the order of [`Matcher::names`].
pub(super) type Holes = Vec<Option<Range<usize>>>;

impl Matcher {
    /// Makes a pattern ready for texts that are folded like this.
    pub fn new(pattern: &Pattern, folding: Folding) -> Self {
        let mut compiler = Compiler { folding, code: Vec::new(), choices: 0, names: Vec::new() };
        compiler.add(&meant(pattern));
        compiler.code.push(Instruction::End);
        Self {
            source: pattern.to_string().into(),
            folding,
            code: compiler.code.into(),
            choices: compiler.choices,
            names: compiler.names.into(),
        }
    }

    /// Sets of texts of which every text that fits, folded like this, contains one each.
    pub fn required(pattern: &Pattern, folding: Folding) -> Vec<Vec<String>> {
        let nodes = meant(pattern);
        let sets = required(&nodes, folding);
        // A list is large: its items are looked for only if there is no other text.
        if sets.is_empty() { of_lists(&nodes, folding) } else { sets }
    }

    /// Whether every text that fits, folded like this, begins with the first of the texts that are required.
    pub fn begins_with_text(pattern: &Pattern, folding: Folding) -> bool {
        // Some texts are nothing once they are folded.
        let says = |text: &str| !folding.fold(text).text().trim().is_empty();
        matches!(meant(pattern).first(), Some(Node::Text(text)) if says(text))
    }

    /// About how many steps it can take at worst in a text of so many characters: each hole can end, and each choice can
    /// be made, at each place, and the words behind it are compared there.
    pub fn worst_steps(&self, characters: usize) -> usize {
        2 * self.choices * characters + self.code.len()
    }

    /// The pattern as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the holes.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        let names = self.names.iter().map(|name| name.len() + size_of::<Box<str>>());
        size_of_val(&*self.code) + names.sum::<usize>()
    }

    /// The ranges of its holes, if the whole folded text fits; final punctuation of the text is ignored.
    pub fn fit(&self, text: &str) -> Option<Holes> {
        self.fit_with(text, |_| false)
    }

    /// The same; at some places of the text stood blanks that do not count, but still part two holes.
    fn fit_with(&self, text: &str, is_blank_at: impl Fn(usize) -> bool) -> Option<Holes> {
        let begin = text.len() - text.trim_start().len();
        let is_blank_at = |at: usize| is_blank_at(begin + at);
        let mut holes = Run::new(self, without_final(text), &is_blank_at).run()?;
        for hole in holes.iter_mut().flatten() {
            *hole = hole.start + begin..hole.end + begin;
        }
        Some(holes)
    }

    /// The captures: numbers in ASCII digits, other texts in original characters.
    pub fn captures(&self, text: &Folded<'_>) -> Option<crate::Captures> {
        let holes = self.fit_with(text.text(), |at| text.has_idle_blank(at))?;
        // Collecting would add a sort to the program.
        let mut captures = crate::Captures::new();
        captures.extend(self.names.iter().zip(holes).enumerate().filter_map(
            |(hole, (name, range))| {
                let range = without_lead(text.text(), range?);
                let number = || {
                    let numbers = self.numbers_of(hole)?;
                    numerals::read(&text.text()[range.clone()], numbers)
                };
                let value = number().unwrap_or_else(|| text.original(range.clone()).to_owned());
                Some((name.to_string(), value))
            },
        ));
        Some(captures)
    }

    /// The numbers that a hole takes, if it takes numbers only.
    fn numbers_of(&self, hole: usize) -> Option<Numbers> {
        self.code.iter().find_map(|instruction| match instruction {
            Instruction::Number { hole: of, numbers, .. } if *of == hole => Some(*numbers),
            _ => None,
        })
    }
}

/// A pattern without final punctuation. One of signs only keeps them: there is nothing else to match.
fn meant(pattern: &Pattern) -> Vec<Node> {
    let mut nodes = pattern.nodes.clone();
    match without_final_signs(&mut nodes) {
        Left::Something => nodes,
        Left::Nothing => pattern.nodes.clone(),
    }
}

/// The sets of [`Matcher::required`], without those of lists.
fn required(nodes: &[Node], folding: Folding) -> Vec<Vec<String>> {
    let mut sets = Vec::new();
    for node in nodes {
        match node {
            Node::Text(text) => {
                let folded = folding.fold(text);
                sets.extend(folded.text().split_whitespace().map(|word| vec![word.to_owned()]));
            }
            Node::Either(branches) => {
                let shortest = |set: &Vec<String>| set.iter().map(String::len).min();
                let best = branches
                    .iter()
                    .map(|branch| required(branch, folding).into_iter().max_by_key(shortest));
                sets.extend(best.collect::<Option<Vec<_>>>().map(|sets| sets.concat()));
            }
            Node::Hole { .. } | Node::OneOf { .. } | Node::Optional(_) => {}
        }
    }
    sets
}

/// The items of the shortest list of which a sequence needs one.
fn of_lists(nodes: &[Node], folding: Folding) -> Vec<Vec<String>> {
    let lists = nodes.iter().filter_map(|node| match node {
        Node::OneOf { list, .. } | Node::Hole { kind: HoleKind::OneOf { list, .. }, .. } => {
            Some(list)
        }
        _ => None,
    });
    let shortest = lists.min_by_key(|list| list.items().len());
    let items = shortest.map(|list| list.folded(folding).texts().map(str::to_owned).collect());
    items.into_iter().collect()
}

#[derive(PartialEq, Eq)]
enum Left {
    Something,
    Nothing,
}

/// Takes final punctuation off every end of a pattern.
fn without_final_signs(nodes: &mut Vec<Node>) -> Left {
    while let Some(last) = nodes.last_mut() {
        let left = match last {
            Node::Text(text) => {
                text.truncate(text.trim_end_matches(is_final).len());
                if text.is_empty() { Left::Nothing } else { Left::Something }
            }
            Node::Hole { .. } | Node::OneOf { .. } => Left::Something,
            Node::Optional(inner) => without_final_signs(inner),
            Node::Either(branches) => {
                // A branch of signs only keeps them: dropping it would make a required part optional.
                let without = branches.iter().map(|branch| {
                    let mut shorter = branch.clone();
                    let left = without_final_signs(&mut shorter);
                    if left == Left::Nothing { branch.clone() } else { shorter }
                });
                *branches = without.collect();
                Left::Something
            }
        };
        if left == Left::Something {
            return left;
        }
        nodes.pop();
    }
    Left::Nothing
}

struct Compiler {
    folding: Folding,
    code: Vec<Instruction>,
    choices: usize,
    names: Vec<Box<str>>,
}

impl Compiler {
    fn add(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Text(text) => self.text(text),
                Node::Hole { name, kind } => self.hole(name, kind),
                Node::OneOf { list, .. } => {
                    let number = self.choice();
                    self.code.push(Instruction::OneOf {
                        hole: None,
                        list: Arc::clone(list),
                        number,
                    });
                }
                Node::Optional(inner) => self.branches(&[inner.as_slice(), &[]]),
                Node::Either(branches) => {
                    let branches: Vec<&[Node]> = branches.iter().map(Vec::as_slice).collect();
                    self.branches(&branches);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        for c in self.folding.fold(text).text().chars() {
            self.code.push(if c.is_whitespace() { Instruction::Gap } else { Instruction::Char(c) });
        }
    }

    fn hole(&mut self, name: &str, kind: &HoleKind) {
        let known = self.names.iter().position(|known| &**known == name);
        let hole = known.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        let number = self.choice();
        let fill = match kind {
            HoleKind::Text => Instruction::Fill { hole, number },
            HoleKind::Int => Instruction::Number { hole, numbers: Numbers::Whole, number },
            HoleKind::Number => Instruction::Number { hole, numbers: Numbers::Any, number },
            HoleKind::OneOf { list, .. } => {
                Instruction::OneOf { hole: Some(hole), list: Arc::clone(list), number }
            }
        };
        self.code.extend([Instruction::Open { hole }, fill]);
    }

    fn choice(&mut self) -> usize {
        self.choices += 1;
        self.choices - 1
    }

    fn branches(&mut self, branches: &[&[Node]]) {
        let mut ends = Vec::new();
        for (n, branch) in branches.iter().enumerate() {
            if n + 1 == branches.len() {
                self.add(branch);
                break;
            }
            let split = self.code.len();
            let number = self.choice();
            self.code.push(Instruction::Split { first: split + 1, second: 0, number });
            self.add(branch);
            ends.push(self.code.len());
            self.code.push(Instruction::Jump(0));
            let second = self.code.len();
            self.code[split] = Instruction::Split { first: split + 1, second, number };
        }
        for end in ends {
            self.code[end] = Instruction::Jump(self.code.len());
        }
    }
}

/// How many modes there are.
const MODES: usize = 6;

/// Behind a number or an item of a list.
const AFTER_ITEM: Mode = Mode { after: Part::Item, gap: false, filled: false };

/// One run of the machine.
struct Run<'r> {
    matcher: &'r Matcher,
    text: &'r str,
    /// Whether a blank stood at a place that is not in the text.
    is_blank_at: &'r dyn Fn(usize) -> bool,
    jobs: Vec<Job>,
    holes: Holes,
    /// A bit for each choice, mode and place that was tried; made with the first of them.
    tried: Vec<u64>,
}

impl<'r> Run<'r> {
    fn new(matcher: &'r Matcher, text: &'r str, is_blank_at: &'r dyn Fn(usize) -> bool) -> Self {
        let holes = vec![None; matcher.names.len()];
        Self { matcher, text, is_blank_at, jobs: Vec::new(), holes, tried: Vec::new() }
    }

    fn run(mut self) -> Option<Holes> {
        self.jobs.push(Job::Go { next: 0, at: 0, mode: Mode::default() });
        while let Some(job) = self.jobs.pop() {
            match job {
                Job::Restore { hole, value } => self.holes[hole] = value,
                Job::Go { next, at, mode } => {
                    if self.follow(next, at, mode) {
                        return Some(self.holes);
                    }
                }
            }
        }
        None
    }

    /// Follows one way until it ends.
    fn follow(&mut self, mut next: usize, mut at: usize, mut mode: Mode) -> bool {
        loop {
            match &self.matcher.code[next] {
                Instruction::Char(wanted) => {
                    let Some(start) = self.cross(at, mode, false) else { return false };
                    if !self.text[start..].starts_with(*wanted) {
                        return false;
                    }
                    (next, at, mode) = (next + 1, start + wanted.len_utf8(), Mode::default());
                }
                Instruction::Gap => {
                    mode.gap = true;
                    next += 1;
                }
                Instruction::Open { hole } => {
                    let Some(start) = self.cross(at, mode, true) else { return false };
                    let value = self.holes[*hole].replace(start..start);
                    self.jobs.push(Job::Restore { hole: *hole, value });
                    let Some((start, after)) = self.open(next, start, mode) else { return false };
                    (next, at, mode) = (next + 1, start, Mode { after, ..Mode::default() });
                }
                Instruction::Number { .. } | Instruction::OneOf { .. } => {
                    let Some(end) = self.item(next, at, mode) else { return false };
                    (next, at, mode) = (next + 1, end, AFTER_ITEM);
                }
                Instruction::Fill { hole, number } => {
                    if !self.mark(*number, at, mode) {
                        return false;
                    }
                    let more = self.one_more(at, mode);
                    if mode.filled {
                        self.jobs.extend(more.map(|(at, mode)| Job::Go { next, at, mode }));
                        self.close(*hole, at);
                        (next, mode) = (next + 1, Mode { after: Part::Text, ..Mode::default() });
                    } else {
                        let Some(more) = more else { return false };
                        (at, mode) = more;
                    }
                }
                Instruction::Split { first, second, number } => {
                    if !self.mark(*number, at, mode) {
                        return false;
                    }
                    self.jobs.push(Job::Go { next: *second, at, mode });
                    next = *first;
                }
                Instruction::Jump(to) => next = *to,
                Instruction::End => return at == self.text.len(),
            }
        }
    }

    /// The open hole with one character more.
    fn one_more(&self, at: usize, mode: Mode) -> Option<(usize, Mode)> {
        let c = self.text[at..].chars().next()?;
        let filled = mode.filled || !is_leading(c);
        Some((at + c.len_utf8(), Mode { filled, ..Mode::default() }))
    }

    /// The place behind the signs that only lead to a value.
    fn without_lead(&self, at: usize) -> usize {
        self.text.len() - self.text[at..].trim_start_matches(is_leading).len()
    }

    /// Whether a word goes on at a place.
    fn is_inside_word(&self, at: usize) -> bool {
        self.text[..at].ends_with(is_word) && self.text[at..].starts_with(is_word)
    }

    /// Where the contents of a hole can begin, and the part that the next instruction has to know of.
    fn open(&self, next: usize, start: usize, mode: Mode) -> Option<(usize, Part)> {
        // A space at its beginning belongs to the hole and is trimmed.
        let start = start + usize::from(self.text[start..].starts_with(' '));
        if !matches!(self.matcher.code[next + 1], Instruction::Fill { .. }) {
            return Some((start, mode.after));
        }
        // Behind an item of a list, text is another word.
        let is_part = mode.after == Part::Item && self.is_inside_word(start);
        (!is_part).then_some((start, Part::Words))
    }

    /// The end of the longest number or item of a list, as an instruction asks for it; the shorter ones are tried later.
    fn item(&mut self, instruction: usize, at: usize, mode: Mode) -> Option<usize> {
        let matcher = self.matcher;
        let next = instruction + 1;
        match &matcher.code[instruction] {
            Instruction::Number { hole, numbers, number } if self.mark(*number, at, mode) => {
                let start = self.without_lead(at);
                // Behind other text in a hole a number begins with its first digit.
                if mode.after == Part::Text && numerals::splits_digits(self.text, start) {
                    return None;
                }
                let ends = numerals::ends(&self.text[start..], *numbers);
                self.longest(Some(*hole), start, ends, next)
            }
            Instruction::OneOf { hole, list, number } if self.mark(*number, at, mode) => {
                let start = match hole {
                    Some(_) => self.without_lead(at),
                    None => self.cross(at, mode, false)?,
                };
                // Behind text in a hole, an item is another word.
                if mode.after == Part::Text && self.is_inside_word(start) {
                    return None;
                }
                let items = list.folded(matcher.folding);
                let ends = items.at_begin(&self.text[start..]).map(|(_, length)| length);
                self.longest(*hole, start, ends.collect(), next)
            }
            _ => None,
        }
    }

    /// The first and longest of the ends, counted from `start`; the others are tried later.
    fn longest(
        &mut self,
        hole: Option<usize>,
        start: usize,
        ends: Vec<usize>,
        next: usize,
    ) -> Option<usize> {
        let mut ends = ends.into_iter().map(|end| start + end);
        let longest = ends.next()?;
        for end in ends.rev() {
            let go = Job::Go { next, at: end, mode: AFTER_ITEM };
            let Some(hole) = hole else {
                self.jobs.push(go);
                continue;
            };
            // From the last one on: the hole takes that end, the way goes on, and the hole is as before.
            self.jobs.push(Job::Restore { hole, value: self.holes[hole].clone() });
            self.jobs.push(go);
            self.jobs.push(Job::Restore { hole, value: Some(start..end) });
        }
        if let Some(range) = hole.and_then(|hole| self.holes[hole].as_mut()) {
            *range = start..longest;
        }
        Some(longest)
    }

    fn close(&mut self, hole: usize, end: usize) {
        if let Some(range) = &mut self.holes[hole] {
            range.end = end;
        }
    }

    /// Where the next character or hole begins, once a gap before it is settled; `None` if it cannot begin here.
    fn cross(&self, at: usize, mode: Mode, opens_hole: bool) -> Option<usize> {
        let (before, after) = self.text.split_at(at);
        if !mode.gap {
            // Digits end by themselves, so the space behind them is not taken yet.
            let space = mode.after != Part::Words && after.starts_with(' ');
            return Some(at + usize::from(space));
        }
        if after.starts_with(' ') {
            return Some(at + 1);
        }
        let apart = before.is_empty() || before.ends_with(' ');
        if mode.after != Part::Words && opens_hole {
            return (apart || (self.is_blank_at)(at)).then_some(at);
        }
        let chinese = before.ends_with(is_chinese) || after.starts_with(is_chinese);
        let leads = opens_hole && after.starts_with(is_leading);
        (apart || chinese || leads).then_some(at)
    }

    /// Marks a choice in a mode at a place; `false` if it was tried before.
    fn mark(&mut self, number: usize, at: usize, mode: Mode) -> bool {
        if self.tried.is_empty() {
            let bits = self.matcher.choices * MODES * (self.text.len() + 1);
            self.tried = vec![0; bits.div_ceil(64)];
        }
        // `filled` is known inside of holes only, `after` outside only.
        let part = if mode.filled { 1 } else { mode.after as usize };
        let mode = 2 * part + usize::from(mode.gap);
        let bit = (number * MODES + mode) * (self.text.len() + 1) + at;
        let (word, mask) = (bit / 64, 1 << (bit % 64));
        let fresh = self.tried[word] & mask == 0;
        self.tried[word] |= mask;
        fresh
    }
}
