//! How many steps a program can take at worst.

use super::{Begin, Instruction};

/// About how many steps a program takes at worst for each character of a text: each split, and the beginning if it can be
/// anywhere, is tried at most once at each place. Behind each of their ways the classes of a straight run follow, of which
/// the first belongs to the step; fixed characters count nothing, as a text that is not them is given up at once.
pub(super) fn steps_per_character(code: &[Instruction], begin: &Begin) -> usize {
    let mut known: Vec<Option<usize>> = vec![None; code.len()];
    let mut further = |begin: u32| classes_in_run(code, begin, &mut known).saturating_sub(1);
    let mut steps = if matches!(begin, Begin::OfText) { 0 } else { 1 + further(0) };
    for instruction in code {
        if let Instruction::Split { first, second, .. } = instruction {
            steps += 1 + further(*first) + further(*second);
        }
    }
    steps
}

/// The classes of the straight run that begins there and ends at the next split. Each instruction is walked once: runs
/// share their ends.
fn classes_in_run(code: &[Instruction], begin: u32, known: &mut [Option<usize>]) -> usize {
    let mut walked = Vec::new();
    let mut at = begin as usize;
    let mut classes = loop {
        if let Some(classes) = known[at] {
            break classes;
        }
        let (cost, next) = match &code[at] {
            Instruction::Class(_) => (1, at + 1),
            Instruction::Char(_) | Instruction::Look(_) | Instruction::Save(_) => (0, at + 1),
            Instruction::Jump(to) => (0, *to as usize),
            Instruction::Split { .. } | Instruction::Match => break 0,
        };
        walked.push((at, cost));
        at = next;
    };
    for (at, cost) in walked.into_iter().rev() {
        classes += cost;
        known[at] = Some(classes);
    }
    classes
}
