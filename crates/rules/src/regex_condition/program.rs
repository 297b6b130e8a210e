//! A regex as a small program over characters, and the machine that runs it.
//!
//! The usual engines work on bytes: a Unicode class costs them tens of kilobytes and a millisecond to compile, and a bot
//! may have ten thousand regexes. Here a class is one instruction, and the common classes are shared, so that a regex
//! takes some hundred bytes and is ready at load. The machine tries alternatives in the order of the regex and never
//! tries the same place twice: its time is bounded by program × text, whatever the regex.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use mynah_core::Captures;
use regex_automata::util::look::{Look, LookMatcher};
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::fold::Folded;

/// More instructions than this are refused; the size limit of regexes is met long before.
const MAX_INSTRUCTIONS: usize = 50_000;

/// A regex, ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    code: Box<[Instruction]>,
    /// How many instructions are splits: only these are marked as tried.
    splits: u32,
    /// The text with which every match begins.
    prefix: Box<str>,
    /// Whether a match can only begin at the beginning of the text.
    anchored: bool,
    /// By group number, without the whole match: the name or number under which it is captured.
    names: Box<[(u32, Box<str>)]>,
}

#[derive(Debug, Clone)]
enum Instruction {
    /// This character.
    Char(char),
    /// One of these characters.
    Class(Arc<CharSet>),
    /// This holds here.
    Look(Look),
    /// The place is remembered.
    Save(u32),
    /// Goes on at the first place, and at the second if that fails.
    Split { first: u32, second: u32, number: u32 },
    /// Goes on there.
    Jump(u32),
    /// Found.
    Match,
}

/// A set of characters.
#[derive(Debug, PartialEq, Eq)]
struct CharSet {
    ascii: u128,
    /// Those beyond ASCII, in order.
    ranges: Box<[(char, char)]>,
}

/// The classes that nearly every regex uses, kept once for all.
static SHARED: LazyLock<Vec<Arc<CharSet>>> = LazyLock::new(|| {
    let class = |source: &str| match regex_syntax::parse(source).map(Hir::into_kind) {
        Ok(HirKind::Class(class)) => CharSet::new(&class),
        _ => CharSet::default(),
    };
    [r"\w", r"\d", r"\s", r"\W", r"\D", r"\S", ".", "(?s:.)"].map(|source| Arc::new(class(source))).into()
});

impl Program {
    /// The program of a regex; `None` if it would be far too long.
    pub(super) fn new(hir: &Hir) -> Option<Self> {
        let mut compiler = Compiler::default();
        compiler.add(hir)?;
        compiler.push(Instruction::Match)?;
        let looks = hir.properties().look_set_prefix();
        Some(Self {
            code: compiler.code.into(),
            splits: compiler.splits,
            prefix: prefix_of(hir).into(),
            anchored: looks.contains(regex_syntax::hir::Look::Start),
            names: compiler.names.into(),
        })
    }

