//! Strings that are kept for the next text, so that folding a message asks for no memory.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Deref;

thread_local! {
    static SPARE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// So many are kept by a thread: the foldings of one text.
const MOST: usize = 4;

/// A string of more bytes is not kept.
const LONGEST: usize = 1 << 16;

/// A string that is kept for the next text when it is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Reused(pub(super) String);

impl Reused {
    /// An empty string with room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        let mut reused = Self::default();
        reused.make_room(bytes);
        reused
    }

    /// Makes room for so many bytes in an empty string that has none.
    pub(super) fn make_room(&mut self, bytes: usize) {
        if let Some(string) = SPARE.with_borrow_mut(Vec::pop) {
            self.0 = string;
        }
        self.0.reserve(bytes);
    }
}

impl Drop for Reused {
    fn drop(&mut self) {
        if (1..=LONGEST).contains(&self.0.capacity()) {
            let mut string = std::mem::take(&mut self.0);
            string.clear();
            SPARE.with_borrow_mut(|spare| {
                if spare.len() < MOST {
                    spare.push(string);
                }
            });
        }
    }
}

/// A text that is the original, or a string of its own.
#[derive(Debug, Clone)]
pub(super) enum Written<'t> {
    Original(&'t str),
    Own(Reused),
}

impl<'t> Written<'t> {
    pub(super) fn into_cow(self) -> Cow<'t, str> {
        match self {
            Self::Original(text) => Cow::Borrowed(text),
            Self::Own(mut text) => Cow::Owned(std::mem::take(&mut text.0)),
        }
    }
}

impl Deref for Written<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Original(text) => text,
            Self::Own(text) => &text.0,
        }
    }
}
