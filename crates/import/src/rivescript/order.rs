//! The order in which RiveScript looks at its triggers.

use std::cmp::Reverse;

use super::script::{Script, Trigger};
use mynah_core::sort_by_key;

/// The triggers, first those that follow a sentence, then by weight, and the more certain before the less certain.
pub(super) fn sorted(script: &Script) -> Vec<&Trigger> {
    let mut triggers: Vec<(usize, &Trigger)> = script.triggers.iter().enumerate().collect();
    sort_by_key(&mut triggers, |(number, trigger)| {
        let (class, words) = class(&trigger.pattern);
        let length = trigger.pattern.chars().count();
        (
            Reverse(depth(&trigger.topic, script, 0)),
            trigger.previous.is_none(),
            Reverse(trigger.weight),
            class,
            Reverse(words),
            trigger.pattern.contains('['),
            Reverse(length),
            *number,
        )
    });
    triggers.into_iter().map(|(_, trigger)| trigger).collect()
}

/// How many topics a topic has above it. Topics may inherit each other in circles.
fn depth(topic: &str, script: &Script, so_far: usize) -> usize {
    if so_far > 8 {
        return so_far;
    }
    let above = script.topics.get(topic).map(Vec::as_slice).unwrap_or_default();
    above.iter().map(|one| depth(one, script, so_far + 1)).max().unwrap_or(so_far)
}

/// The class of a trigger, lower ones first, and the number of its words.
fn class(pattern: &str) -> (u8, usize) {
    let is_sign = |c: char| c.is_whitespace() || matches!(c, '*' | '#' | '_' | '|');
    let words = pattern.split(is_sign).filter(|word| !word.is_empty()).count();
    let alone = words == 0;
    let class = match () {
        () if pattern.contains('_') && alone => 5,
        () if pattern.contains('_') => 2,
        () if pattern.contains('#') && alone => 6,
        () if pattern.contains('#') => 3,
        () if pattern.contains('*') && alone => 7,
        () if pattern.contains('*') => 4,
        () if pattern.contains('[') => 1,
        () => 0,
    };
    (class, words)
}
