//! A regex as a small program over characters, and the machine that runs it.
//!
//! The usual engines work on bytes: a Unicode class costs them tens of kilobytes and a millisecond to compile, and there
//! may be ten thousand regexes. Here a class is one instruction, and the common classes are shared, so that a regex
//! takes some hundred bytes and is ready at load. The machine tries alternatives in the order of the regex and never
//! tries the same place twice: its time is bounded by program × text, whatever the regex.

mod begin;
mod char_set;
mod compiler;
mod cost;

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use crate::Captures;
use regex_automata::util::look::{Look, LookMatcher};
use regex_syntax::hir::Hir;

use begin::Begin;
use char_set::CharSet;
use compiler::Compiler;

use crate::fold::Folded;
use crate::keyword::find;

/// A program of more instructions, of 16 bytes each, is refused.
pub const MAX_INSTRUCTIONS: usize = 50_000;

/// A regex, ready to run.
#[derive(Debug)]
pub struct Program {
    code: Box<[Instruction]>,
    /// How many instructions are splits: only these are marked as tried.
    splits: u32,
    /// About how many steps it takes at worst for each character of a text.
    steps_per_character: u32,
    begin: Begin,
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

impl Program {
    /// The program of a regex; `None` if it would be far too long.
    pub(super) fn new(hir: &Hir) -> Option<Self> {
        let mut compiler = Compiler::default();
        compiler.add(hir)?;
        compiler.push(Instruction::Match)?;
        let begin = Begin::of(hir);
        let steps = cost::steps_per_character(&compiler.code, &begin);
        Some(Self {
            code: compiler.code.into(),
            splits: compiler.splits,
            steps_per_character: u32::try_from(steps).unwrap_or(u32::MAX),
            begin,
            names: compiler.names.into(),
        })
    }

    /// Whether it is found in a text, which is width-folded unless the regex is [`exact`](super::exact).
    pub fn is_match(&self, text: &str) -> bool {
        self.run(text, |_| ()).is_some()
    }

    /// The captures in a width-folded text, in original characters.
    pub fn captures(&self, text: &Folded<'_>) -> Option<Captures> {
        self.run(text.text(), |slots| {
            let group = |number: u32| -> Option<Range<usize>> {
                let at = 2 * number as usize;
                Some(slots.get(at).copied()??..slots.get(at + 1).copied()??)
            };
            let mut captures = Captures::new();
            for (number, name) in &self.names {
                if let Some(range) = group(*number) {
                    captures.insert(name.to_string(), text.original(range).to_owned());
                }
            }
            captures
        })
    }

    /// The names and numbers of its groups.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(_, name)| &**name)
    }

    /// About how many steps a search in a text of so many characters can take at worst.
    pub fn worst_steps(&self, characters: usize) -> usize {
        (self.steps_per_character as usize).saturating_mul(characters) + self.code.len()
    }

    /// Bytes on the heap, shared classes left out.
    pub fn heap(&self) -> usize {
        let classes = self.code.iter().filter_map(|instruction| match instruction {
            Instruction::Class(set) => Some(CharSet::heap(set)),
            _ => None,
        });
        let names = self.names.iter().map(|(_, name)| name.len() + size_of::<(u32, Box<str>)>());
        size_of_val(&*self.code) + self.begin.heap() + classes.sum::<usize>() + names.sum::<usize>()
    }

    fn run<T>(&self, text: &str, found: impl FnOnce(&[Option<usize>]) -> T) -> Option<T> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.begin(self, text);
            let matched = match &self.begin {
                Begin::OfText => self.run_at(text, 0, scratch),
                Begin::Text(begin) => {
                    occurrences(text, begin).any(|at| self.run_at(text, at, scratch))
                }
                Begin::OneOf(set) => {
                    let mut begins = text.char_indices().filter(|(_, c)| set.contains(*c));
                    begins.any(|(at, _)| self.run_at(text, at, scratch))
                }
                Begin::Anywhere => {
                    let mut begins = text.char_indices().map(|(at, _)| at).chain([text.len()]);
                    begins.any(|at| self.run_at(text, at, scratch))
                }
            };
            matched.then(|| found(&scratch.slots))
        })
    }

    /// Tries from one place. Failed tries of earlier places need not be repeated: they do not depend on the start.
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

/// The occurrences of `part` in `text`, overlapping ones included.
fn occurrences<'t>(text: &'t str, part: &'t str) -> impl Iterator<Item = usize> + 't {
    let step = part.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + find(text.get(from..)?, part)?;
        from = at + step;
        Some(at)
    })
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
