//! Strings that are kept for the next text, so that folding a message asks for no memory.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Deref;

thread_local! {
    /// The one that was dropped last.
    static LAST: Cell<String> = const { Cell::new(String::new()) };
    static OTHERS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// So many are kept by a thread beside the last one: the foldings of one text.
const MOST: usize = 3;

/// A string of more bytes is not kept.
const LONGEST: usize = 1 << 16;

/// A string that is kept for the next text when it is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Reused(pub(super) String);

impl Reused {
    /// An empty string with room for so many bytes.
    #[inline]
    pub(super) fn with_room(bytes: usize) -> Self {
        let mut string = LAST.take();
        if string.capacity() < bytes {
            string = another(string, bytes);
        }
        Self(string)
    }
}

/// A string with room for so many bytes, if the last one has too little.
#[cold]
fn another(last: String, bytes: usize) -> String {
    let is_used = last.capacity() == 0;
    let kept = if is_used { OTHERS.with_borrow_mut(Vec::pop) } else { None };
    let mut string = kept.unwrap_or(last);
    string.reserve(bytes);
    string
}

impl Drop for Reused {
    #[inline]
    fn drop(&mut self) {
        if (1..=LONGEST).contains(&self.0.capacity()) {
            self.0.clear();
            let before = LAST.replace(std::mem::take(&mut self.0));
            if before.capacity() > 0 {
                keep(before);
            }
        }
    }
}

/// Keeps a string beside the last one.
#[cold]
fn keep(string: String) {
    OTHERS.with_borrow_mut(|others| {
        if others.len() < MOST {
            others.push(string);
        }
    });
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
