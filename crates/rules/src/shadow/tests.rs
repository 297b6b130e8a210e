//! Every condition, put before a rule without it.

use crate::diagnostic::Diagnostic;
use crate::keys::{Key, Role, Table};
use crate::rule_book::test_book::diagnostics;

/// A rule with this condition and, where both are possible, the text `hi`. A new key fails the test until its effect on
/// rules that never answer is decided here.
fn asking_for(key: &Key) -> String {
    let line = match key.name {
        "keyword" | "exact" | "prefix" | "suffix" | "all" => {
            return format!("{} = \"hi there\"", key.name);
        }
        "pattern" => return "pattern = \"hi {name}\"".to_owned(),
        "regex" => return "regex = 'hi\\d'".to_owned(),
        "type" => return "type = \"image\"".to_owned(),
        "event" => return "event = \"join\"".to_owned(),
        "none" => "none = \"spam\"",
        "in" => "in = \"group\"",
        "groups" => "groups = \"客户*\"",
        "at_me" => "at_me = true",
        "from" => "from = \"老王\"",
        "not_from" => "not_from = \"老王\"",
        "time" => "time = \"09:00-18:00\"",
        "days" => "days = \"mon\"",
        "chance" => "chance = 0.5",
        "similar" => "similar = \"hi there\"",
        "after" => "after = \"wide\"",
        "when" => "when = { mode = \"on\" }",
        unknown => panic!("the condition `{unknown}` has no example here"),
    };
    format!("keyword = \"hi\"\n{line}")
}

fn never_fires(found: &[Diagnostic]) -> bool {
    found.iter().any(|diagnostic| diagnostic.code == "never-fires")
}

#[test]
fn a_rule_with_one_more_condition_never_shadows_the_rule_without() {
    let is_condition = |key: &&Key| matches!(key.role, Role::Condition | Role::Restriction);
    let mut count = 0;
    for key in Table::Rule.keys().filter(is_condition) {
        let narrow = format!("[[rule]]\n{}\nreply = \"a\"\n", asking_for(key));
        let wide = "[[rule]]\nid = \"wide\"\nkeyword = \"hi\"\nreply = \"b\"\n";
        let found = diagnostics(&format!("{narrow}{wide}"));
        assert!(!never_fires(&found), "{}: {found:#?}", key.name);
        assert!(!found.iter().any(Diagnostic::is_error), "{found:#?}");
        count += 1;
    }
    assert!(count >= 18, "only {count} conditions in the table of keys");
}

#[test]
fn the_same_rule_twice_is_seen() {
    let rule = "[[rule]]\nkeyword = \"hi\"\nreply = \"a\"\n";
    assert!(never_fires(&diagnostics(&format!("{rule}{rule}"))));
}

/// A sentence ignores the signs at its end; an exact text that ends in one does not.
#[test]
fn a_sentence_is_compared_with_each_end_that_it_may_have() {
    for (earlier, later, is_shadowed) in [
        ("exact = \"1！\"", "pattern = \"1！\"", false),
        ("exact = \"1\"", "pattern = \"1！\"", true),
        ("pattern = \"1\"", "pattern = \"1！\"", true),
        ("pattern = \"1！\"", "exact = \"1！\"", true),
        ("exact = \"！\"", "pattern = \"！\"", true),
        ("suffix = \"好？\"", "pattern = \"你[们]好？\"", false),
        ("suffix = \"好\"", "pattern = \"你[们]好？\"", true),
    ] {
        let rules =
            format!("[[rule]]\n{earlier}\nreply = \"a\"\n[[rule]]\n{later}\nreply = \"b\"\n");
        assert_eq!(never_fires(&diagnostics(&rules)), is_shadowed, "{earlier} before {later}");
    }
}
