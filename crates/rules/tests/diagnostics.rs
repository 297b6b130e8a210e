//! The diagnostics of rule files: every file under `inputs` is loaded, and its diagnostics in both languages are
//! compared with the snapshot beside them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use mynah_core::{ActionKind, Capabilities, EventKind, GroupDelivery};
use mynah_rules::{Disk, Lang, LoadOptions, Loaded, load};

/// How long a check may take that is linear in the file.
const LONGEST: Duration = Duration::from_secs(60);

fn load_input(path: &Path) -> Loaded {
    load(path, &Disk, &LoadOptions::default())
}

/// The diagnostics, those about earlier versions left out: nearly every file has some.
fn shown(loaded: &Loaded, lang: Lang) -> String {
    let mistakes = loaded.diagnostics.iter().filter(|one| one.code != "compared");
    mistakes.map(|one| one.render(&loaded.sources, lang, false)).collect()
}

#[test]
fn each_new_way_of_comparing_is_noted_once_with_its_places() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs/compared.toml");
    let loaded = load_input(&path);
    let both = [Lang::En, Lang::Zh];
    let notes = loaded.diagnostics.iter().filter(|one| one.code == "compared");
    let text: String =
        notes.flat_map(|one| both.map(|lang| one.render(&loaded.sources, lang, false))).collect();
    insta::assert_snapshot!(text);
    assert!(loaded.book.is_some());
}

#[test]
fn every_mistake_is_named_with_its_place() {
    insta::glob!("inputs/bad/*.toml", |path| {
        let loaded = load_input(path);
        assert!(!loaded.diagnostics.is_empty(), "{} has no mistake", path.display());
        let mut text = shown(&loaded, Lang::En);
        let _ = write!(text, "----------\n{}", shown(&loaded, Lang::Zh));
        insta::assert_snapshot!(text);
    });
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_named_with_their_targets() {
    use std::fs;
    use std::os::unix::fs::symlink;

    let around = tempfile::tempdir().expect("a folder");
    let around = around.path().canonicalize().expect("it is there");
    let (bot, other) = (around.join("bot"), around.join("other"));
    fs::create_dir_all(bot.join("rules")).expect("a folder");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("a"), "text").expect("a file");
    for link in ["rules/a.toml", "pic.png", "prices.csv", "words.txt"] {
        symlink(other.join("a"), bot.join(link)).expect("a link");
    }
    symlink(&other, bot.join("folder")).expect("a link");
    let text = "include = [\"rules/*.toml\", \"folder/a\"]\n[lists]\nwords = { file = \"words.txt\" }\n\
                [[table]]\nfile = \"prices.csv\"\n\
                [[rule]]\nkeyword = \"a\"\nimage = \"pic.png\"\n";
    fs::write(bot.join("bot.toml"), text).expect("a file");
    let loaded = load_input(&bot.join("bot.toml"));
    let text = shown(&loaded, Lang::En) + &shown(&loaded, Lang::Zh);
    insta::assert_snapshot!(text.replace(&around.display().to_string(), "…"));
}

/// The columns of the mistakes in a reply that is very long; a check that is not linear does not end.
fn columns_of_mistakes(reply: String) -> Vec<usize> {
    let (done, result) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bot.toml");
        std::fs::write(&path, format!("[[rule]]\nkeyword = 'a'\nreply = \"{reply}\"\n"))
            .expect("a file");
        let loaded = load_input(&path);
        let columns = loaded.diagnostics.iter().filter(|one| one.code == "template");
        done.send(columns.map(|one| one.column as usize).collect::<Vec<_>>())
            .expect("the test waits");
    });
    result.recv_timeout(LONGEST).expect("the check ends")
}

