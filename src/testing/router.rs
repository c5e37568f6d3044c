//! Finds the operation that a method and a path name.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use super::received_request::Known;
use super::template::Template;

/// The path that every operation's path begins with.
pub(super) const BASE_PATH: &str = "/v2";

/// The six operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    FetchProjectTokens,
    CreateProjectJwt,
    DiscardProjectJwt,
    CreateUserJwt,
    DiscardUserJwt,
    FetchUserTokens,
}

impl Operation {
    /// The operation's id in the service's OpenAPI document, and its path.
    const fn known(self) -> Known {
        let (name, path) = match self {
            Self::FetchProjectTokens => ("fetch_project_tokens", "/jwt/project"),
            Self::CreateProjectJwt => ("create_project_jwt", "/jwt/project"),
            Self::DiscardProjectJwt => ("discard_project_jwt", "/jwt/project/{token_id}"),
            Self::CreateUserJwt => ("create_user_jwt", "/jwt/user"),
            Self::DiscardUserJwt => ("discard_user_jwt", "/jwt/user/{token_id}"),
            Self::FetchUserTokens => ("fetch_user_tokens", "/jwt/user/{user_id}"),
        };
        Known { name, template: Template(path) }
    }
}

/// What a method and a path name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// An operation, and the path's last segment, decoded, where the operation has one.
    Operation(Operation, Cow<'a, str>),
    /// A known path, which has only these methods.
    MethodNotAllowed(&'static str),
    /// No known path.
    NotFound,
}

impl Route<'_> {
    /// The operation that matched.
    pub(super) fn known(&self) -> Option<Known> {
        match self {
            Self::Operation(operation, _) => Some(operation.known()),
            _ => None,
        }
    }
}

/// Finds the operation for a method and a raw path.
///
/// A segment that isn't UTF-8 once it is decoded names nothing.
pub(super) fn route<'a>(method: &Method, path: &'a str) -> Route<'a> {
    let Some(path) = path.strip_prefix(BASE_PATH).and_then(|path| path.strip_prefix("/jwt/")) else {
        return Route::NotFound;
    };
    match path.split_once('/') {
        None => collection(method, path),
        Some((parent, segment)) => member(method, parent, segment),
    }
}

fn collection<'a>(method: &Method, name: &str) -> Route<'a> {
    match (name, method) {
        ("project", &Method::GET) => without_argument(Operation::FetchProjectTokens),
        ("project", &Method::POST) => without_argument(Operation::CreateProjectJwt),
        ("project", _) => Route::MethodNotAllowed("GET, POST"),
        ("user", &Method::POST) => without_argument(Operation::CreateUserJwt),
        ("user", _) => Route::MethodNotAllowed("POST"),
        _ => Route::NotFound,
    }
}

fn without_argument<'a>(operation: Operation) -> Route<'a> {
    Route::Operation(operation, Cow::Borrowed(""))
}

fn member<'a>(method: &Method, parent: &str, segment: &'a str) -> Route<'a> {
    let Some(argument) = decode(segment) else {
        return Route::NotFound;
    };
    match (parent, method) {
        ("project", &Method::DELETE) => Route::Operation(Operation::DiscardProjectJwt, argument),
        ("project", _) => Route::MethodNotAllowed("DELETE"),
        ("user", &Method::DELETE) => Route::Operation(Operation::DiscardUserJwt, argument),
        ("user", &Method::GET) => Route::Operation(Operation::FetchUserTokens, argument),
        ("user", _) => Route::MethodNotAllowed("GET, DELETE"),
        _ => Route::NotFound,
    }
}

fn decode(segment: &str) -> Option<Cow<'_, str>> {
    if segment.is_empty() || segment.contains('/') {
        return None;
    }
    percent_decode_str(segment).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_method_and_path() {
        let cases = [
            (Method::GET, "/v2/jwt/project", Operation::FetchProjectTokens, ""),
            (Method::POST, "/v2/jwt/project", Operation::CreateProjectJwt, ""),
            (Method::DELETE, "/v2/jwt/project/a", Operation::DiscardProjectJwt, "a"),
            (Method::POST, "/v2/jwt/user", Operation::CreateUserJwt, ""),
            (Method::DELETE, "/v2/jwt/user/a", Operation::DiscardUserJwt, "a"),
            (Method::GET, "/v2/jwt/user/a%2Fb%20%C3%A9", Operation::FetchUserTokens, "a/b é"),
        ];
        for (method, path, operation, argument) in cases {
            assert_eq!(route(&method, path), Route::Operation(operation, argument.into()));
        }
    }

    #[test]
    fn a_known_path_names_its_methods() {
        let cases = [
            ("/v2/jwt/project", "GET, POST"),
            ("/v2/jwt/project/a", "DELETE"),
            ("/v2/jwt/user", "POST"),
            ("/v2/jwt/user/a", "GET, DELETE"),
        ];
        for (path, methods) in cases {
            assert_eq!(route(&Method::PATCH, path), Route::MethodNotAllowed(methods));
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        let paths =
            ["/", "*", "/v2", "/jwt/project", "/v2/jwt", "/v2/jwt/user/", "/v2/jwt/user/a/b", "/v2/jwt/user/%FF"];
        for path in paths {
            assert_eq!(route(&Method::GET, path), Route::NotFound, "{path}");
        }
    }
}
