//! The texts that every match of a regex contains.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::injected::{Mistake, injected};

/// A larger set selects too little.
const MOST: usize = 32;

/// Sets of texts: of each set, every match contains one text. No set holds an empty text.
pub(super) fn required(hir: &Hir) -> Vec<Vec<String>> {
    let mut found = Found::of(hir);
    let whole = found.whole.take();
    found.keep(whole);
    found.sets
}

/// The facts known about a part of a regex.
struct Found {
    /// Every text that the part can match, if these are few.
    whole: Option<Vec<String>>,
    /// Sets of which every match contains one text.
    sets: Vec<Vec<String>>,
}

impl Found {
    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::whole(vec![String::new()]),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => Self::whole(vec![text.to_owned()]),
                Err(_) => Self::unknown(),
            },
            HirKind::Class(class) => Self { whole: members(class), sets: Vec::new() },
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => {
                Self::of(&repetition.sub).repeated(repetition.min, repetition.max)
            }
            HirKind::Concat(parts) => Self::of_sequence(parts),
            HirKind::Alternation(parts) => Self::of_branches(parts),
        }
    }

    fn whole(texts: Vec<String>) -> Self {
        Self { whole: Some(texts), sets: Vec::new() }
    }

    fn unknown() -> Self {
        Self { whole: None, sets: Vec::new() }
    }

    /// Keeps the whole texts of a part as a set, if they tell anything.
    fn keep(&mut self, whole: Option<Vec<String>>) {
        let tells =
            |set: &Vec<String>| !set.is_empty() && set.iter().all(|text| !text.trim().is_empty());
        self.sets.extend(whole.filter(tells).map(without_longer));
    }

    fn repeated(mut self, min: u32, max: Option<u32>) -> Self {
        match (min, max) {
            (1, Some(1)) => self,
            (0, _) if injected(Mistake::OptionalRequired) => self,
            (0, Some(1)) => {
                let with_nothing = |mut texts: Vec<String>| {
                    texts.push(String::new());
                    texts
                };
                Self { whole: self.whole.map(with_nothing), sets: Vec::new() }
            }
            (0, _) => Self::unknown(),
            // At least once: all turns contain the texts of one.
            _ => {
                let whole = self.whole.take();
                self.keep(whole);
                self
            }
        }
    }

    fn of_sequence(parts: &[Hir]) -> Self {
        let mut all = Self::unknown();
        // The texts of the parts since the last one that was not known in full.
        let mut run = vec![String::new()];
        let mut complete = true;
        for part in parts {
            let mut next = Self::of(part);
            all.sets.append(&mut next.sets);
            let texts = next.whole.unwrap_or_default();
            if texts.is_empty() || run.len() * texts.len() > MOST {
                all.keep(Some(std::mem::take(&mut run)));
                complete = false;
                run = if texts.is_empty() { vec![String::new()] } else { texts };
            } else {
                run = run
                    .iter()
                    .flat_map(|head| texts.iter().map(move |tail| format!("{head}{tail}")))
                    .collect();
            }
        }
        if complete {
            all.whole = Some(run);
        } else {
            all.keep(Some(run));
        }
        all
    }

    fn of_branches(parts: &[Hir]) -> Self {
        let parts = if injected(Mistake::FirstBranch) { &parts[..1] } else { parts };
        let branches: Vec<Self> = parts.iter().map(Self::of).collect();
        let wholes: Option<Vec<Vec<String>>> =
            branches.iter().map(|branch| branch.whole.clone()).collect();
        if let Some(texts) =
            wholes.map(|wholes| wholes.concat()).filter(|texts| texts.len() <= MOST)
        {
            return Self::whole(texts);
        }
        // One set of each branch: the one whose shortest text is longest.
        let best = branches.into_iter().map(|mut branch| {
            let whole = branch.whole.take();
            branch.keep(whole);
            let shortest = |set: &Vec<String>| set.iter().map(String::len).min();
            branch.sets.into_iter().max_by_key(shortest)
        });
        let sets: Option<Vec<Vec<String>>> = best.collect();
        let joined = sets.map(|sets| sets.concat()).filter(|set| set.len() <= MOST);
        Self { whole: None, sets: joined.into_iter().collect() }
    }
}

/// The members of a class, if they are few.
fn members(class: &Class) -> Option<Vec<String>> {
    let members: Vec<char> = match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .take(MOST + 1)
            .collect(),
        Class::Bytes(class) => {
            let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            bytes.map(char::from).take(MOST + 1).collect()
        }
    };
    (members.len() <= MOST).then(|| {
        // Both cases of a letter fold to one text.
        let mut texts: Vec<String> =
            members.into_iter().map(|c| crate::fold::fold_case(c).to_string()).collect();
        texts.sort_unstable();
        texts.dedup();
        texts.truncate(if injected(Mistake::FirstOfClass) { 1 } else { MOST });
        texts
    })
}

/// A set without the texts that contain another of the set: where these are, the shorter one is.
fn without_longer(mut set: Vec<String>) -> Vec<String> {
    set.sort_unstable_by_key(String::len);
    let mut kept: Vec<String> = Vec::new();
    for text in set {
        if !kept.iter().any(|shorter| text.contains(shorter.as_str())) {
            kept.push(text);
        }
    }
    kept
}
