//! Tables as values of any type that `serde` can make.

use std::fmt;
use std::ops::Range;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::{Entry, Node, TableNode, Value};

/// Why a table is not a value of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The place of the wrong value or key, as narrow as it is known.
    pub span: Option<Range<usize>>,
    /// The mistake, in the words of `serde`.
    pub message: String,
}

impl TableNode {
    /// The table as a value of a type.
    ///
    /// # Errors
    ///
    /// The first mistake, with its place.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, Unfit> {
        T::deserialize(TableReader(self))
    }
}

impl Unfit {
    fn at(self, span: &Range<usize>) -> Self {
        Self { span: self.span.or_else(|| Some(span.clone())), ..self }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Unfit {}

impl serde::de::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { span: None, message: message.to_string() }
    }
}

#[derive(Clone, Copy)]
struct TableReader<'n>(&'n TableNode);

impl<'n> TableReader<'n> {
    fn entries(
        self,
    ) -> MapDeserializer<'n, impl Iterator<Item = (KeyReader<'n>, NodeReader<'n>)>, Unfit> {
        MapDeserializer::new(
            self.0.entries.iter().map(|entry| (KeyReader(entry), NodeReader(&entry.node))),
        )
    }
}

impl<'de> Deserializer<'de> for TableReader<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_map(self.entries())
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0.entries.first() {
            None => visitor.visit_unit(),
            Some(entry) => {
                let unknown = Unfit::custom(format_args!("unknown field `{}`", entry.key));
                Err(unknown.at(&entry.key_span))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

#[derive(Clone, Copy)]
struct KeyReader<'n>(&'n Entry);

impl<'de> Deserializer<'de> for KeyReader<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_str(&self.0.key).map_err(|error: Unfit| error.at(&self.0.key_span))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Unfit> for KeyReader<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[derive(Clone, Copy)]
struct NodeReader<'n>(&'n Node);

impl NodeReader<'_> {
    /// Reads it, and puts its place to a mistake that has none.
    fn placed<T>(self, read: impl FnOnce(Self) -> Result<T, Unfit>) -> Result<T, Unfit> {
        read(self).map_err(|error| error.at(&self.0.span))
    }
}

impl<'de> Deserializer<'de> for NodeReader<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.placed(|node| match &node.0.value {
            Value::Text(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Flag(flag) => visitor.visit_bool(*flag),
            Value::List(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.iter().map(NodeReader)))
            }
            Value::Table(table) => visitor.visit_map(TableReader(table).entries()),
            Value::Date | Value::Unreadable => {
                Err(Unfit::invalid_type(Unexpected::Other("date without quotes"), &visitor))
            }
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.placed(|node| visitor.visit_newtype_struct(node))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.placed(|node| match &node.0.value {
            Value::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Table(table) => {
                visitor.visit_enum(MapAccessDeserializer::new(TableReader(table).entries()))
            }
            _ => node.deserialize_any(visitor),
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Unfit> for NodeReader<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::parse;
    use crate::tests::Rules;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Unit {
        Celsius,
        Other(String),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        city: String,
        days: u8,
        unit: Option<Unit>,
        #[serde(default)]
        factors: Vec<f64>,
        #[serde(default)]
        names: BTreeMap<String, bool>,
    }

    fn read(text: &str) -> Result<Settings, String> {
        parse(text, &Rules).root.typed().map_err(|unfit: Unfit| {
            let place = unfit.span.clone().map_or("", |span| &text[span]);
            format!("{place}: {unfit}")
        })
    }

    #[test]
    fn tables_become_values() {
        let text =
            "city = 'Rome'\ndays = 3\nunit = 'celsius'\nfactors = [1.5]\nnames = { a = true }";
        let expected = Settings {
            city: "Rome".to_owned(),
            days: 3,
            unit: Some(Unit::Celsius),
            factors: vec![1.5],
            names: BTreeMap::from([("a".to_owned(), true)]),
        };
        assert_eq!(read(text), Ok(expected));
        let other = read("city = ''\ndays = 0\nunit = { other = 'x' }").unwrap();
        assert_eq!(other.unit, Some(Unit::Other("x".to_owned())));
        assert_eq!(parse("", &Rules).root.typed::<()>(), Ok(()));
    }

    #[test]
    fn mistakes_have_the_narrowest_place() {
        let told = |text: &str| read(text).unwrap_err();
        assert_eq!(told("city = 'a'"), ": missing field `days`");
        assert_eq!(
            told("city = 'a'\ndays = 300"),
            "300: invalid value: integer `300`, expected u8"
        );
        let unknown = told("city = 'a'\ndais = 3");
        assert!(unknown.starts_with("dais: unknown field `dais`, expected"), "{unknown}");
        let inner = told("city = 'a'\ndays = 3\nfactors = [1.5, 'x']");
        assert!(inner.starts_with("'x': invalid type: string"), "{inner}");
        let variant = told("city = 'a'\ndays = 3\nunit = 'kelvin'");
        assert!(variant.starts_with("'kelvin': unknown variant `kelvin`"), "{variant}");
        assert!(told("city = 2026-01-01\ndays = 3").contains("date without quotes"));
    }
}
