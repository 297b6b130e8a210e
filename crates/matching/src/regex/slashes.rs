//! Regular expressions between slashes, as JavaScript and Perl write them. Here the slashes are looked for, too.

use regex_syntax::hir::{Hir, HirKind, Look};

/// The letters that may stand behind the second slash.
const FLAGS: &str = "gimsuy";

/// An expression written between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slashed {
    /// The same without the slashes.
    pub plain: String,
    /// Whether it is said that case does not matter.
    pub ignores_case: bool,
}

/// The expression as JavaScript would read it, if it begins and ends as expressions do there.
///
/// The second slash is the first that neither a backslash nor brackets keep from being one, and only flags
/// follow: `/help`, `/a/b/` and `/(\d+)/(\d+)` are texts with slashes.
pub(super) fn read(source: &str) -> Option<Slashed> {
    let inside = source.strip_prefix('/')?;
    let end = second_slash(inside).filter(|end| *end > 0)?;
    let flags = &inside[end + 1..];
    let are_flags =
        flags.char_indices().all(|(at, flag)| FLAGS.contains(flag) && !flags[..at].contains(flag));
    if !are_flags {
        return None;
    }
    // The other flags are on anyway.
    let kept: String = flags.chars().filter(|flag| matches!(flag, 'm' | 's')).collect();
    let prefix = if kept.is_empty() { kept } else { format!("(?{kept})") };
    let plain = prefix + &inside[..end].replace(r"\/", "/");
    Some(Slashed { plain, ignores_case: flags.contains('i') })
}

fn second_slash(inside: &str) -> Option<usize> {
    let (mut is_escaped, mut in_class) = (false, false);
    for (at, c) in inside.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether an expression is certainly found in no text: something must stand before its beginning or behind its end.
/// There may be others.
pub(super) fn never_matches(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Capture(capture) => never_matches(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && never_matches(&repetition.sub),
        HirKind::Alternation(branches) => branches.iter().all(never_matches),
        HirKind::Concat(parts) => {
            let is_something =
                |part: &Hir| part.properties().minimum_len().is_some_and(|length| length > 0);
            parts.iter().any(never_matches)
                || parts.iter().enumerate().any(|(at, part)| match part.kind() {
                    HirKind::Look(Look::Start) => parts[..at].iter().any(is_something),
                    HirKind::Look(Look::End) => parts[at + 1..].iter().any(is_something),
                    _ => false,
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_slashes_are_no_expressions_between_slashes() {
        for source in [
            "/help",
            "/",
            "//",
            "///",
            "/a/b/",
            "/a/b",
            r"/(\d+)/(\d+)",
            r"\d+/\d+/",
            r"/a\/",
            "/[/]",
            "/help/me",
            "/a/ii",
            "/a/I",
            "/a/i ",
            " /a/",
            "https://example.com/",
        ] {
            assert_eq!(read(source), None, "{source}");
        }
    }

    #[test]
    fn what_stands_between_slashes_is_said_without_them() {
        for (source, plain, ignores_case) in [
            ("/价格/", "价格", false),
            ("/价格/i", "价格", true),
            (r"/^\d+$/gu", r"^\d+$", false),
            ("/a.b/ims", "(?ms)a.b", true),
            (r"/a\/b[/]c/", "a/b[/]c", false),
            (r"/[\]/]x/y", r"[\]/]x", false),
        ] {
            let expected = Slashed { plain: plain.to_owned(), ignores_case };
            assert_eq!(read(source), Some(expected), "{source}");
        }
    }

    #[test]
    fn what_has_something_before_its_beginning_is_never_found() {
        for (source, never) in [
            ("/^a/", true),
            ("/a$/i", true),
            ("/^(你好|hi)$/i", true),
            ("/^a$|^b$/", true),
            ("/^a|b/", false),
            ("/(^a|b)/", false),
            ("/(?:^a)?/", false),
            ("/(?m:^)a/", false),
            ("/a/", false),
            ("^a$", false),
            ("x?^a", false),
            (r"(?m)^/$", false),
        ] {
            let hir = regex_syntax::parse(source).expect(source);
            assert_eq!(never_matches(&hir), never, "{source}");
            if never {
                let regex = regex::Regex::new(source).expect(source);
                for text in ["/a", "/a/i", "a", "b/", "/hi/i", "/你好/", "a\n/b", "/\na/i\n"] {
                    assert!(!regex.is_match(text), "{source} on {text:?}");
                }
            }
        }
    }
}
