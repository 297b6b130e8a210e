//! A table of keys as a grammar, for reading files with mistakes.

use crate::reading::header_of;
use crate::{Grammar, Key, Kind, Shape};

/// The grammar of a file with these keys at its top.
#[derive(Debug, Clone, Copy)]
pub struct KeyGrammar(pub &'static [Key]);

impl KeyGrammar {
    /// Every key of the file, tables inside of tables included, with the header of its table.
    fn walk(
        keys: &'static [Key],
        header: Option<&str>,
        see: &mut dyn FnMut(&'static Key, Option<&str>),
    ) {
        for key in keys {
            see(key, header);
            if let Kind::Section(inner) | Kind::Sections(inner) = key.kind {
                let inner_header = header_of(header, key);
                Self::walk(inner, Some(&inner_header), see);
            }
        }
    }

    fn any(self, is: impl Fn(&Key) -> bool) -> bool {
        let mut found = false;
        Self::walk(self.0, None, &mut |key, _| found |= is(key));
        found
    }
}

impl Grammar for KeyGrammar {
    fn header(&self, name: &str) -> Option<String> {
        let mut found = None;
        Self::walk(self.0, None, &mut |key, header| {
            if matches!(key.kind, Kind::Section(_) | Kind::Sections(_)) {
                let written = header_of(header, key);
                if written.trim_matches(['[', ']']) == name {
                    found = Some(written);
                }
            }
        });
        found
    }

    fn has_shape(&self, key: &str, shape: Shape) -> bool {
        self.any(|known| known.name == key && known.kind.shape() == shape)
    }

    fn shape(&self, key: &str) -> Option<Shape> {
        let mut shape = None;
        Self::walk(self.0, None, &mut |known, _| {
            if known.name == key && shape.is_none() {
                shape = Some(known.kind.shape());
            }
        });
        shape
    }

    fn is_word(&self, word: &str) -> bool {
        self.any(|known| known.name == word || known.also.contains(&word))
    }

    fn is_table(&self, word: &str) -> bool {
        self.0
            .iter()
            .any(|key| key.name == word && matches!(key.kind, Kind::Section(_) | Kind::Sections(_)))
    }

    fn names_a_file(&self, key: &str) -> bool {
        self.any(|known| known.name == key && matches!(known.kind, Kind::Path))
    }
}
