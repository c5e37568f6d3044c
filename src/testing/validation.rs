//! Checks the bodies of the two creations.

use std::time::SystemTime;

use http::StatusCode;
use serde_json::{Map, Value};

use super::answer::{self, Answer, Problem, Refusal};
use super::clock;
use super::stored_token::TokenUser;

const MAX_CHARACTERS: usize = 255;

/// What a creation asks for.
#[derive(Debug)]
pub(super) struct NewToken {
    pub(super) name: Option<String>,
    /// The user whose token it is; `None` for a project token.
    pub(super) user: Option<TokenUser>,
    pub(super) expires_at: Option<SystemTime>,
}

/// Reads a `CreateProjectTokenRequest`.
///
/// # Errors
///
/// The answer to send: 400 for what isn't JSON, 422 with every problem otherwise.
pub(super) fn project_token(body: &[u8], now: SystemTime) -> Result<NewToken, Refusal> {
    let mut fields = Fields::parse(body)?;
    let name = fields.required_text("name");
    let expires_at = fields.expiry(now);
    fields.finish(NewToken { name, user: None, expires_at })
}

/// Reads a `CreateUserTokenRequest`.
///
/// # Errors
///
/// As for [`project_token`].
pub(super) fn user_token(body: &[u8], now: SystemTime) -> Result<NewToken, Refusal> {
    let mut fields = Fields::parse(body)?;
    let email = fields.text("email");
    let external_id = fields.text("external_id");
    let name = fields.text("name");
    let expires_at = fields.expiry(now);
    fields.finish(NewToken { name, user: Some(TokenUser { email, external_id }), expires_at })
}

/// The fields of a body, and the problems met so far.
struct Fields {
    values: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Fields {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self { values, problems: Vec::new() }),
            Ok(_) => Err(not_an_object().into()),
            Err(_) => Err(malformed().into()),
        }
    }

    /// Text that may be absent or `null`.
    fn text(&mut self, field: &'static str) -> Option<String> {
        match self.values.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => self.bounded(field, text),
            Some(_) => self.problem(field, "not_a_string", "must be a string"),
        }
    }

    /// Text that must be there.
    fn required_text(&mut self, field: &'static str) -> Option<String> {
        match self.values.get(field) {
            None => self.problem(field, "required", "is required"),
            Some(Value::Null) => self.problem(field, "null", "can't be null"),
            Some(_) => self.text(field),
        }
    }

    fn bounded(&mut self, field: &'static str, text: String) -> Option<String> {
        if text.chars().count() > MAX_CHARACTERS {
            return self.problem(field, "too_long", "is longer than 255 characters");
        }
        Some(text)
    }

    /// When the token expires; `None` for never.
    fn expiry(&mut self, now: SystemTime) -> Option<SystemTime> {
        let seconds = match self.values.remove("expiry")? {
            Value::Null => return None,
            Value::Number(number) if number.is_f64() => {
                return self.problem("expiry", "not_an_integer", "must be an integer");
            }
            Value::Number(number) => number.as_u64().unwrap_or(0),
            _ => return self.problem("expiry", "not_an_integer", "must be an integer"),
        };
        if seconds == 0 {
            return self.problem("expiry", "too_small", "must be at least 1");
        }
        let expires_at = clock::after(now, seconds);
        expires_at.or_else(|| self.problem("expiry", "too_large", "is too far in the future"))
    }

    fn problem<T>(&mut self, field: &'static str, code: &'static str, complaint: &str) -> Option<T> {
        self.problems.push(Problem::of_field(field, code, format!("{field} {complaint}")));
        None
    }

    fn finish(self, token: NewToken) -> Result<NewToken, Refusal> {
        if self.problems.is_empty() { Ok(token) } else { Err(answer::unprocessable(&self.problems).into()) }
    }
}

fn not_an_object() -> Answer {
    answer::error(StatusCode::UNPROCESSABLE_ENTITY, "not_an_object", "The body must be a JSON object")
}

fn malformed() -> Answer {
    answer::error(StatusCode::BAD_REQUEST, "malformed_json", "The body is not JSON")
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn refusal(result: Result<NewToken, Refusal>) -> (u16, Vec<(String, Option<String>)>) {
        let answer = result.expect_err("refused");
        let body: Value = serde_json::from_slice(answer.body()).expect("JSON");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let errors = body["errors"].as_array().expect("an array");
        let problems = errors.iter().map(|error| (text(&error["code"]).expect("a code"), text(&error["field"])));
        (answer.status().as_u16(), problems.collect())
    }

    fn problem_with_expiry(expiry: &str) -> String {
        let body = format!(r#"{{"expiry":{expiry}}}"#);
        let (status, problems) = refusal(user_token(body.as_bytes(), SystemTime::now()));
        assert_eq!(status, 422);
        assert_eq!(problems[0].1.as_deref(), Some("expiry"));
        problems[0].0.clone()
    }

    #[test]
    fn a_user_token_needs_nothing_and_takes_nulls() {
        for body in [&b"{}"[..], br#"{"email":null,"external_id":null,"expiry":null,"name":null,"more":[1]}"#] {
            let token = user_token(body, UNIX_EPOCH).expect("accepted");
            assert_eq!(token.user, Some(TokenUser::default()));
            assert_eq!((token.name, token.expires_at), (None, None));
        }
    }

    #[test]
    fn a_project_token_needs_a_name() {
        let problem = |body: &[u8]| refusal(project_token(body, UNIX_EPOCH)).1[0].0.clone();
        assert_eq!(problem(b"{}"), "required");
        assert_eq!(problem(br#"{"name":null}"#), "null");
        assert_eq!(problem(br#"{"name":7}"#), "not_a_string");
    }

    #[test]
    fn length_is_counted_in_characters() {
        let body = |count| format!(r#"{{"name":"{}"}}"#, "é".repeat(count));
        assert!(project_token(body(255).as_bytes(), UNIX_EPOCH).is_ok());
        let (_, problems) = refusal(project_token(body(256).as_bytes(), UNIX_EPOCH));
        assert_eq!(problems, [("too_long".to_owned(), Some("name".to_owned()))]);
    }

    #[test]
    fn an_expiry_is_a_whole_number_from_one_up_to_the_year_9999() {
        assert_eq!(problem_with_expiry("0"), "too_small");
        assert_eq!(problem_with_expiry("-1"), "too_small");
        assert_eq!(problem_with_expiry("1.5"), "not_an_integer");
        assert_eq!(problem_with_expiry("\"60\""), "not_an_integer");
        assert_eq!(problem_with_expiry("18446744073709551615"), "too_large");
        assert!(user_token(br#"{"expiry":1}"#, SystemTime::now()).is_ok());
    }

    #[test]
    fn every_problem_is_listed() {
        let (status, problems) = refusal(project_token(br#"{"expiry":0}"#, UNIX_EPOCH));
        assert_eq!((status, problems.len()), (422, 2));
    }

    #[test]
    fn what_is_not_json_is_400_and_what_is_not_an_object_is_422() {
        assert_eq!(refusal(user_token(b"", UNIX_EPOCH)).0, 400);
        assert_eq!(refusal(user_token(b"{", UNIX_EPOCH)).0, 400);
        assert_eq!(refusal(user_token(b"[]", UNIX_EPOCH)).0, 422);
    }
}
