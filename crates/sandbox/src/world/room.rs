//! Prepares a world for a bot: a group that its rules allow, and a name that it reacts to.

use super::{
    World,
    people::{PersonId, Relation},
};

impl World {
    /// Ensures a group that the bot answers in and returns its name.
    ///
    /// The account takes the first of `names` as its nickname unless its nickname is one of them. If no group matches
    /// one of
    /// the globs `groups` (`*` matches any text, `?` one character), a group with a matching name is created.
    pub fn make_room_for(&mut self, names: &[String], groups: &[String]) -> String {
        if let Some(first) = names.first()
            && !names.contains(&self.me().name)
        {
            first.clone_into(&mut self.people[PersonId::ME.index()].name);
        }
        let fits =
            |topic: &str| groups.is_empty() || groups.iter().any(|glob| glob_matches(glob, topic));
        let fitting = self.group_ids().find(|group| fits(&self.group(*group).topic));
        let group = fitting.unwrap_or_else(|| self.add_group_for(&groups[0]));
        self.group(group).topic.clone()
    }

    fn add_group_for(&mut self, glob: &str) -> super::people::GroupId {
        let group = self.add_group(&name_for(glob));
        let friends: Vec<_> = self
            .person_ids()
            .filter(|id| self.person(*id).relation == Relation::Friend)
            .take(3)
            .collect();
        for friend in friends {
            self.groups[group.index()].add(friend);
        }
        group
    }
}

/// A name that matches the glob.
fn name_for(glob: &str) -> String {
    let name = glob.replace('*', "").replace('?', "一");
    if name.trim().is_empty() { "测试群".to_owned() } else { name }
}

/// Tests `text` against a glob, without case.
fn glob_matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut pos) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while pos < text.len() {
        match glob.get(at) {
            Some('*') => {
                retry = Some((at, pos));
                at += 1;
            }
            Some(expected) if *expected == '?' || *expected == text[pos] => {
                at += 1;
                pos += 1;
            }
            _ => {
                // Let the last star match one more character.
                let Some((star, taken)) = retry else { return false };
                retry = Some((star, taken + 1));
                (at, pos) = (star + 1, taken + 1);
            }
        }
    }
    glob[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("*", "水果店", true),
            ("水果*", "水果店客户群", true),
            ("*客户*群", "水果店客户一群", true),
            ("水果", "水果店", false),
            ("?群", "一群", true),
            ("?群", "群", false),
            ("VIP*", "vip 3", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b", "aXbX", false),
        ] {
            assert_eq!(glob_matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn a_matching_group_is_used_and_a_missing_one_created() {
        let mut world = World::default();
        let existing = world.make_room_for(&[], &["水果*".to_owned()]);
        assert_eq!(existing, "水果店客户群");
        assert_eq!(World::english().make_room_for(&[], &[]), "Customers");
        let made = world.make_room_for(&["阿福".to_owned()], &["读书会*".to_owned()]);
        assert_eq!((made.as_str(), world.nickname()), ("读书会", "阿福"));
        let group = world.find_group("读书会").unwrap();
        assert!(world.group(group).members.len() > 1);
    }

    #[test]
    fn every_generated_name_matches_its_glob() {
        for glob in ["*", "读书会*", "a?c", "**", "x"] {
            assert!(glob_matches(glob, &name_for(glob)), "{glob}");
        }
    }
}