#[test]
fn a_text_of_very_many_mistakes_is_checked_once() {
    const MISTAKES: usize = 20_000;
    // An unknown name, mistakes of form with and without text between, and one that is inside of another value.
    for (written, at) in [("\\t{nope}", 3), ("{}", 0), ("价}", 1), ("{a|{b c}} ", 4)] {
        let columns = columns_of_mistakes(written.repeat(MISTAKES));
        let first = "reply = \"".len() + 1 + at;
        let width = written.chars().count();
        assert!(columns.into_iter().eq((0..MISTAKES).map(|nth| first + nth * width)), "{written}");
    }
}

#[test]
fn a_text_of_very_many_braces_is_checked_once() {
    for text in ["{{", "%", "${{", "{{sender"] {
        assert_eq!(columns_of_mistakes(text.repeat(400_000)), [0_usize; 0], "{text}");
    }
}

#[test]
fn very_many_unknown_variables_are_reported() {
    const RULES: usize = 6_000;
    let (done, result) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bot.toml");
        let rule = |n: usize| {
            format!("[[rule]]\nkeyword = 'k{n}'\nset = {{ v{n} = 'x' }}\nreply = '{{user.w{n}}}'\n")
        };
        std::fs::write(&path, (0..RULES).map(rule).collect::<String>()).expect("a file");
        let loaded = load_input(&path);
        let unset = loaded.diagnostics.iter().filter(|one| one.code == "never-set");
        let shown = |one: &mynah_rules::Diagnostic| one.render(&loaded.sources, Lang::En, false);
        done.send(unset.map(shown).collect::<Vec<_>>()).expect("the test waits");
    });
    let unset = result.recv_timeout(LONGEST).expect("the check ends");
    assert_eq!(unset.len(), RULES);
    assert!(unset[0].contains("did you mean {user.v0}?"), "{}", unset[0]);
    assert!(unset[RULES - 1].contains("w5999"), "{}", unset[RULES - 1]);
}

#[test]
fn files_without_a_fault_give_no_warning() {
    insta::glob!("inputs/good/*.toml", |path| {
        let loaded = load_input(path);
        let is_note = |severity| severity == mynah_rules::Severity::Note;
        let faults: Vec<_> =
            loaded.diagnostics.iter().filter(|one| !is_note(one.severity)).collect();
        assert!(faults.is_empty(), "{}", shown(&loaded, Lang::En));
        assert!(loaded.book.is_some());
    });
}

#[test]
fn what_is_known_of_program_and_transport_counts() {
    let text = "[[rule]]\nkeyword = \"a\"\nrun = \"wether\"\n\n[[rule]]\nkeyword = \"b\"\nreply = \"{at}x\"\nimage = \"menu.png\"\n\n\
                [[rule]]\nevent = \"friend_request\"\naccept = true\n\n[[rule]]\nkeyword = \"c\"\nfile = \"menu.png\"\n\n\
                [[rule]]\nkeyword = \"d\"\nrecall = true\ninvite_to = \"群\"\ndo = [{ kick = true }]\n";
    let folder = tempfile::tempdir().expect("a folder");
    let main = folder.path().join("bot.toml");
    std::fs::write(&main, text).expect("written");
    std::fs::write(folder.path().join("menu.png"), vec![1; 3 << 20]).expect("written");
    let handlers = ["weather".to_owned(), "save_signup".to_owned()];
    let capabilities = Capabilities {
        actions: [ActionKind::Text, ActionKind::Image, ActionKind::File].into(),
        max_picture: 20 << 20,
        max_file: 1 << 20,
        ..Capabilities::everything("webwx")
    };
    let options = LoadOptions {
        handlers: Some(&handlers),
        capabilities: Some(&capabilities),
        ..LoadOptions::default()
    };
    let loaded = load(&main, &Disk, &options);
    insta::assert_snapshot!(shown(&loaded, Lang::En) + &shown(&loaded, Lang::Zh));
}

