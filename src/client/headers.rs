//! Headers of the caller's.

use std::fmt;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use magicbell_middleware::idempotency_key::IDEMPOTENCY_KEY;

use crate::error::InvalidRequest;

/// Headers that the client sets, or that belong to the connection: a caller's own would break one or the other.
const RESERVED: [HeaderName; 8] =
    [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE];

/// Headers of the caller's, or the first thing that is wrong with one. In a box, since most calls have none.
#[derive(Default)]
pub(super) struct Headers(Option<Box<Result<HeaderMap, InvalidRequest>>>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None => Names(&HeaderMap::new()).fmt(f),
            Some(Ok(map)) => Names(map).fmt(f),
            Some(Err(invalid)) => invalid.fmt(f),
        }
    }
}

/// The names of headers, for Debug: any value may be a secret.
pub(super) struct Names<'a>(pub(super) &'a HeaderMap);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Headers {
    pub(super) fn insert<N, V>(&mut self, name: N, value: V)
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        let headers = &mut **self.0.get_or_insert_with(|| Box::new(Ok(HeaderMap::new())));
        let Ok(map) = headers else { return };
        match checked(name, value) {
            Ok((name, value)) => drop(map.insert(name, value)),
            Err(invalid) => *headers = Err(invalid),
        }
    }

    pub(super) fn into_inner(self) -> Result<HeaderMap, InvalidRequest> {
        self.0.map_or_else(|| Ok(HeaderMap::new()), |headers| *headers)
    }

    /// Puts them over a request's own.
    pub(super) fn put_into(self, request: &mut HeaderMap) -> Result<(), InvalidRequest> {
        if let Some(headers) = self.0 {
            request.extend((*headers)?);
        }
        Ok(())
    }
}

fn checked<N, V>(name: N, value: V) -> Result<(HeaderName, HeaderValue), InvalidRequest>
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
{
    let name = name.try_into().map_err(|_| InvalidRequest::new("header", "its name can't be sent"))?;
    if RESERVED.contains(&name) {
        return Err(InvalidRequest::new(format!("header {name}"), "it is the client's to set"));
    }
    match value.try_into() {
        Ok(value) if value.is_empty() && name == IDEMPOTENCY_KEY => {
            Err(InvalidRequest::new(format!("header {name}"), "it is empty, and so no key"))
        }
        Ok(value) => Ok((name, value)),
        Err(_) => Err(InvalidRequest::new(format!("header {name}"), "its value can't be sent")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(name: &str, value: &str) -> Result<HeaderMap, InvalidRequest> {
        let mut headers = Headers::default();
        headers.insert(name, value);
        headers.insert("x-later", "1");
        headers.into_inner()
    }

    #[test]
    fn what_is_the_clients_to_set_is_refused() {
        for name in ["Authorization", "host", "content-length", "transfer-encoding", "connection"] {
            assert!(insert(name, "x").is_err(), "{name}");
        }
    }

    #[test]
    fn an_empty_key_is_refused() {
        assert!(insert("idempotency-key", "").is_err());
        assert_eq!(insert("idempotency-key", "k").unwrap().len(), 2);
        assert_eq!(insert("x-empty", "").unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_an_echo() {
        for (name, value) in [("a b", "x"), ("", "x"), ("x", "a\r\nhunter2: 1"), ("x", "hunter2\0")] {
            let error = insert(name, value).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(insert("x-a", "1").unwrap().len(), 2);
    }
}
