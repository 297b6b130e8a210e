//! From the meaning of a regex to a program.

use regex_automata::util::look::Look;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::char_set::CharSet;
use super::{Instruction, MAX_INSTRUCTIONS};

/// A program in the making.
#[derive(Default)]
pub(super) struct Compiler {
    pub(super) code: Vec<Instruction>,
    pub(super) splits: u32,
    /// By number: the groups.
    pub(super) names: Vec<(u32, Box<str>)>,
}

impl Compiler {
    /// Adds an instruction; `None` if the program becomes far too long.
    pub(super) fn push(&mut self, instruction: Instruction) -> Option<usize> {
        self.code.push(instruction);
        (self.code.len() <= MAX_INSTRUCTIONS).then(|| self.code.len() - 1)
    }

    fn here(&self) -> u32 {
        u32::try_from(self.code.len()).unwrap_or(u32::MAX)
    }

    /// Adds the instructions for a part of the regex.
    pub(super) fn add(&mut self, hir: &Hir) -> Option<()> {
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
                let name = capture
                    .name
                    .as_ref()
                    .map_or_else(|| capture.index.to_string().into(), Clone::clone);
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
        self.push(Instruction::Class(CharSet::of(class))).map(drop)
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
