//! Tells which paths an operation's template means, and what its parameters are.

use http::Method;
use magicbell_middleware::Operation;
use percent_encoding::percent_decode_str;

use super::router::BASE_PATH;

/// A path template such as `/users/{user_id}`; each `{name}` is one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Template(pub(super) &'static str);

impl Template {
    /// Whether a path below the base URL is one of the template's.
    pub(super) fn matches(self, path: &str) -> bool {
        let (mut template, mut path) = (self.0.split('/'), path.split('/'));
        loop {
            match (template.next(), path.next()) {
                (None, None) => return true,
                (Some(part), Some(segment)) if fits(part, segment) => {}
                _ => return false,
            }
        }
    }

    /// The decoded value of a parameter; `None` where the template has no such parameter.
    pub(super) fn parameter(self, path: &str, name: &str) -> Option<String> {
        let (_, value) = self.0.split('/').zip(path.split('/')).find(|(part, _)| parameter(part) == Some(name))?;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    }
}

/// Whether a request with this method and this raw path is for the operation.
pub(super) fn is_for(operation: &Operation, method: &Method, path: &str) -> bool {
    operation.method() == method && below_base(path).is_some_and(|path| Template(operation.path()).matches(path))
}

/// The part of a path that follows the base URL's; `None` where it begins otherwise.
pub(super) fn below_base(path: &str) -> Option<&str> {
    path.strip_prefix(BASE_PATH).filter(|path| path.starts_with('/'))
}

fn fits(part: &str, segment: &str) -> bool {
    match parameter(part) {
        Some(_) => !segment.is_empty(),
        None => part == segment,
    }
}

fn parameter(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_one_segment_and_all_else_is_as_it_is_written() {
        let template = Template("/users/{user_id}/notes");
        assert!(template.matches("/users/a%2Fb/notes"));
        for path in ["/users//notes", "/users/a/b/notes", "/users/a", "/users/a/notes/", "/user/a/notes", ""] {
            assert!(!template.matches(path), "{path}");
        }
    }

    #[test]
    fn a_parameter_is_decoded() {
        let template = Template("/users/{user_id}/notes/{note}");
        assert_eq!(template.parameter("/users/a%2Fb%20%C3%A9/notes/7", "user_id").as_deref(), Some("a/b é"));
        assert_eq!(template.parameter("/users/a/notes/7", "note").as_deref(), Some("7"));
        assert_eq!(template.parameter("/users/a/notes/7", "token_id"), None);
    }

    #[test]
    fn an_operation_is_its_method_and_its_path_below_the_base_url() {
        let operation = Operation::get("fetch_user", "/users/{user_id}");
        assert!(is_for(&operation, &Method::GET, "/v2/users/7"));
        assert!(!is_for(&operation, &Method::PUT, "/v2/users/7"));
        for path in ["/users/7", "/v2users/7", "/v3/users/7"] {
            assert!(!is_for(&operation, &Method::GET, path), "{path}");
        }
    }
}
