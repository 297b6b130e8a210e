//! Reads a world from a small TOML file; the built-in worlds.

use serde::Deserialize;

use super::{
    World,
    lines::Language,
    people::{GroupId, PersonId, Relation},
};

/// A world file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read the world file")]
pub struct WorldFileError(#[from] toml::de::Error);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WorldFile {
    #[serde(default)]
    language: LanguageFile,
    /// Contacts in one page of the contact list.
    page: Option<usize>,
    #[serde(default)]
    me: MeFile,
    #[serde(default, rename = "person")]
    people: Vec<PersonFile>,
    #[serde(default, rename = "official")]
    officials: Vec<PersonFile>,
    #[serde(default, rename = "group")]
    groups: Vec<GroupFile>,
    crowd: Option<Crowd>,
}

#[derive(Debug, Default, Deserialize)]
enum LanguageFile {
    #[default]
    #[serde(rename = "zh")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeFile {
    name: Option<String>,
    uin: Option<u32>,
    #[serde(default)]
    alias: String,
    #[serde(default)]
    signature: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    name: String,
    #[serde(default)]
    remark: String,
    #[serde(default)]
    alias: String,
    #[serde(default)]
    sex: Sex,
    #[serde(default)]
    province: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    signature: String,
    #[serde(default = "yes")]
    friend: bool,
    #[serde(default)]
    pinned: bool,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sex {
    #[default]
    Unknown = 0,
    Male = 1,
    Female = 2,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    name: String,
    #[serde(default)]
    members: Vec<MemberFile>,
    owner: Option<String>,
    /// The account's own name in the group.
    #[serde(default)]
    me: String,
    #[serde(default)]
    saved: bool,
    #[serde(default)]
    muted: bool,
    #[serde(default)]
    pinned: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a member is a name, or { name = \"…\", display = \"…\" }")]
enum MemberFile {
    Name(String),
    Named { name: String, display: String },
}

/// Generated people and groups beside the named ones, for accounts of real size.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Crowd {
    #[serde(default)]
    contacts: u32,
    #[serde(default)]
    groups: u32,
    /// Members of each of these groups.
    #[serde(default = "crowd_members")]
    members: u32,
}

fn yes() -> bool {
    true
}

fn crowd_members() -> u32 {
    100
}

const DEFAULT: &str = include_str!("default_world.toml");
const ENGLISH: &str = include_str!("english_world.toml");

impl Default for World {
    fn default() -> Self {
        Self::from_toml(DEFAULT).expect("the built-in world is tested")
    }
}

impl World {
    /// The built-in world with English names; the service's own lines are in English, too.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the built-in world is tested")]
    pub fn english() -> Self {
        Self::from_toml(ENGLISH).expect("the built-in world is tested")
    }

    /// Reads a world from TOML.
    ///
    /// ```
    /// let world = mynah_sandbox::World::from_toml(r#"
    ///     me = { name = "小助手" }
    ///     [[person]]
    ///     name = "Alice"
    ///     [[group]]
    ///     name = "Book club"
    ///     members = ["Alice", { name = "Bob", display = "Bob from Bath" }]
    /// [crowd]                  # generated people besides
    ///     contacts = 5000
    /// "#)?;
    /// assert_eq!(world.nickname(), "小助手");
    /// # Ok::<(), mynah_sandbox::WorldFileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the text is not valid TOML or has an unknown key.
    pub fn from_toml(text: &str) -> Result<Self, WorldFileError> {
        let file: WorldFile = toml::from_str(text)?;
        let mut world = Self::new(file.me.name.as_deref().unwrap_or("小助手"));
        let me = &mut world.people[PersonId::ME.index()];
        me.uin = file.me.uin.unwrap_or(3_170_542_881);
        (me.alias, me.signature) = (file.me.alias, file.me.signature);
        world.page = file.page.unwrap_or(world.page).max(1);
        if matches!(file.language, LanguageFile::English) {
            world.language = Language::English;
        }
        for person in file.people {
            world.add_from_file(person, Relation::Friend);
        }
        for official in file.officials {
            world.add_from_file(official, Relation::Official);
        }
        for group in file.groups {
            world.add_group_from_file(group);
        }
        if let Some(crowd) = file.crowd {
            world.add_crowd(&crowd);
        }
        Ok(world)
    }

    fn add_from_file(&mut self, file: PersonFile, relation: Relation) {
        let relation = if file.friend { relation } else { Relation::Stranger };
        let id = self.add_person(&file.name, relation);
        let person = &mut self.people[id.index()];
        person.remark = file.remark;
        person.alias = file.alias;
        person.sex = file.sex as i32;
        (person.province, person.city) = (file.province, file.city);
        person.signature = file.signature;
        person.pinned = file.pinned;
    }

