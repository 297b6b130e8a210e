//! Readers for fields with an unreliable JSON type.
//!
//! A number may be a string and vice versa, any field may be null or missing, and a list may contain an entry of the
//! wrong type. An unreadable value becomes the default of its type; it never fails the answer.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The largest whole number up to which `f64` is exact. A larger float may be a different number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The most bytes of a text: several times the longest message. The ids of 3 500 chats in one status notice take as
/// much.
const LONGEST: usize = 256 * 1024;

/// An item of a list in an answer. The weight of a list is bounded: the few bytes of `{}` become an object of a few
/// hundred bytes.
pub(crate) trait ListItem: DeserializeOwned {
    /// The name of the items in the log.
    const NAME: &'static str;

    /// The largest total weight of a list.
    const MOST: usize;

    /// The weight of this item.
    fn weight(&self) -> usize {
        1
    }
}

/// A text, also from a number or a boolean.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Scalar::deserialize(from)? {
        Scalar::Text(text) => text,
        Scalar::Whole(whole) => whole.to_string(),
        Scalar::Other => String::new(),
    })
}

/// A whole number, also from digits in a string. 0 if there is none or it does not fit.
pub(crate) fn number<'de, D, N>(from: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<i128> + Default,
{
    Ok(Scalar::deserialize(from)?
        .whole()
        .and_then(|whole| N::try_from(whole).ok())
        .unwrap_or_default())
}

/// A whole number, or `None` if there is none.
pub(crate) fn maybe_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(Scalar::deserialize(from)?.whole().and_then(|whole| i64::try_from(whole).ok()))
}

/// A list of objects. Entries of other types are dropped, and so are those beyond the bound of the list.
pub(crate) fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: ListItem,
{
    list_as::<_, T, T>(from)
}

/// The same, each object in another form as soon as it is read.
pub(crate) fn list_as<'de, D, T, U>(from: D) -> Result<Vec<U>, D::Error>
where
    D: Deserializer<'de>,
    T: ListItem,
    U: From<T>,
{
    from.deserialize_any(ListVisitor::<T, U>(PhantomData))
}

/// An object, or its default if there is none.
pub(crate) fn object<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(from.deserialize_any(ObjectVisitor(PhantomData))?.unwrap_or_default())
}

/// An object, or `None` if there is none.
pub(crate) fn maybe_object<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    from.deserialize_any(ObjectVisitor(PhantomData))
}

/// The part of a text that is kept.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The value of a field, if it is a scalar.
enum Scalar {
    Text(String),
    Whole(i128),
    Other,
}

impl Scalar {
    fn whole(&self) -> Option<i128> {
        match self {
            Self::Text(text) => text.trim().parse().ok(),
            Self::Whole(whole) => Some(*whole),
            Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(beginning(value).to_owned()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        let exact = value.fract() == 0.0 && value.abs() <= EXACT;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and exact just above"
        )]
        Ok(if exact { Scalar::Whole(value as i128) } else { Scalar::Other })
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// The methods of a visitor that accepts no scalar.
macro_rules! no_scalar {
    ($otherwise:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($otherwise)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($otherwise)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($otherwise)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($otherwise)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($otherwise)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($otherwise)
        }
    };
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    no_scalar!(None);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<T>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// One entry of a list, if it is an object.
struct Entry<T>(Option<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        maybe_object(from).map(Self)
    }
}

struct ListVisitor<T, U>(PhantomData<(T, U)>);

impl<'de, T: ListItem, U: From<T>> Visitor<'de> for ListVisitor<T, U> {
    type Value = Vec<U>;

    no_scalar!(Vec::new());

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<U>, A::Error> {
        let mut entries = Vec::new();
        let mut weight = 0;
        while weight < T::MOST
            && let Some(Entry(entry)) = seq.next_element::<Entry<T>>()?
        {
            weight += entry.as_ref().map_or(0, T::weight);
            entries.extend(entry.map(U::from));
        }
        let mut dropped = 0_usize;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            dropped += 1;
        }
        if dropped > 0 {
            let (items, kept) = (T::NAME, entries.len());
            tracing::warn!(
                items,
                kept,
                dropped,
                "the list in an answer is too long; its end is dropped"
            );
        }
        Ok(entries)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<U>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }
}
