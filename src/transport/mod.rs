//! How requests reach the service: hyper-util's pooled client over rustls.

mod body;
mod classify;
mod connect;
mod http2_error;
mod hyper;
mod proxy;
mod tls;

pub(crate) use hyper::{HyperTransport, Settings, Versions};
pub(crate) use proxy::Proxy;
pub(crate) use tls::{RootCertificates, client_config};