    fn add_group_from_file(&mut self, file: GroupFile) {
        let id = self.add_group(&file.name);
        for member in file.members {
            let (name, display) = match member {
                MemberFile::Name(name) => (name, String::new()),
                MemberFile::Named { name, display } => (name, display),
            };
            self.add_member(id, &name, display);
        }
        let owner = file.owner.and_then(|name| self.find_person(&name, Some(id)));
        let group = &mut self.groups[id.index()];
        group.members[0].display = file.me;
        group.owner =
            owner.or_else(|| group.members.get(1).map(|it| it.person)).unwrap_or(PersonId::ME);
        (group.saved, group.muted, group.pinned) = (file.saved, file.muted, file.pinned);
    }

    fn add_member(&mut self, group: GroupId, name: &str, display: String) {
        let known = self.find_person(name, None);
        let person = known.unwrap_or_else(|| self.add_person(name, Relation::Stranger));
        let group = &mut self.groups[group.index()];
        group.add(person);
        if let Some(member) = group.members.iter_mut().find(|it| it.person == person) {
            member.display = display;
        }
    }

    /// Adds generated people: friends, and groups with this number of members each, as `[crowd]` of a file does.
    #[must_use]
    pub fn with_crowd(mut self, contacts: u32, groups: u32, members: u32) -> Self {
        self.add_crowd(&Crowd { contacts, groups, members });
        self
    }

    fn add_crowd(&mut self, crowd: &Crowd) {
        let contacts: Vec<_> = (0..crowd.contacts)
            .map(|number| self.add_person(&format!("联系人{number:04}"), Relation::Friend))
            .collect();
        let strangers = crowd.members.saturating_sub(crowd.contacts);
        let strangers: Vec<_> = (0..strangers)
            .map(|number| self.add_person(&format!("路人{number:04}"), Relation::Stranger))
            .collect();
        let everybody: Vec<_> = contacts.into_iter().chain(strangers).collect();
        for number in 0..crowd.groups {
            let id = self.add_group(&format!("大群{number:03}"));
            // Neighbouring groups share half of their members.
            let first = number as usize * crowd.members as usize / 2;
            let members = everybody.iter().cycle().skip(first % everybody.len().max(1));
            for person in
                members.take(everybody.len().min(crowd.members.saturating_sub(1) as usize))
            {
                self.groups[id.index()]
                    .members
                    .push(super::people::Member { person: *person, display: String::new() });
            }
            self.groups[id.index()].saved = number % 2 == 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_world_has_the_groups_that_the_documents_name() {
        let world = World::default();
        assert_eq!(world.nickname(), "小助手");
        let group = world.group(world.find_group("水果店客户群").unwrap());
        assert!(group.members.len() >= 4 && group.has(PersonId::ME));
        assert!(world.people.iter().any(|person| person.relation == Relation::Official));
    }

    #[test]
    fn the_english_world_is_the_same_shop() {
        let (chinese, english) = (World::default(), World::english());
        assert!(matches!(english.language, Language::English));
        assert_eq!(english.people.len(), chinese.people.len());
        assert_eq!(english.groups.len(), chinese.groups.len());
        let named = english.people.iter().filter(|person| person.relation != Relation::Special);
        let names = named.map(|person| &person.name);
        let topics = english.groups.iter().map(|group| &group.topic);
        for name in names.chain(topics) {
            assert!(name.chars().all(|c| c.is_ascii() || c == '🍎'), "{name}");
        }
        assert!(english.groups[0].topic == "Customers" && english.groups[0].has(PersonId::ME));
    }

    #[test]
    fn the_world_of_the_readme_is_one() {
        let readme = include_str!("../../README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let world = World::from_toml(rest.split_once("```").unwrap().0).unwrap();
        let group = world.find_group("水果店客户群").unwrap();
        assert_eq!(world.name_in(group, PersonId::ME), "店长的助手");
    }

    #[test]
    fn errors_in_a_world_file_are_reported() {
        for wrong in [
            "me = 3",
            "[[person]]",
            "[[person]]\nname = 'a'\nage = 3",
            "language = 'fr'",
            "x = 1",
            "= 2",
        ] {
            assert!(World::from_toml(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_crowd_has_the_size_that_was_asked_for() {
        let world =
            World::from_toml("crowd = { contacts = 5000, groups = 3, members = 500 }").unwrap();
        assert_eq!(
            world.people.iter().filter(|person| person.relation == Relation::Friend).count(),
            5000
        );
        assert!(world.groups.iter().all(|group| group.members.len() == 500));
    }

    #[test]
    fn members_are_found_by_the_name_they_have_in_the_group() {
        let world = World::from_toml(
            "[[person]]\nname = '王伟'\n[[group]]\nname = 'G'\nmembers = [{ name = '王伟', display = '老板' }, '李雷']",
        )
        .unwrap();
        let group = world.find_group("G");
        assert_eq!(world.find_person("老板", group), world.find_person("王伟", None));
        assert_eq!(world.find_person("老板", None), None);
        assert!(world.find_person("李雷", group).is_some());
    }
}
