//! Who is who after a new login, in which every name of the service has changed.
//!
//! Two lists are compared: the people known before and those in the service's lists now. A fact that exactly one on
//! either side has makes them the same person; strong facts are tried before weak ones. Where a fact fits several, none
//! is chosen.

use std::collections::HashMap;

use super::facts::{Facts, Standing};

/// The result for a person in the service's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is this person.
    Known(u32),
    /// No known person is like this.
    New,
    /// It could be one of these, and no fact distinguishes them.
    Doubtful(Vec<u32>),
}

/// How much weight the facts may have that several people can share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The whole contact list is at hand, so a nickname that occurs once is telling.
    WholeList,
    /// Only one person is at hand: only facts that belong to one person by their nature count.
    OnePerson,
}

type Key<'a> = (u64, [&'a str; 4]);
type Level = for<'a> fn(&'a Facts) -> Option<Key<'a>>;

const STRONG: [Level; 3] = [by_real_id, by_uin, by_alias];
const FAIR: [Level; 2] = [by_remark_and_nick, by_remark];
const WEAK: [Level; 2] = [by_nick_and_traits, by_nick];

/// Lays `new` beside `old` and says who each of `new` is.
pub(crate) fn recognise(old: &[(u32, &Facts)], new: &[&Facts], evidence: Evidence) -> Vec<Verdict> {
    let mut old: Vec<Option<(u32, &Facts)>> = old.iter().copied().map(Some).collect();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; new.len()];
    for level in STRONG.into_iter().chain(FAIR) {
        pair(&mut old, new, &mut verdicts, level, |a, b| !a.contradict(b));
    }
    if evidence == Evidence::WholeList {
        for level in WEAK {
            pair(&mut old, new, &mut verdicts, level, may_share_a_nick);
        }
    }
    let left: Vec<(u32, &Facts)> = old.into_iter().flatten().collect();
    let doubts = doubts(&left, evidence);
    let verdict = |(verdict, facts): (Option<Verdict>, &&Facts)| {
        verdict.unwrap_or_else(|| match doubts.get(&by_nick(facts)) {
            Some(candidates) => Verdict::Doubtful(candidates.clone()),
            None => Verdict::New,
        })
    };
    verdicts.into_iter().zip(new).map(verdict).collect()
}

/// Pairs those who share a key that is unique on both sides.
fn pair<'f>(
    old: &mut [Option<(u32, &'f Facts)>],
    new: &[&'f Facts],
    verdicts: &mut [Option<Verdict>],
    level: Level,
    fits: impl Fn(&Facts, &Facts) -> bool,
) {
    let before =
        lone(old.iter().enumerate().filter_map(|(at, old)| Some((at, old.as_ref()?.1))), level);
    let open = new.iter().enumerate().filter(|(at, _)| verdicts[*at].is_none());
    let now = lone(open.map(|(at, facts)| (at, *facts)), level);
    for (key, new_at) in now {
        let Some(new_at) = new_at else { continue };
        let Some(old_at) = before.get(&key).copied().flatten() else { continue };
        if let Some((id, facts)) = old[old_at]
            && fits(facts, new[new_at])
        {
            verdicts[new_at] = Some(Verdict::Known(id));
            old[old_at] = None;
        }
    }
}

/// Where each key occurs; `None` if it occurs more than once.
fn lone<'f>(
    entries: impl Iterator<Item = (usize, &'f Facts)>,
    level: Level,
) -> HashMap<Key<'f>, Option<usize>> {
    let mut places = HashMap::new();
    for (at, facts) in entries {
        if let Some(key) = level(facts) {
            places.entry(key).and_modify(|place| *place = None).or_insert(Some(at));
        }
    }
    places
}

/// The people that are left over, by nickname.
fn doubts<'f>(left: &[(u32, &'f Facts)], evidence: Evidence) -> HashMap<Option<Key<'f>>, Vec<u32>> {
    let mut doubts: HashMap<Option<Key<'f>>, Vec<u32>> = HashMap::new();
    if evidence == Evidence::WholeList {
        for (id, facts) in left {
            if let Some(key) = by_nick(facts) {
                doubts.entry(Some(key)).or_default().push(*id);
            }
        }
    }
    doubts
}

/// A nickname is weak: no other known fact may contradict it.
fn may_share_a_nick(old: &Facts, new: &Facts) -> bool {
    let remarks_differ =
        !old.remark.is_empty() && !new.remark.is_empty() && old.remark != new.remark;
    let sexes_differ = old.sex != 0 && new.sex != 0 && old.sex != new.sex;
    !old.contradict(new) && !remarks_differ && !sexes_differ
}

fn by_real_id(facts: &Facts) -> Option<Key<'_>> {
    (!facts.real_id.is_empty()).then_some((0, [&facts.real_id, "", "", ""]))
}

fn by_uin(facts: &Facts) -> Option<Key<'_>> {
    (facts.uin != 0).then_some((facts.uin, [""; 4]))
}

fn by_alias(facts: &Facts) -> Option<Key<'_>> {
    (!facts.alias.is_empty()).then_some((0, [&facts.alias, "", "", ""]))
}

fn by_remark_and_nick(facts: &Facts) -> Option<Key<'_>> {
    let known = !facts.remark.is_empty() && !facts.nick.is_empty();
    known.then_some((0, [&facts.remark, &facts.nick, "", ""]))
}

