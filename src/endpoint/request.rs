//! Makes the HTTP request of an endpoint.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri};
use magicbell_middleware::Body;

use super::{Declared, Endpoint, Query, path};
use crate::error::{Error, InvalidRequest};

/// Where requests go: nothing that a server answers changes it.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    path: String,
}

impl BaseUrl {
    /// Reads a base URL. The error doesn't echo it, since it may have credentials in it.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason| Err(Error::configuration(format!("the base URL can't be used: {reason}")));
        let authority_and_path = text.split_once("://").map_or("", |(_, rest)| rest);
        if authority_and_path.split(['/', '?', '#', '\\']).next().is_some_and(|authority| authority.contains('@')) {
            return refuse("it has userinfo in it; give the token to the builder");
        }
        if text.contains(['?', '#', '\\']) {
            return refuse("it has a query, a fragment or a backslash in it");
        }
        let Ok(Parts { scheme: Some(scheme), authority: Some(authority), path_and_query, .. }) =
            text.parse::<Uri>().map(Uri::into_parts)
        else {
            return refuse("it is not an absolute URL with a host");
        };
        let after_host = authority.as_str().strip_prefix(authority.host());
        let is_port = |text: &str| text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        if authority.host().is_empty() || !after_host.is_some_and(|text| text.is_empty() || is_port(text)) {
            return refuse("it has no host, or a port that is none");
        }
        if authority.host().contains(['[', ']']) && bracketed(authority.host()).is_none() {
            return refuse("its host has brackets around what is no IPv6 address");
        }
        if scheme != Scheme::HTTPS && !(scheme == Scheme::HTTP && is_loopback(authority.host())) {
            return refuse("it is not https, and plain http is for loopback only");
        }
        let path = path_and_query.as_ref().map_or("", PathAndQuery::path).trim_end_matches('/');
        if path.split('/').any(is_dot_segment) || path.contains("//") {
            return refuse("its path has a dot segment or an empty segment in it");
        }
        Ok(Self { scheme, authority: kept_for_good(authority), path: path.to_owned() })
    }

    /// Returns it as text that is the same for the same URL.
    pub(crate) fn to_text(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority.as_str().to_ascii_lowercase(), self.path)
    }

    #[cfg(feature = "_transport")]
    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Returns the length of the part of a path that all requests share.
    pub(crate) fn path_len(&self) -> usize {
        self.path.len()
    }
}

/// Returns an authority whose text is static: it is cloned several times a request, and a clone of what is static counts nothing.
///
/// The text is kept until the process ends, once for each authority that a client was ever made for.
fn kept_for_good(authority: Authority) -> Authority {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let text = match kept.get(authority.as_str()) {
        Some(text) => *text,
        None => {
            let text: &'static str = String::from(authority.as_str()).leak();
            kept.insert(text);
            text
        }
    };
    Authority::from_maybe_shared(Bytes::from_static(text.as_bytes())).unwrap_or(authority)
}

/// Returns the address within the brackets that IPv6 has in a URL; `None` where they hold none.
fn bracketed(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bracketed(host).is_some_and(|address| address.is_loopback())
}

fn is_dot_segment(segment: &str) -> bool {
    matches!(&*super::decode_segment(segment), "." | "..")
}

/// Makes an empty HTTP request that of an endpoint, or says why it can't be sent. A request is large, and so made in its place.
pub(crate) fn build_into<E: Endpoint>(base: &BaseUrl, endpoint: &E, request: &mut Request<Body>) -> Result<(), Error> {
    let invalid = |invalid| Error::invalid(Declared::<E>::OPERATION.name(), invalid);
    *request.uri_mut() = uri(base, endpoint).map_err(invalid)?;
    *request.body_mut() = endpoint.body().map_err(invalid)?;
    *request.method_mut() = Declared::<E>::OPERATION.method().clone();
    if !request.body().is_empty() {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn build<E: Endpoint>(base: &BaseUrl, endpoint: &E) -> Result<Request<Body>, Error> {
    let mut request = Request::default();
    build_into(base, endpoint, &mut request).map(|()| request)
}

fn uri<E: Endpoint>(base: &BaseUrl, endpoint: &E) -> Result<Uri, InvalidRequest> {
    endpoint.validate()?;
    let mut target = String::with_capacity(base.path.len() + Declared::<E>::OPERATION.path().len() + 64);
    target.push_str(&base.path);
    path::write(endpoint, &mut target)?;
    endpoint.query(&mut Query::new(&mut target));
    let target = PathAndQuery::from_maybe_shared(Bytes::from(target))
        .map_err(|_| InvalidRequest::new("path", "it is too long, or not a path"))?;
    let mut parts = Parts::default();
    parts.scheme = Some(base.scheme.clone());
    parts.authority = Some(base.authority.clone());
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map_err(|_| InvalidRequest::new("path", "it is not a path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_or_without_a_slash_at_the_end_is_the_same() {
        for url in ["https://api.magicbell.com/v2", "https://api.magicbell.com/v2/", "https://api.magicbell.com/v2//"] {
            assert_eq!(BaseUrl::parse(url).unwrap().path, "/v2", "{url}");
        }
        assert_eq!(BaseUrl::parse("https://api.magicbell.com").unwrap().path, "");
    }

    #[test]
    fn an_authority_is_kept_once_however_many_clients_have_it() {
        let [one, other] = ["https://kept.example.com/v2", "https://kept.example.com"].map(BaseUrl::parse);
        let [one, other] = [one.unwrap().authority, other.unwrap().authority];
        assert_eq!(one, "kept.example.com");
        assert_eq!(one.as_str().as_ptr(), other.as_str().as_ptr());
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for url in ["http://127.0.0.1:8080/v2", "http://127.9.9.9", "http://[::1]:80/v2", "http://localhost/v2"] {
            assert!(BaseUrl::parse(url).is_ok(), "{url}");
        }
        for url in ["http://api.magicbell.com/v2", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://[::2]"] {
            assert!(BaseUrl::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn urls_that_could_send_a_token_elsewhere_are_refused_without_an_echo() {
        let refused = [
            "",
            "api.magicbell.com/v2",
            "/v2",
            "https://",
            "https:///v2",
            "ftp://api.magicbell.com",
            "https://host:",
            "https://user:hunter2@api.magicbell.com/v2",
            "https://hunter2@host",
            "https://api.magicbell.com/v2?hunter2=1",
            "https://api.magicbell.com/v2#hunter2",
            "https://api.magicbell.com/v2/../hunter2",
            "https://h/%2e%2E/hunter2",
            "https://h/./hunter2",
            "https://h\\@hunter2",
            "https://h/a//hunter2",
            "https://h/\r\nhunter2",
            " https://h",
            "file:///etc/hunter2",
            "http://[localhost]:8/hunter2",
            "https://[hunter2]/",
            "http://[::1]hunter2:80/v2",
            "https://[::1]2:443/hunter2",
            "https://h:99999/v2",
        ];
        for url in refused {
            let error = BaseUrl::parse(url).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
