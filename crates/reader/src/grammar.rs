//! The questions about the keys of a file that the reader asks to explain a broken statement.

use crate::Shape;

/// The keys and headers of a kind of file.
pub trait Grammar {
    /// The header, brackets included, that a name between brackets means.
    fn header(&self, name: &str) -> Option<String>;

    /// Whether a key of that name takes values of this shape in any table.
    fn has_shape(&self, key: &str, shape: Shape) -> bool;

    /// The shape of the values of a key of that name.
    fn shape(&self, key: &str) -> Option<Shape>;

    /// Whether a word is a key, or another name of one.
    fn is_word(&self, word: &str) -> bool;

    /// Whether a word is a table of the file, or another name of one.
    fn is_table(&self, word: &str) -> bool;

    /// Whether the values of a key are paths.
    fn names_a_file(&self, key: &str) -> bool;

    /// Whether the values of a key are texts that are sent.
    fn is_sent(&self, key: &str) -> bool {
        let _ = key;
        false
    }

    /// The key that takes several texts in place of this one.
    fn key_of_list<'k>(&self, key: &'k str) -> &'k str {
        key
    }

    /// Whether the author chooses the keys below a header.
    fn has_own_names(&self, header: &str) -> bool {
        let _ = header;
        false
    }

    /// Whether a line below this header that begins with `key` belongs into a text of several lines.
    fn script_of(&self, header: &str, key: &str) -> bool {
        let _ = (header, key);
        false
    }
}
