//! Values that the attempts of one turn share.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;

/// Values that the attempts of one turn share, by type and key.
///
/// A turn runs again if a value that it has read changes before its commit. An answer of another service is put here, so
/// that the next attempt uses it in place of a second request. The memory is dropped with the turn and never stored: after
/// a restart of the program the turn begins with an empty one.
#[derive(Default)]
pub struct TurnMemory(BTreeMap<(TypeId, String), Box<dyn Any + Send + Sync>>);

impl TurnMemory {
    /// Whether nothing was put here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of this type under this key, if an attempt of this turn has put one there.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self, key: &str) -> Option<&T> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(TypeId::of::<T>(), key.to_owned()))?.downcast_ref()
    }

    /// The same value, to be changed.
    pub fn get_mut<T: Any + Send + Sync>(&mut self, key: &str) -> Option<&mut T> {
        self.0.get_mut(&(TypeId::of::<T>(), key.to_owned()))?.downcast_mut()
    }

    /// Puts a value there, in place of an earlier one of the same type. Values of different types never meet, even under
    /// the same key.
    pub fn put<T: Any + Send + Sync>(&mut self, key: impl Into<String>, value: T) {
        self.0.insert((TypeId::of::<T>(), key.into()), Box::new(value));
    }
}

impl fmt::Debug for TurnMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys().map(|(_, key)| key)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_type_and_key() {
        let mut memory = TurnMemory::default();
        assert_eq!(memory.get::<u32>("a"), None);
        memory.put("a", 1_u32);
        memory.put("a", "text");
        memory.put("a", 2_u32);
        if let Some(value) = memory.get_mut::<u32>("a") {
            *value += 1;
        }
        assert_eq!(memory.get::<u32>("a"), Some(&3));
        assert_eq!(memory.get::<&str>("a"), Some(&"text"));
        assert_eq!(memory.get::<u32>("b"), None);
    }
}
