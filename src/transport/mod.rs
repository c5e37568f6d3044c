//! How requests reach the service: hyper-util's pooled client over rustls.

mod body;
mod classify;
mod connect;
mod connection;
#[cfg(feature = "http2")]
mod frame_timer;
#[cfg(feature = "http2")]
mod http2_error;
mod hyper;
mod proxy;
mod settings;
mod tls;

#[cfg(feature = "http2")]
use http2_error::without_the_servers_words;

/// Leaves out of an error of the connection what the server said in its own words: only HTTP/2 lets it say any.
#[cfg(not(feature = "http2"))]
fn without_the_servers_words(error: impl Into<magicbell_middleware::BoxError>) -> magicbell_middleware::BoxError {
    error.into()
}

pub(crate) use settings::TransportSettings;
pub(crate) use tls::RootCertificates;
