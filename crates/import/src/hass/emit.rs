//! Parts as patterns.

use super::template::Part;
use crate::names::in_pattern;

/// The longest pattern in characters.
const LONGEST: usize = 500;

/// The patterns of a part: one, or several if it is too long. `list` writes a slot, `rule` a rule that is a list.
pub(super) fn patterns(
    part: &Part,
    list: &dyn Fn(&str, &str) -> String,
    rule: &dyn Fn(&str) -> String,
) -> Option<Vec<String>> {
    let mut done = Vec::new();
    let mut open = vec![part.clone()];
    while let Some(part) = open.pop() {
        let pattern = written(&part, list, rule)?;
        let pattern = pattern.split_whitespace().collect::<Vec<_>>().join(" ");
        if pattern.chars().count() <= LONGEST {
            if !pattern.is_empty() && !done.contains(&pattern) {
                done.push(pattern);
            }
            continue;
        }
        let halves = split(&part)?;
        open.extend(halves.into_iter().rev());
        if done.len() + open.len() > 64 {
            return None;
        }
    }
    Some(done)
}

/// The part with its largest choice decided, once for each branch.
fn split(part: &Part) -> Option<Vec<Part>> {
    match part {
        Part::Alt(parts) => Some(parts.clone()),
        Part::Opt(inner) => Some(vec![(**inner).clone(), Part::nothing()]),
        Part::Seq(parts) => {
            let size = |part: &Part| format!("{part:?}").len();
            let is_choice =
                |part: &Part| matches!(part, Part::Alt(_) | Part::Opt(_) | Part::Seq(_));
            let largest = parts.iter().enumerate().filter(|(_, part)| is_choice(part));
            let (at, largest) = largest.max_by_key(|(_, part)| size(part))?;
            let branches = split(largest)?;
            let with = |branch: Part| {
                let mut parts = parts.clone();
                parts[at] = branch;
                Part::Seq(parts)
            };
            Some(branches.into_iter().map(with).collect())
        }
        _ => None,
    }
}

fn written(
    part: &Part,
    list: &dyn Fn(&str, &str) -> String,
    rule: &dyn Fn(&str) -> String,
) -> Option<String> {
    Some(match part {
        Part::Text(text) => in_pattern(text)?,
        Part::List { list: name, slot } => list(name, slot),
        Part::Rule(name) => rule(name),
        Part::Perm(_) => return None,
        Part::Seq(parts) => sequence(parts, list, rule)?,
        Part::Alt(_) | Part::Opt(_) => {
            let (branches, may_be_missing) = branches(part);
            let texts: Option<Vec<String>> =
                branches.iter().map(|one| written(one, list, rule)).collect();
            let mut texts = texts?;
            texts.retain(|text| !text.trim().is_empty());
            match (texts.len(), may_be_missing) {
                (0, _) => String::new(),
                (_, true) => format!("[{}]", texts.join("|")),
                (1, false) => texts.remove(0),
                (_, false) => format!("({})", texts.join("|")),
            }
        }
    })
}

/// A sequence. A blank that may be missing between words makes two ways of all that follows.
fn sequence(
    parts: &[Part],
    list: &dyn Fn(&str, &str) -> String,
    rule: &dyn Fn(&str) -> String,
) -> Option<String> {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        if matches!(part, Part::Opt(inner) if inner.is_blank()) {
            let rest = sequence(&parts[at + 1..], list, rule)?;
            let parts_words =
                text.ends_with(|c: char| c.is_alphanumeric()) && !rest.trim().is_empty();
            if parts_words {
                text.push_str(&format!("({}| {})", rest.trim_start(), rest.trim_start()));
            } else {
                text.push_str(&rest);
            }
            return Some(text);
        }
        text.push_str(&written(part, list, rule)?);
    }
    Some(text)
}

/// The branches of a choice, choices in it included, and whether it may be missing.
fn branches(part: &Part) -> (Vec<&Part>, bool) {
    match part {
        Part::Alt(parts) => {
            let mut all = Vec::new();
            let mut missing = false;
            for part in parts {
                if part.is_blank() {
                    missing = true;
                    continue;
                }
                let (inner, may) = branches(part);
                all.extend(inner);
                missing |= may;
            }
            (all, missing)
        }
        Part::Opt(inner) => (branches(inner).0, true),
        Part::Seq(parts) if parts.len() == 1 => branches(&parts[0]),
        part => (vec![part], false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hass::template::parse;

    #[test]
    fn templates_are_patterns() {
        for (template, expected) in [
            ("turn on [the] {name}", "turn on [the] {name}"),
            ("{brightness}[([ ]%)| percent]", "{brightness}[%| percent]"),
            ("light[s] [(a|b)]", "light[s] [a|b]"),
            ("wie[ ]viel[e] [x]", "wie(viel[e] [x]| viel[e] [x])"),
            ("(hour|hours|)", "[hour|hours]"),
            ("(set)", "set"),
        ] {
            let list = |_: &str, slot: &str| format!("{{{slot}}}");
            let found =
                patterns(&parse(template).expect(template), &list, &|name| format!("<{name}>"));
            assert_eq!(found.expect(template), [expected], "{template}");
        }
    }
}
