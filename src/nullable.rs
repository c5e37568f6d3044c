//! A field with three states.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field with three states: left out, `null`, or a value. The API may treat each otherwise.
///
/// Setters take `impl Into<Nullable<T>>`: a value as it is, or [`Nullable::Null`]; a setter that isn't called leaves the field
/// out. There is no `From<Option<T>>`, since a `None` could mean either of two; each builder's `maybe_` setter takes an
/// `Option` and leaves the field out for `None`.
///
/// In a type of your own, name the default and the skip, so that absent stays absent:
///
/// ```
/// use magicbell::Nullable;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Settings {
///     #[serde(default, skip_serializing_if = "Nullable::is_absent")]
///     theme: Nullable<String>,
/// }
///
/// let json = |theme| serde_json::to_string(&Settings { theme }).unwrap();
/// assert_eq!(json(Nullable::Absent), "{}");
/// assert_eq!(json(Nullable::Null), r#"{"theme":null}"#);
/// assert_eq!(json("dark".into()), r#"{"theme":"dark"}"#);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Nullable<T> {
    /// The field is left out.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
    /// The field has a value.
    Value(T),
}

impl<T> Nullable<T> {
    /// Says whether the field is left out: for serde's `skip_serializing_if`.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Says whether the field is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the value, where there is one.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Nullable<String> {
    fn from(text: &str) -> Self {
        Self::Value(text.to_owned())
    }
}

/// An absent field can't be left out from here, so it is `null`: use [`Nullable::is_absent`] to skip it.
impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}