    /// Whether it is found in a width-folded text.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.run(text, |_| ()).is_some()
    }

    /// What it captures in a width-folded text, in original characters.
    pub(crate) fn captures(&self, text: &Folded<'_>) -> Option<Captures> {
        self.run(text.text(), |slots| {
            let group = |number: u32| {
                let at = 2 * number as usize;
                Some(slots.get(at).copied()??..slots.get(at + 1).copied()??)
            };
            let found = self.names.iter().filter_map(|(number, name)| {
                let range: Range<usize> = group(*number)?;
                Some((name.to_string(), text.original(range).to_owned()))
            });
            found.collect()
        })
    }

    /// The names and numbers of its groups.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(_, name)| &**name)
    }

    /// About how many steps a search in a text of so many bytes can take at worst.
    pub(crate) fn worst_steps(&self, length: usize) -> usize {
        if self.anchored && self.splits == 0 { self.code.len() } else { self.code.len() * length }
    }

    /// Bytes on the heap, shared classes left out.
    pub(crate) fn heap(&self) -> usize {
        let classes = self.code.iter().filter_map(|instruction| match instruction {
            Instruction::Class(set) if !SHARED.iter().any(|shared| Arc::ptr_eq(shared, set)) => {
                Some(size_of::<CharSet>() + size_of_val(&*set.ranges))
            }
            _ => None,
        });
        let names = self.names.iter().map(|(_, name)| name.len() + size_of::<(u32, Box<str>)>());
        size_of_val(&*self.code) + self.prefix.len() + classes.sum::<usize>() + names.sum::<usize>()
    }

    fn run<T>(&self, text: &str, found: impl FnOnce(&[Option<usize>]) -> T) -> Option<T> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.begin(self, text);
            let matched = if self.anchored {
                self.run_at(text, 0, scratch)
            } else if self.prefix.is_empty() {
                let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
                starts.any(|at| self.run_at(text, at, scratch))
            } else {
                text.match_indices(&*self.prefix).any(|(at, _)| self.run_at(text, at, scratch))
            };
            matched.then(|| found(&scratch.slots))
        })
    }

    /// Tries from one place. What earlier places tried in vain need not be tried again: it does not depend on the start.
    fn run_at(&self, text: &str, start: usize, scratch: &mut Scratch) -> bool {
        scratch.slots.fill(None);
        scratch.jobs.clear();
        scratch.jobs.push(Job::Go { at: start, next: 0 });
        while let Some(job) = scratch.jobs.pop() {
            match job {
                Job::Restore { slot, value } => scratch.slots[slot as usize] = value,
                Job::Go { at, next } => {
                    if self.follow(text, at, next, scratch) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Follows one way until it ends.
    fn follow(&self, text: &str, mut at: usize, mut next: u32, scratch: &mut Scratch) -> bool {
        loop {
            match &self.code[next as usize] {
                Instruction::Char(wanted) => match text[at..].chars().next() {
                    Some(c) if c == *wanted => at += c.len_utf8(),
                    _ => return false,
                },
                Instruction::Class(set) => match text[at..].chars().next() {
                    Some(c) if set.contains(c) => at += c.len_utf8(),
                    _ => return false,
                },
                Instruction::Look(look) => {
                    if !LookMatcher::new().matches(*look, text.as_bytes(), at) {
                        return false;
                    }
                }
                Instruction::Save(slot) => scratch.save(*slot, at),
                Instruction::Split { first, second, number } => {
                    if !scratch.mark(*number, at) {
                        return false;
                    }
                    scratch.jobs.push(Job::Go { at, next: *second });
                    next = *first;
                    continue;
                }
                Instruction::Jump(to) => {
                    next = *to;
                    continue;
                }
                Instruction::Match => return true,
            }
            next += 1;
        }
    }
}

thread_local! {
    /// The machine's memory, kept from search to search.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

#[derive(Default)]
struct Scratch {
    jobs: Vec<Job>,
    slots: Vec<Option<usize>>,
    /// A bit for each split at each place of the text.
    tried: Vec<u64>,
    places: usize,
}

#[derive(Clone, Copy)]
enum Job {
    Go { at: usize, next: u32 },
    Restore { slot: u32, value: Option<usize> },
}

impl Scratch {
    fn begin(&mut self, program: &Program, text: &str) {
        self.places = text.len() + 1;
        let words = (program.splits as usize * self.places).div_ceil(64);
        self.tried.clear();
        self.tried.resize(words, 0);
        // Room for the machine's greatest needs is not kept for ever.
        self.tried.shrink_to(words.max(1 << 16));
        self.slots.clear();
        let groups = program.names.last().map_or(1, |(number, _)| *number as usize + 1);
        self.slots.resize(2 * groups, None);
    }

    /// Marks a split at a place; `false` if it was tried before.
    fn mark(&mut self, number: u32, at: usize) -> bool {
        let bit = number as usize * self.places + at;
        let (word, mask) = (bit / 64, 1 << (bit % 64));
        let fresh = self.tried[word] & mask == 0;
        self.tried[word] |= mask;
        fresh
    }

    fn save(&mut self, slot: u32, at: usize) {
        let value = self.slots[slot as usize].replace(at);
        self.jobs.push(Job::Restore { slot, value });
    }
}

impl Default for CharSet {
    fn default() -> Self {
        Self { ascii: 0, ranges: Box::default() }
    }
}

impl CharSet {
    fn new(class: &Class) -> Self {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
            // Only ASCII: an expression that could match half a character was refused.
            Class::Bytes(class) => {
                class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
            }
        };
        let within = |c: char| ranges.iter().any(|(from, to)| (*from..=*to).contains(&c));
        let ascii = (0..128_u8).filter(|byte| within(char::from(*byte))).fold(0, |set, byte| set | 1 << byte);
        let beyond = ranges.into_iter().filter(|(_, to)| !to.is_ascii()).map(|(from, to)| (from.max('\u{80}'), to));
        Self { ascii, ranges: beyond.collect() }
    }

    fn contains(&self, c: char) -> bool {
        if c.is_ascii() {
            return self.ascii & (1 << u32::from(c)) != 0;
        }
        let after = self.ranges.partition_point(|(from, _)| *from <= c);
        after > 0 && c <= self.ranges[after - 1].1
    }
}

#[derive(Default)]
struct Compiler {
    code: Vec<Instruction>,
    splits: u32,
    names: Vec<(u32, Box<str>)>,
}

impl Compiler {
    fn push(&mut self, instruction: Instruction) -> Option<usize> {
        self.code.push(instruction);
        (self.code.len() <= MAX_INSTRUCTIONS).then(|| self.code.len() - 1)
    }

    fn here(&self) -> u32 {
        u32::try_from(self.code.len()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                for c in std::str::from_utf8(&literal.0).ok()?.chars() {
                    self.push(Instruction::Char(c))?;
                }
            }
            HirKind::Class(class) => self.class(class)?,
            HirKind::Look(look) => {
                self.push(Instruction::Look(Look::from_repr(look.as_repr())?))?;
            }
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
            HirKind::Capture(capture) => {
                let name = capture.name.as_ref().map_or_else(|| capture.index.to_string().into(), Clone::clone);
                if self.names.last().is_none_or(|(last, _)| *last < capture.index) {
                    self.names.push((capture.index, name));
                }
                self.push(Instruction::Save(2 * capture.index))?;
                self.add(&capture.sub)?;
                self.push(Instruction::Save(2 * capture.index + 1))?;
            }
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part))?,
            HirKind::Alternation(parts) => self.alternation(parts)?,
        }
        Some(())
    }

    fn class(&mut self, class: &Class) -> Option<()> {
        let set = CharSet::new(class);
        let shared = SHARED.iter().find(|shared| ***shared == set).cloned();
        self.push(Instruction::Class(shared.unwrap_or_else(|| Arc::new(set)))).map(drop)
    }

    /// A split whose ways are filled in later.
    fn split(&mut self) -> Option<usize> {
        let number = self.splits;
        self.splits += 1;
        self.push(Instruction::Split { first: 0, second: 0, number })
    }

    /// Fills in the ways of a split: inside first if greedy.
    fn fill(&mut self, split: usize, inside: u32, after: u32, greedy: bool) {
        if let Instruction::Split { first, second, .. } = &mut self.code[split] {
            (*first, *second) = if greedy { (inside, after) } else { (after, inside) };
        }
    }

    fn alternation(&mut self, parts: &[Hir]) -> Option<()> {
        let mut ends = Vec::new();
        for (n, part) in parts.iter().enumerate() {
            if n + 1 == parts.len() {
                self.add(part)?;
                break;
            }
            let split = self.split()?;
            let inside = self.here();
            self.add(part)?;
            ends.push(self.push(Instruction::Jump(0))?);
            let after = self.here();
            self.fill(split, inside, after, true);
        }
        let after = self.here();
        for end in ends {
            self.code[end] = Instruction::Jump(after);
        }
        Some(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Option<()> {
        let Repetition { min, max, greedy, sub } = repetition;
        match max {
            None if *min == 0 => self.any_number(sub, *greedy)?,
            None => {
                for _ in 1..*min {
                    self.add(sub)?;
                }
                self.at_least_once(sub, *greedy)?;
            }
            Some(max) => {
                for _ in 0..*min {
                    self.add(sub)?;
                }
                self.up_to(sub, max - min, *greedy)?;
            }
        }
        Some(())
    }

    /// `x*`. Where `x` may be empty it is `(x+)?`, so that an empty turn ends the loop and not the match.
    fn any_number(&mut self, sub: &Hir, greedy: bool) -> Option<()> {
        let split = self.split()?;
        let inside = self.here();
        if sub.properties().minimum_len() == Some(0) {
            self.at_least_once(sub, greedy)?;
        } else {
            self.add(sub)?;
            self.push(Instruction::Jump(u32::try_from(split).ok()?))?;
        }
        let after = self.here();
        self.fill(split, inside, after, greedy);
        Some(())
    }

    fn at_least_once(&mut self, sub: &Hir, greedy: bool) -> Option<()> {
        let inside = self.here();
        self.add(sub)?;
        let split = self.split()?;
        let after = self.here();
        self.fill(split, inside, after, greedy);
        Some(())
    }

    /// `x{0,times}`: each one more is tried only after the one before.
    fn up_to(&mut self, sub: &Hir, times: u32, greedy: bool) -> Option<()> {
        let mut splits = Vec::new();
        for _ in 0..times {
            let split = self.split()?;
            splits.push((split, self.here()));
            self.add(sub)?;
        }
        let after = self.here();
        for (split, inside) in splits {
            self.fill(split, inside, after, greedy);
        }
        Some(())
    }
}

/// The literal with which every match begins; empty if there is none.
fn prefix_of(hir: &Hir) -> String {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Capture(capture) => prefix_of(&capture.sub),
        HirKind::Concat(parts) => parts.first().map(prefix_of).unwrap_or_default(),
        HirKind::Repetition(repetition) if repetition.min > 0 => prefix_of(&repetition.sub),
        HirKind::Repetition(_)
        | HirKind::Empty
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Alternation(_) => String::new(),
    }
}
