//! Whom a name means while friends take names and the owner of the account gives remarks.

use mynah_core::{Binding, Chat, Content, EventBody, Message, Origin, Person};

use crate::rule_book::test_book::Talk;

const COMMAND: &str = r#"
    [bot]
    admins = ["老王"]
    [[rule]]
    exact = "去"
    from = "admin"
    reply = "好"
"#;

/// A friend with a remark, or a nickname that no other friend answers to, or both.
fn friend(id: &str, remark: Option<&str>, nickname: Option<&str>) -> Person {
    let names = |name: Option<&str>| name.map(str::to_owned).into_iter().collect();
    let shown = nickname.unwrap_or("某人");
    Person {
        certain_names: names(remark),
        chosen_names: names(nickname),
        ..Person::stranger(id, shown)
    }
}

fn says(talk: &mut Talk, sender: Person, text: &str) -> Vec<String> {
    talk.happens(EventBody::Message(Message {
        id: "m".into(),
        chat: Chat::group("g:群", "群"),
        sender,
        origin: Origin::Person,
        content: Content::text(text),
        text: text.to_owned(),
        called: false,
        behind_name: None,
    }))
}

fn is_obeyed(talk: &mut Talk, sender: Person) -> bool {
    says(talk, sender, "去") == ["好"]
}

/// The bindings that the last decision made.
fn bound(talk: &Talk) -> Vec<(String, String)> {
    let made = talk.last.writes.iter().filter_map(Binding::made_by);
    made.map(|bound| (bound.name, bound.person.to_string())).collect()
}

#[test]
fn a_nickname_stays_with_the_person_who_carried_it_first() {
    let mut talk = Talk::with(COMMAND);
    assert!(is_obeyed(&mut talk, friend("first", None, Some("老王"))));
    assert_eq!(bound(&talk), [("老王".to_owned(), "first".to_owned())]);
    assert!(is_obeyed(&mut talk, friend("first", None, Some("老王"))));
    assert!(bound(&talk).is_empty(), "it is bound already");
    // The first one renames himself, and another friend takes the name.
    assert!(!is_obeyed(&mut talk, friend("second", None, Some("老王"))));
    assert!(talk.last.warnings[0].en.contains("老王"), "{:?}", talk.last.warnings);
    assert!(!is_obeyed(&mut talk, friend("first", None, Some("小王"))), "the name is gone");
    assert!(is_obeyed(&mut talk, friend("first", None, Some("老王"))), "and back");
}

#[test]
fn a_remark_set_later_wins_over_a_nickname_that_was_bound_before() {
    let mut talk = Talk::with(COMMAND);
    assert!(is_obeyed(&mut talk, friend("impostor", None, Some("老王"))));
    // From now on the nickname is not unique any more: the transport reports this with each message.
    assert!(is_obeyed(&mut talk, friend("right", Some("老王"), Some("王总"))));
    assert!(!is_obeyed(&mut talk, friend("impostor", None, None)));
    // The binding is gone for good, not only covered by the remark.
    assert!(is_obeyed(&mut talk, friend("other", None, Some("老王"))));
    assert_eq!(bound(&talk), [("老王".to_owned(), "other".to_owned())]);
}

#[test]
fn a_remark_binds_nothing_so_that_it_can_be_given_to_another_friend() {
    let mut talk = Talk::with(COMMAND);
    assert!(is_obeyed(&mut talk, friend("a", Some("老王"), None)));
    assert!(bound(&talk).is_empty());
    assert!(is_obeyed(&mut talk, friend("b", Some("老王"), None)));
    assert!(!is_obeyed(&mut talk, friend("a", None, None)));
}

#[test]
fn from_and_not_from_mean_people_as_admins_do() {
    let rules = r#"
        [[rule]]
        exact = "密"
        from = ["老王", "小李"]
        reply = "只给他"
        [[rule]]
        exact = "禁"
        not_from = "老王"
        reply = "给别人"
    "#;
    let mut talk = Talk::with(rules);
    let first = || friend("first", None, Some("老王"));
    assert_eq!(says(&mut talk, first(), "密"), ["只给他"]);
    assert_eq!(says(&mut talk, first(), "禁"), [""; 0]);
    let second = || friend("second", None, Some("老王"));
    assert_eq!(says(&mut talk, second(), "密"), [""; 0]);
    assert_eq!(says(&mut talk, second(), "禁"), ["给别人"]);
    assert_eq!(says(&mut talk, friend("third", Some("老王"), None), "禁"), [""; 0]);
    let names: Vec<_> = talk.book.people().map(|(name, keys)| (name, keys.join(" "))).collect();
    assert_eq!(names, [("小李", "from".to_owned()), ("老王", "from not_from".to_owned())]);
}

#[test]
fn a_person_who_is_ignored_does_not_get_out_by_a_new_nickname() {
    let mut talk =
        Talk::with("[bot]\nignore = [\"广告\"]\n[[rule]]\nexact = \"去\"\nreply = \"好\"\n");
    assert!(!is_obeyed(&mut talk, friend("spam", None, Some("广告"))));
    assert!(!is_obeyed(&mut talk, friend("spam", None, Some("好人"))));
    assert!(is_obeyed(&mut talk, friend("namesake", None, Some("广告"))), "bound to the first");
    // The remark says who is meant, and frees the other.
    assert!(!is_obeyed(&mut talk, friend("right", Some("广告"), None)));
    assert!(is_obeyed(&mut talk, friend("spam", None, Some("好人"))));
}

#[test]
fn a_binding_of_version_1_is_a_nickname_and_yields_to_a_remark() {
    let mut talk = Talk::with(COMMAND);
    talk.remembers(&Binding::key("老王"), "old");
    assert!(!is_obeyed(&mut talk, friend("old", None, Some("别名"))));
    assert!(!is_obeyed(&mut talk, friend("new", None, Some("老王"))));
    assert!(is_obeyed(&mut talk, friend("right", Some("老王"), None)));
}