fn by_remark(facts: &Facts) -> Option<Key<'_>> {
    (!facts.remark.is_empty()).then_some((0, [&facts.remark, "", "", ""]))
}

fn by_nick_and_traits(facts: &Facts) -> Option<Key<'_>> {
    let sex = u64::try_from(facts.sex).unwrap_or(0);
    by_nick(facts).map(|(_, [nick, standing, ..])| (sex, [nick, standing, &facts.place, ""]))
}

/// Strangers have no such key: among them, equal nicknames prove nothing.
fn by_nick(facts: &Facts) -> Option<Key<'_>> {
    let standing = match facts.standing {
        Standing::Friend => "friend",
        Standing::Official => "official",
        Standing::Special => "special",
        Standing::Stranger => return None,
    };
    (!facts.nick.is_empty()).then_some((0, [&facts.nick, standing, "", ""]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn friend(nick: &str, remark: &str, alias: &str) -> Facts {
        Facts {
            standing: Standing::Friend,
            nick: nick.to_owned(),
            remark: remark.to_owned(),
            alias: alias.to_owned(),
            ..Facts::default()
        }
    }

    fn lives_in(place: &str, facts: Facts) -> Facts {
        Facts { place: place.to_owned(), ..facts }
    }

    fn told(old: &[Facts], new: &[Facts]) -> Vec<Verdict> {
        let old: Vec<(u32, &Facts)> = (1..).zip(old).collect();
        recognise(&old, &new.iter().collect::<Vec<_>>(), Evidence::WholeList)
    }

    #[test]
    fn strong_facts_win_over_weak_ones() {
        use Verdict::{Doubtful, Known, New};
        let f = friend;
        for (name, old, new, expected) in [
            ("alias, new nick", vec![f("a", "", "ann")], vec![f("b", "", "ann")], vec![Known(1)]),
            ("remark, new nick", vec![f("a", "Ann", "")], vec![f("b", "Ann", "")], vec![Known(1)]),
            ("nick alone", vec![f("a", "", "")], vec![f("a", "", "")], vec![Known(1)]),
            (
                "new remark, same nick",
                vec![f("a", "", "")],
                vec![f("a", "Ann", "")],
                vec![Known(1)],
            ),
            (
                "another remark, same nick",
                vec![f("a", "x", "")],
                vec![f("a", "y", "")],
                vec![Doubtful(vec![1])],
            ),
            (
                "another alias, same nick",
                vec![f("a", "", "x")],
                vec![f("a", "", "y")],
                vec![Doubtful(vec![1])],
            ),
            ("nobody like this", vec![f("a", "", "")], vec![f("b", "", "")], vec![New]),
            (
                "two of a nickname on one side",
                vec![f("a", "", ""), f("a", "", "")],
                vec![f("a", "", "")],
                vec![Doubtful(vec![1, 2])],
            ),
            (
                "two of a nickname on the other side",
                vec![f("a", "", "")],
                vec![f("a", "", ""), f("a", "", "")],
                vec![Doubtful(vec![1]), Doubtful(vec![1])],
            ),
            (
                "two of a nickname, one with a remark",
                vec![f("a", "one", ""), f("a", "", "")],
                vec![f("a", "", ""), f("a", "one", "")],
                vec![Known(2), Known(1)],
            ),
            (
                "two of a nickname in two places",
                vec![lives_in("x", f("a", "", "")), lives_in("y", f("a", "", ""))],
                vec![lives_in("y", f("a", "", "")), lives_in("x", f("a", "", ""))],
                vec![Known(2), Known(1)],
            ),
        ] {
            assert_eq!(told(&old, &new), expected, "{name}");
        }
    }

    #[test]
    fn one_person_alone_is_not_known_by_nickname() {
        let old = friend("a", "", "");
        let new = friend("a", "", "");
        assert_eq!(recognise(&[(1, &old)], &[&new], Evidence::OnePerson), [Verdict::New]);
    }

    fn anybody() -> impl Strategy<Value = Facts> {
        (0..4_u8, 0..4_u8, 0..4_u8, 0..3_i64).prop_map(|(nick, remark, alias, sex)| {
            let text = |n: u8| if n == 0 { String::new() } else { n.to_string() };
            Facts { sex, ..friend(&text(nick), &text(remark), &text(alias)) }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn nobody_is_recognised_twice_and_nothing_contradicts(
            old in prop::collection::vec(anybody(), 0..8),
            new in prop::collection::vec(anybody(), 0..8),
        ) {
            let verdicts = told(&old, &new);
            let mut seen = Vec::new();
            for (verdict, facts) in verdicts.iter().zip(&new) {
                if let Verdict::Known(id) = verdict {
                    prop_assert!(!seen.contains(id));
                    prop_assert!(!old[*id as usize - 1].contradict(facts));
                    seen.push(*id);
                }
            }
        }

        #[test]
        fn the_order_of_the_lists_changes_nothing(
            old in prop::collection::vec(anybody(), 0..6),
            new in prop::collection::vec(anybody(), 0..6),
        ) {
            let mut backwards = new.clone();
            backwards.reverse();
            let mut verdicts = told(&old, &backwards);
            verdicts.reverse();
            prop_assert_eq!(told(&old, &new), verdicts);
        }
    }
}
