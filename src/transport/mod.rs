//! How requests reach the service: hyper-util's pooled client over rustls.

mod classify;
mod connect;
mod hyper;
mod proxy;
mod tls;

pub(crate) use hyper::{HyperTransport, Settings};
pub(crate) use proxy::Proxy;
pub(crate) use tls::{RootCertificates, client_config};
