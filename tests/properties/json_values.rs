//! JSON, of any kind and of almost the right kind.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};

use crate::support::text;

/// The names of the models' fields, and some that aren't.
const NAMES: [&str; 16] = [
    "token",
    "token_id",
    "created_at",
    "expires_at",
    "discarded_at",
    "last_used_at",
    "id",
    "name",
    "data",
    "links",
    "first",
    "next",
    "prev",
    "errors",
    "tomorrow",
    "",
];

/// Answers as the service documents them.
const FIXTURES: [&str; 5] = [
    r#"{"created_at":"2021-01-01T00:00:00Z","expires_at":"2021-01-01T01:00:00Z","token":"t","token_id":"019b1b1e-7b1b-4b1b-8b1b-1b1b1b1b1b1b"}"#,
    r#"{"created_at":"2021-01-01T00:00:00Z","expires_at":null,"token":"t","token_id":"i"}"#,
    r#"{"data":[{"id":"i","name":"n","created_at":"2021-01-01T00:00:00Z","expires_at":"x","discarded_at":null},{"created_at":"2021-01-03T00:00:00.123456Z","a_field_of_tomorrow":{"x":1}}],"links":{"first":"/v2/jwt/project?limit=3","next":"/v2/jwt/project?limit=3&starting_after=i","prev":null}}"#,
    r#"{"data":[],"links":{"first":"/v2/jwt/project","next":null,"prev":null}}"#,
    r#"{"discarded_at":"2021-01-01T00:00:00Z","token_id":"550e8400-e29b-41d4-a716-446655440000"}"#,
];

/// Any JSON, with the models' own names in it.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        select(vec!["2021-01-01T00:00:00Z", "9999-12-31T23:59:60-23:59", "0000-00-00T00:00:00Z"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), object_of(inner).prop_map(Value::from)]
    })
}

/// Any JSON object, with the models' own names in it.
pub(crate) fn object() -> impl Strategy<Value = Map<String, Value>> {
    object_of(json())
}

fn object_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![4 => select(&NAMES[..]).prop_map(str::to_owned), 1 => text()];
    vec((name, value), 0..7).prop_map(Map::from_iter)
}

/// A documented answer in which a byte or a range was replaced, doubled or left out: JSON no more, for the most part.
pub(crate) fn mutated_text() -> impl Strategy<Value = Vec<u8>> {
    let mutation = (any::<Index>(), 0_usize..12, vec(any::<u8>(), 0..4));
    (select(&FIXTURES[..]), vec(mutation, 0..4)).prop_map(|(fixture, mutations)| {
        let mut bytes = fixture.as_bytes().to_vec();
        for (at, length, new) in mutations {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, new);
        }
        bytes
    })
}

/// A documented answer in which one value, anywhere, is another.
pub(crate) fn mutated_value() -> impl Strategy<Value = Value> {
    (select(&FIXTURES[..]), any::<Index>(), json()).prop_map(|(fixture, at, new)| {
        let mut document = serde_json::from_str::<Value>(fixture).unwrap();
        let count = count(&document);
        *nth(&mut document, &mut at.index(count)).expect("there are so many") = new;
        document
    })
}

/// Counts the values of a document, itself and those inside others included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Finds a value of a document by its number, in the order in which they are counted.
fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(values) => values.iter_mut().find_map(|value| nth(value, left)),
        Value::Object(fields) => fields.values_mut().find_map(|value| nth(value, left)),
        _ => None,
    }
}
