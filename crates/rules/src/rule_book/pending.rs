//! State as the rest of a decision sees it: the stored values with the changes decided so far.

use std::cell::RefCell;

use mynah_core::{Change, Scope, StateView, Timestamp, Write, add};

use crate::inputs::Lack;

/// The state of a decision in the making.
pub(crate) struct Pending<'s> {
    stored: &'s dyn StateView,
    writes: Vec<Write>,
    /// The inputs that were asked for in vain.
    lacks: RefCell<Vec<Lack>>,
}

impl<'s> Pending<'s> {
    /// Nothing decided yet.
    pub(crate) fn new(stored: &'s dyn StateView) -> Self {
        Self { stored, writes: Vec::new(), lacks: RefCell::default() }
    }

    /// The value under a key, with the changes so far.
    pub(crate) fn get(&self, scope: Scope, key: &str) -> Option<String> {
        let mut value = self.stored.get(scope, key);
        for write in self.writes.iter().filter(|write| write.scope == scope && write.key == key) {
            value = match &write.change {
                Change::Set(text) => Some(text.clone()),
                Change::Remove | Change::RemoveOfAll => None,
                Change::Add(by) => Some(add(value.as_deref(), *by)),
            };
        }
        value
    }

    /// Makes a value.
    pub(crate) fn set(
        &mut self,
        scope: Scope,
        key: &str,
        value: String,
        expires: Option<Timestamp>,
    ) {
        self.write(scope, key, Change::Set(value), expires);
    }

    /// Adds to a whole number.
    pub(crate) fn add(&mut self, scope: Scope, key: &str, by: i64, expires: Option<Timestamp>) {
        self.write(scope, key, Change::Add(by), expires);
    }

    /// Removes a value.
    pub(crate) fn remove(&mut self, scope: Scope, key: &str) {
        self.write(scope, key, Change::Remove, None);
    }

    /// Removes a value of all people in the chat.
    pub(crate) fn remove_of_all(&mut self, key: &str) {
        self.write(Scope::Person, key, Change::RemoveOfAll, None);
    }

    fn write(&mut self, scope: Scope, key: &str, change: Change, expires: Option<Timestamp>) {
        self.writes.push(Write { scope, key: key.to_owned(), change, expires });
    }

    /// The number of changes so far.
    pub(crate) fn mark(&self) -> usize {
        self.writes.len()
    }

    /// Takes back all changes but the first so many and those from a place on.
    pub(crate) fn back_to(&mut self, mark: usize, from: usize) {
        self.writes.drain(mark..from.min(self.writes.len()));
    }

    /// The same state with the changes so far, which this one has no longer.
    pub(crate) fn hand_over(&mut self) -> Self {
        Self {
            stored: self.stored,
            writes: std::mem::take(&mut self.writes),
            lacks: self.lacks.take().into(),
        }
    }

    /// Takes the changes back from the state to which they were handed over.
    pub(crate) fn take_back(&mut self, other: Pending<'_>) {
        self.writes = other.writes;
        self.lacks = other.lacks;
    }

    /// The changes so far, in order.
    pub(crate) fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Notes that the decision lacks an input.
    pub(crate) fn lack(&self, lack: Lack) {
        let mut lacks = self.lacks.borrow_mut();
        if !lacks.contains(&lack) {
            lacks.push(lack);
        }
    }

    /// Whether the decision lacks anything so far.
    pub(crate) fn has_lacks(&self) -> bool {
        !self.lacks.borrow().is_empty()
    }

    /// Everything that the decision lacks.
    pub(crate) fn take_lacks(&mut self) -> Vec<Lack> {
        self.lacks.take()
    }

    /// The changes, in order.
    pub(crate) fn into_writes(self) -> Vec<Write> {
        self.writes
    }
}
