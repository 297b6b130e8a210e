//! What is said about rule files: every file under `inputs` is loaded, and its diagnostics in both languages are
//! compared with the snapshot beside them.

use std::fmt::Write as _;
use std::path::Path;

use mynah_rules::{Disk, Lang, LoadOptions, Loaded, load};

fn load_input(path: &Path) -> Loaded {
    load(path, &Disk, &LoadOptions::default())
}

fn shown(loaded: &Loaded, lang: Lang) -> String {
    loaded.diagnostics.iter().map(|one| one.render(&loaded.sources, lang, false)).collect()
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