/// The diagnostics of a rule file that is checked for these services, in both languages.
fn judged(text: &str, services: &[&Capabilities]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let main = folder.path().join("bot.toml");
    std::fs::write(&main, text).expect("written");
    let options = LoadOptions { services, ..LoadOptions::default() };
    let loaded = load(&main, &Disk, &options);
    shown(&loaded, Lang::En) + &shown(&loaded, Lang::Zh)
}

#[test]
fn a_handler_that_rules_do_not_run_is_named_with_its_role() {
    let folder = tempfile::tempdir().expect("a folder");
    let main = folder.path().join("bot.toml");
    let text = "[[rule]]\nkeyword = 'a'\nrun = 'ai'\n\n[[rule]]\nkeyword = 'b'\nrun = 'log'\n\n\
                [[rule]]\nkeyword = 'c'\nrun = 'other'\n";
    std::fs::write(&main, text).expect("written");
    let unruled = [("ai".to_owned(), "fallback"), ("log".to_owned(), "before")];
    let options = LoadOptions { handlers: Some(&[]), unruled: &unruled, ..LoadOptions::default() };
    let loaded = load(&main, &Disk, &options);
    insta::assert_snapshot!(shown(&loaded, Lang::En) + &shown(&loaded, Lang::Zh));
}

#[test]
fn a_rule_is_judged_for_the_services_that_the_bot_is_meant_for() {
    let usual = Capabilities::everything("usual");
    let deaf = Capabilities {
        group_delivery: GroupDelivery::Calls,
        events: [EventKind::Pat].into(),
        has_names: false,
        ..Capabilities::everything("deaf")
    };
    let private = Capabilities {
        group_delivery: GroupDelivery::Nothing,
        ..Capabilities::everything("private")
    };
    let services = [&usual, &deaf, &private];
    let rules = "[[rule]]\nkeyword = \"a\"\nreply = \"x\"\n\n[[rule]]\nkeyword = \"b\"\nat_me = true\nreply = \"x\"\n\n\
                 [[rule]]\nevent = \"join\"\nreply = \"x\"\n\n[[rule]]\nevent = \"pat\"\nreply = \"x\"\n\n\
                 [[rule]]\nkeyword = \"c\"\ngroups = \"g\"\nreply = \"x\"\n\n[[rule]]\nkeyword = \"d\"\nin = \"group\"\nreply = \"x\"\n";
    assert_eq!(judged(rules, &services), "", "the usual service brings everything");
    let meant =
        |transport: &str| judged(&format!("[bot]\ntransport = {transport}\n\n{rules}"), &services);
    insta::assert_snapshot!(
        meant("\"deaf\"") + &meant("[\"usual\", \"private\"]") + &meant("\"usal\"")
    );
}

#[test]
fn diagnostics_have_stable_fields_as_json() {
    let loaded = load_input(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs/bad/regex-empty.toml"),
    );
    let json = serde_json::to_value(&loaded.diagnostics).expect("JSON");
    let expected = serde_json::json!([{
        "severity": "warning",
        "code": "regex-empty",
        "file": "regex-empty.toml",
        "line": 2,
        "column": 9,
        "message": "'(ab)*' matches every message",
        "hint": "use + instead of *, or add a fixed text",
    }]);
    assert_eq!(json, expected);
}

#[test]
fn a_main_file_that_is_not_there_is_said() {
    let loaded = load_input(Path::new("nowhere/bot.toml"));
    assert!(loaded.book.is_none());
    insta::assert_snapshot!(shown(&loaded, Lang::En), @r"
    bot.toml:1:1: error[file]: the file cannot be read: not found
        1 | 
          | ^
    ");
}

/// To renew the file: `INSTA_UPDATE=always cargo test -p mynah-rules --test diagnostics`.
#[test]
fn the_schema_for_editors_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/bot.schema.json");
    if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        std::fs::write(&path, mynah_rules::json_schema()).expect("written");
    }
    let kept = std::fs::read_to_string(path).expect("config/bot.schema.json");
    assert!(kept == mynah_rules::json_schema(), "config/bot.schema.json is not up to date");
}
