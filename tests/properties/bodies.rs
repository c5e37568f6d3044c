//! What the service may answer is read, or refused, and never panics.

use std::fmt::Debug;

use magicbell::jwt::{
    AccessToken, AccessTokenCollection, CreateProjectJwt, CreateTokenResponse, DiscardTokenResponse,
    FetchProjectTokens, Links,
};
use magicbell::{Nullable, SecretToken, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::json_values::{json, mutated_text, mutated_value, object};
use crate::support::{answer, block_on, cases, client, text};

/// Reads bytes as a model, which is read back as it was written.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(body: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(model) = serde_json::from_slice::<T>(body) {
        prop_assert_eq!(&serde_json::from_slice::<T>(&serde_json::to_vec(&model).unwrap()).unwrap(), &model);
    }
    Ok(())
}

fn is_read_as_every_model(body: &[u8]) -> Result<(), TestCaseError> {
    round_trip::<AccessToken>(body)?;
    round_trip::<AccessTokenCollection>(body)?;
    round_trip::<DiscardTokenResponse>(body)?;
    round_trip::<Links>(body)?;
    round_trip::<Timestamp>(body)?;
    let _ = serde_json::from_slice::<SecretToken>(body);
    if let Ok(created) = serde_json::from_slice::<CreateTokenResponse>(body) {
        let _ = created.created_at.to_system_time();
    }
    Ok(())
}

/// The answer to a create, from its body.
fn created(body: Vec<u8>) -> Result<CreateTokenResponse, magicbell::Error> {
    let (_, client) = client("https://api.example/v2", "a-token", answer(201, body));
    block_on(client.unwrap().execute(CreateProjectJwt::builder().name("x").build()))
}

/// A page, from its body.
fn page(body: Vec<u8>) -> Result<AccessTokenCollection, magicbell::Error> {
    let (_, client) = client("https://api.example/v2", "a-token", answer(200, body));
    block_on(client.unwrap().execute(FetchProjectTokens::builder().build()))
}

proptest! {
    #![proptest_config(cases(384))]

    #[test]
    fn any_json_is_read_without_a_panic(json in json()) {
        is_read_as_every_model(json.to_string().as_bytes())?;
    }

    #[test]
    fn an_answer_with_another_value_in_it_is_read_without_a_panic(json in mutated_value()) {
        is_read_as_every_model(json.to_string().as_bytes())?;
    }

    #[test]
    fn an_answer_with_other_bytes_in_it_is_read_without_a_panic(body in mutated_text()) {
        is_read_as_every_model(&body)?;
        let _ = (created(body.clone()), page(body));
    }

    #[test]
    fn a_token_is_read_whatever_stands_beside_it(token in text(), mut fields in object()) {
        prop_assume!(!token.is_empty());
        fields.insert("token".to_owned(), Value::from(&*token));
        let created = created(Value::from(fields).to_string().into_bytes()).unwrap();
        prop_assert_eq!(created.token.expose_secret(), token);
    }

    /// What serde_json refuses by itself, or what its derive does, doesn't lose a token.
    #[test]
    fn a_token_is_read_whatever_json_stands_beside_it(before in vec(odd_field(), 0..4), after in vec(odd_field(), 0..4)) {
        let fields = [before, vec![r#""token":"t""#.to_owned()], after].concat();
        let created = created(format!("{{{}}}", fields.join(",")).into_bytes()).unwrap();
        prop_assert_eq!(created.token.expose_secret(), "t");
    }

    #[test]
    fn every_row_of_a_page_is_read_or_reported(rows in vec(prop_oneof![json(), object().prop_map(with_time)], 0..6)) {
        let page = page(json!({ "data": rows, "links": {} }).to_string().into_bytes()).unwrap();
        prop_assert_eq!(page.data.len() + page.malformed.len(), rows.len());
        let is_good = |row: &Value| row.get("created_at").is_some();
        let bad = (0..rows.len()).filter(|index| !is_good(&rows[*index])).collect::<Vec<_>>();
        prop_assert_eq!(page.malformed.iter().map(|row| row.index).collect::<Vec<_>>(), bad);
    }

    #[test]
    fn a_time_keeps_its_text(text in text()) {
        let time = serde_json::from_value::<Timestamp>(Value::from(&*text)).unwrap();
        prop_assert_eq!(time.as_str(), &*text);
        prop_assert_eq!(serde_json::to_value(&time).unwrap(), Value::from(text));
        prop_assert!(!time.to_string().chars().any(char::is_control));
        let _ = time.to_system_time();
    }

    #[test]
    fn a_time_in_rfc_3339_is_read(
        (year, month, day) in (0_u16..10_000, 1_u8..13, 1_u8..29),
        (hour, minute, second) in (0_u8..24, 0_u8..60, 0_u8..60),
        fraction in "(\\.[0-9]{1,9})?",
        offset in "Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]",
    ) {
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}");
        let is_within_9999 = (2..9998).contains(&year);
        prop_assert!(!is_within_9999 || Timestamp::from(&*text).to_system_time().is_some(), "{}", text);
    }

    #[test]
    fn absent_null_and_value_stay_three_states(words in nullable(text()), number in nullable(any::<i64>())) {
        let fields = Fields { words, number };
        let json = serde_json::to_value(&fields).unwrap();
        prop_assert_eq!(json.get("words").cloned(), as_json(&fields.words));
        prop_assert_eq!(json.get("number").cloned(), as_json(&fields.number));
        prop_assert_eq!(serde_json::from_value::<Fields>(json).unwrap(), fields);
    }
}

/// A field as a service might write it that makes its JSON by hand.
fn odd_field() -> impl Strategy<Value = String> {
    let names = vec!["token_id", "created_at", "expires_at", "tomorrow"];
    let values = vec!["1", "null", "1e999", "-1E400", r#""x""#, r#""\ud800""#, "[1e999]", r#"{"a":1,"a":"\udc00"}"#];
    (select(names), select(values)).prop_map(|(name, value)| format!("\"{name}\":{value}"))
}

fn with_time(mut row: Map<String, Value>) -> Value {
    row.insert("created_at".to_owned(), "2021-01-01T00:00:00Z".into());
    row.into()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Fields {
    #[serde(default, skip_serializing_if = "Nullable::is_absent")]
    words: Nullable<String>,
    #[serde(default, skip_serializing_if = "Nullable::is_absent")]
    number: Nullable<i64>,
}

fn nullable<T: Debug + Clone>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Nullable<T>> {
    prop_oneof![Just(Nullable::Absent), Just(Nullable::Null), value.prop_map(Nullable::Value)]
}

/// What stands in JSON for each state; nothing for absent.
fn as_json<T: Clone + Into<Value>>(nullable: &Nullable<T>) -> Option<Value> {
    match nullable {
        Nullable::Absent => None,
        Nullable::Null => Some(Value::Null),
        Nullable::Value(value) => Some(value.clone().into()),
    }
}
