//! A proxy, where one is asked for: HTTP CONNECT, so that it carries TLS and sees nothing of what is in it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use magicbell_middleware::BoxError;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tower::Service;

use crate::error::Error;

/// A proxy's address, and what it is authorized with.
pub(crate) struct Proxy {
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads `http://host:port`, with or without `user:password@`. The error doesn't echo it.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::configuration(format!("the proxy can't be used: {reason}"));
        let rest = text.strip_prefix("http://").ok_or_else(|| refuse("it is not http://host:port"))?;
        let (userinfo, address) = match rest.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, rest),
        };
        let address = address.strip_suffix('/').unwrap_or(address);
        let uri = format!("http://{address}").parse::<Uri>().map_err(|_| refuse("its address is none"))?;
        let is_plain = uri.path() == "/" && uri.query().is_none() && !text.contains(['#', '\\']);
        if !is_plain || uri.host().is_none_or(str::is_empty) || uri.port_u16().is_none() {
            return Err(refuse("it has to be a host and a port, and nothing else"));
        }
        let authorization = userinfo.map(basic).transpose().map_err(|()| refuse("its credentials can't be sent"))?;
        Ok(Self { uri, authorization })
    }
}

/// Shows the address, not the credentials.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// Makes `Basic` credentials (RFC 7617) of a URL's userinfo.
fn basic(userinfo: &str) -> Result<HeaderValue, ()> {
    let decoded = percent_decode_str(userinfo).collect::<Vec<_>>();
    let has_colon = userinfo.contains(':');
    if !has_colon || decoded.iter().any(u8::is_ascii_control) {
        return Err(());
    }
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(decoded))).map_err(drop)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Connects to the service, or to a proxy that connects to it.
#[derive(Debug, Clone)]
pub(super) enum Connector {
    Direct(HttpConnector),
    Proxied(Tunnel<HttpConnector>),
}

impl Connector {
    pub(super) fn new(direct: HttpConnector, proxy: Option<Proxy>) -> Self {
        let Some(proxy) = proxy else { return Self::Direct(direct) };
        let tunnel = Tunnel::new(proxy.uri, direct);
        Self::Proxied(match proxy.authorization {
            Some(authorization) => tunnel.with_auth(authorization),
            None => tunnel,
        })
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<TcpStream>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Direct(connector) => connector.poll_ready(cx).map_err(Into::into),
            Self::Proxied(tunnel) => tunnel.poll_ready(cx).map_err(Into::into),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self {
            Self::Direct(connector) => {
                let connecting = connector.call(uri);
                Box::pin(async { connecting.await.map_err(Into::into) })
            }
            Self::Proxied(tunnel) => {
                let connecting = tunnel.call(uri);
                Box::pin(async { connecting.await.map_err(Into::into) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for text in
            ["http://proxy.example:3128", "http://proxy.example:3128/", "http://[::1]:3128", "http://u:p@127.0.0.1:1"]
        {
            assert!(Proxy::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_without_an_echo() {
        for text in [
            "",
            "hunter2:3128",
            "https://hunter2:3128",
            "socks5://hunter2:1080",
            "http://hunter2",
            "http://:3128",
            "http://proxy:3128/hunter2",
            "http://proxy:3128?hunter2",
            "http://hunter2@proxy:3128",
            "http://u:hunter2%0d%0a@proxy:3128",
        ] {
            let error = Proxy::parse(text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_do_not_show() {
        let proxy = Proxy::parse("http://user:p%40ss@proxy:3128").unwrap();
        // base64 of `user:p@ss`
        assert_eq!(proxy.authorization.as_ref().unwrap(), "Basic dXNlcjpwQHNz");
        assert!(proxy.authorization.as_ref().unwrap().is_sensitive());
        assert!(!format!("{proxy:?}").contains("dXNlcj"));
    }
}
