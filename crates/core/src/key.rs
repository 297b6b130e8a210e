//! Typed access to state.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use thiserror::Error;

use crate::{Change, Context, Scope, StateView, Write};

/// A place in the state of a bot that holds a value of one type.
///
/// Text is stored as it is, so that rules read it as `{user.nick}`, and numbers as their digits; everything else as JSON.
/// A stored value changes together with the replies of the turn, or not at all.
///
/// ```
/// use std::time::Duration;
///
/// use mynah_core::{Context, HandlerError, Key, Scope};
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Order {
///     items: Vec<String>,
/// }
///
/// /// The order of this person; forgotten after an hour without a change.
/// const ORDER: Key<Order> = Key::new(Scope::Person, "order").kept_for(Duration::from_secs(3600));
///
/// fn add(ctx: &mut Context, item: &str) -> Result<usize, HandlerError> {
///     let mut order = ctx.load(&ORDER)?.unwrap_or_default();
///     order.items.push(item.to_owned());
///     ctx.store(&ORDER, &order)?;
///     Ok(order.items.len())
/// }
/// ```
pub struct Key<T> {
    scope: Scope,
    name: &'static str,
    kept_for: Option<Duration>,
    holds: PhantomData<fn(T) -> T>,
}

/// A value of state that does not have the type of its key.
#[derive(Debug, Error)]
#[error("the state of the {scope}, `{name}`, cannot be read or written as its type")]
pub struct KeyError {
    scope: Scope,
    name: &'static str,
    source: serde_json::Error,
}

impl<T> Key<T> {
    /// The key with this name: of the whole bot, of the chat, or of the person in the chat.
    #[must_use]
    pub const fn new(scope: Scope, name: &'static str) -> Self {
        Self { scope, name, kept_for: None, holds: PhantomData }
    }

    /// The same key, with values that expire this long after they were stored.
    #[must_use]
    pub const fn kept_for(self, time: Duration) -> Self {
        Self { kept_for: Some(time), ..self }
    }

    fn error(&self, source: serde_json::Error) -> KeyError {
        KeyError { scope: self.scope, name: self.name, source }
    }
}

impl<T: DeserializeOwned> Key<T> {
    fn read(&self, text: &str) -> Result<T, KeyError> {
        // Text first: `12` may be a name as well as a number, and only the type decides.
        serde_json::from_value(Json::String(text.to_owned()))
            .or_else(|_| serde_json::from_str(text))
            .map_err(|error| self.error(error))
    }
}

impl<T: Serialize> Key<T> {
    fn written(&self, value: &T) -> Result<String, KeyError> {
        let value = serde_json::to_value(value).map_err(|error| self.error(error))?;
        Ok(match value {
            Json::String(text) => text,
            other => other.to_string(),
        })
    }
}

impl Context {
    /// The value under this key, as the turn sees it: with its own changes.
    ///
    /// # Errors
    ///
    /// If a value of another type is stored there.
    pub fn load<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>, KeyError> {
        self.get(key.scope, key.name).map(|text| key.read(&text)).transpose()
    }

    /// Stores a value under this key, when the turn commits.
    ///
    /// # Errors
    ///
    /// If the value cannot be written as JSON.
    pub fn store<T: Serialize>(&mut self, key: &Key<T>, value: &T) -> Result<(), KeyError> {
        let change = Change::Set(key.written(value)?);
        let expires = key.kept_for.map(|time| self.now() + time);
        self.write(Write { scope: key.scope, key: key.name.to_owned(), change, expires });
        Ok(())
    }

    /// Removes the value under this key.
    pub fn clear<T>(&mut self, key: &Key<T>) {
        self.remove(key.scope, key.name);
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, name, kept_for, holds: _ } = self;
        f.debug_struct("Key")
            .field("scope", scope)
            .field("name", name)
            .field("kept_for", kept_for)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::error::Error;

    use serde::Deserialize;

    use super::*;
    use crate::{Event, EventBody, Frame, Timestamp};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mood {
        Good,
    }

    fn context() -> Context {
        let event = Event { id: "e".into(), time: Timestamp::default(), body: EventBody::Started };
        Context::new(Frame::of(&event, Timestamp::from_secs(100)))
    }

    fn comes_back<T>(value: &T, stored: &str)
    where
        T: Serialize + DeserializeOwned + PartialEq + fmt::Debug,
    {
        let key = Key::<T>::new(Scope::Chat, "key");
        let mut ctx = context();
        ctx.store(&key, value).unwrap();
        assert_eq!(ctx.get(Scope::Chat, "key").as_deref(), Some(stored));
        assert_eq!(ctx.load(&key).unwrap().as_ref(), Some(value));
    }

    #[test]
    fn values_come_back_and_rules_can_read_the_simple_ones() {
        comes_back(&12_u32, "12");
        comes_back(&"12".to_owned(), "12");
        comes_back(&"\"quoted\"".to_owned(), "\"quoted\"");
        comes_back(&true, "true");
        comes_back(&Mood::Good, "good");
        comes_back(&vec![1, 2], "[1,2]");
        comes_back(&BTreeMap::from([("a".to_owned(), 1)]), r#"{"a":1}"#);
    }

    #[test]
    fn what_has_another_type_is_an_error_with_the_name_and_the_cause() {
        let mut ctx = context();
        ctx.set(Scope::Person, "count", "many");
        let error = ctx.load(&Key::<u32>::new(Scope::Person, "count")).unwrap_err();
        assert!(error.to_string().contains("`count`"), "{error}");
        assert!(error.source().is_some());
    }

    #[test]
    fn a_value_expires_when_its_key_says_so_and_can_be_cleared() {
        let key = Key::<u32>::new(Scope::Bot, "key").kept_for(Duration::from_secs(5));
        let mut ctx = context();
        ctx.store(&key, &1).unwrap();
        assert_eq!(ctx.expires(Scope::Bot, "key"), Some(Timestamp::from_secs(105)));
        ctx.clear(&key);
        assert_eq!(ctx.load(&key).unwrap(), None);
    }
}
