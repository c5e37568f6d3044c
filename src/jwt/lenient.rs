//! Reads what the service may write otherwise than it says.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::any_text::optional_text;
use crate::timestamp::Timestamp;

/// A type that is read from a JSON object and from nothing else: serde's derive would take an array by position.
pub(super) trait FromObject<'de>: Sized {
    fn from_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

/// Implements `Deserialize`, from an object alone, for a type that derives it with `#[serde(remote = "Self")]`.
macro_rules! deserialize_from_object {
    ($type:ty) => {
        impl<'de> $crate::jwt::lenient::FromObject<'de> for $type {
            fn from_object<A: serde::de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                Self::deserialize(serde::de::value::MapAccessDeserializer::new(map))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::jwt::lenient::object(deserializer)
            }
        }
    };
}

/// Implements `Serialize` for a type that derives it with `#[serde(remote = "Self")]`.
macro_rules! serialize_as_derived {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }
    };
}

pub(super) use {deserialize_from_object, serialize_as_derived};

pub(super) fn object<'de, D: Deserializer<'de>, T: FromObject<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: FromObject<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_object(map)
    }
}

/// Reads text or a number, and anything else as an empty one.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    optional_text(deserializer).map(Option::unwrap_or_default)
}

/// Reads a time, and `null` as an empty one.
pub(super) fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// An object's fields as they stand in it, names too: one may be no text that Rust could hold.
pub(super) struct Fields(Vec<(Box<RawValue>, Box<RawValue>)>);

impl Fields {
    /// Returns a field's text, the last one's where it is given more than once; `None` where it isn't text, or isn't the text that was
    /// sent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = |value: &RawValue| serde_json::from_str::<String>(value.get()).ok();
        let is_named = |field: &RawValue| text(field).is_some_and(|field| field == name);
        let value = self.0.iter().rev().find(|(field, _)| is_named(field)).and_then(|(_, value)| text(value));
        value.filter(|text| !text.contains(char::REPLACEMENT_CHARACTER))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer)
    }
}

impl<'de> FromObject<'de> for Fields {
    fn from_object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Self(fields))
    }
}
