//! The settings of an account that belong to its service: checked values by the names of their keys.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A checked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text or an address.
    Text(String),
    /// A duration.
    Duration(Duration),
    /// A table from names to texts.
    Names(BTreeMap<String, String>),
}

/// The checked values of one account. `Debug` shows the keys alone, as some values are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<&'static str, Value>);

impl Values {
    /// Sets a value, of the kind that the key takes.
    pub fn set(&mut self, key: &'static str, value: Value) {
        self.0.insert(key, value);
    }

    /// Whether a key has a value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The text of a key.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            Value::Text(text) => Some(text),
            Value::Duration(_) | Value::Names(_) => None,
        }
    }

    /// The duration of a key.
    #[must_use]
    pub fn duration(&self, key: &str) -> Option<Duration> {
        match self.0.get(key)? {
            Value::Duration(duration) => Some(*duration),
            Value::Text(_) | Value::Names(_) => None,
        }
    }

    /// The names of a key.
    #[must_use]
    pub fn names(&self, key: &str) -> Option<&BTreeMap<String, String>> {
        match self.0.get(key)? {
            Value::Names(names) => Some(names),
            Value::Text(_) | Value::Duration(_) => None,
        }
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_nowhere() {
        let mut values = Values::default();
        values.set("desktop_token", Value::Text("s3cret".to_owned()));
        assert_eq!(values.text("desktop_token"), Some("s3cret"));
        assert_eq!(format!("{values:?}"), "{\"desktop_token\"}");
    }
}
