//! The same mistake in `bot.toml` and in `mynah.toml` gets the same message.

use mynah_rules::{Disk, LoadOptions, Loaded, load};

use super::*;

/// A rule file in which a line of a schedule reads so.
fn rules(line: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bot.toml");
    let text = format!(
        "[[schedule]]\nto = 'g'\nsend = 'x'\n{line}\n[[rule]]\nkeyword = 'a'\nreply = 'b'\n"
    );
    std::fs::write(&file, text).unwrap();
    load(&file, &Disk, &LoadOptions::default())
}

/// The mistakes of settings in which a line of `[handlers]` reads so.
fn settings(line: &str) -> Option<Problems> {
    parse_with(&format!("[handlers]\n\n\n{line}\n"), &|_| None).err()
}

/// Line, column, code, message and hint of every mistake, the key written as `KEY`.
type Findings = Vec<(u32, u32, String, String, Option<String>)>;

fn of_rules(loaded: &Loaded, lang: Lang) -> Findings {
    let plain = |text: String| text.replace("every", "KEY");
    let told = loaded.diagnostics.iter().filter(|one| one.is_error()).map(|one| {
        let hint = one.hint(lang).map(plain);
        (one.line, one.column, one.code.to_owned(), plain(one.message(lang)), hint)
    });
    told.collect()
}

fn of_settings(problems: Option<&Problems>, lang: Lang) -> Findings {
    let plain = |text: String| text.replace("timeout", "KEY");
    let findings = problems.into_iter().flat_map(|problems| problems.findings(lang));
    let told = findings.map(|one| {
        // The key is two characters longer here.
        let column = one.line.column(one.span.start).saturating_sub(2).max(1);
        let hint = one.hint.map(plain);
        (one.line.number, column, one.code.to_owned(), plain(one.message), hint)
    });
    told.collect()
}

#[test]
fn the_same_value_is_read_alike_in_both_files() {
    for (value, is_good) in [
        ("'1h30m'", true),
        ("'1.5h'", true),
        ("'1 h'", true),
        ("'３０ｓ'", true),
        ("'10 分钟'", true),
        ("'2小时'", true),
        ("'1天'", true),
        ("'30'", false),
        ("'30 seconds'", false),
        ("'半小时'", false),
        ("'soon'", false),
        ("'-5s'", false),
        ("'0s'", false),
        ("''", false),
        ("30", false),
        ("1.5", false),
        ("true", false),
        ("['30s']", false),
        ("“30s”", false),
        ("「30s」", false),
        ("30s", false),
        ("'30s", false),
        ("'30s' // often", false),
        ("", false),
        ("'\u{1b}[31m30s'", false),
    ] {
        let (rules, settings) =
            (rules(&format!("every = {value}")), settings(&format!("timeout = {value}")));
        assert_eq!(rules.book.is_some(), is_good, "bot.toml: {value}");
        assert_eq!(settings.is_none(), is_good, "mynah.toml: {value}");
        for lang in [Lang::En, Lang::Zh] {
            let told = of_rules(&rules, lang);
            let mut of_settings = of_settings(settings.as_ref(), lang);
            for (one, other) in told.iter().zip(&mut of_settings) {
                // The settings may have advice where the rules have none.
                other.4 = other.4.take().filter(|_| one.4.is_some());
            }
            assert_eq!(told, of_settings, "{value}");
        }
    }
}

#[test]
fn both_files_are_shown_by_one_printer() {
    let long = format!("'{}\u{1b}[2J\u{202e}{}'", "价".repeat(300), "a".repeat(300));
    let rules = rules(&format!("every = {long}"));
    let settings = settings(&format!("timeout = {long}")).unwrap();
    for lang in [Lang::En, Lang::Zh] {
        let of_rules = rules.diagnostics.iter().filter(|one| one.is_error());
        let of_rules: String =
            of_rules.map(|one| one.render(&rules.sources, lang, false)).collect();
        for shown in [of_rules, settings.render(lang, false)] {
            assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
            let excerpt = shown.lines().nth(1).unwrap_or_default();
            assert!(excerpt.contains('…') && excerpt.chars().count() < 140, "{excerpt}");
        }
    }
}
