//! What the transport is set to, and whether it can be.

use std::time::Duration;

use super::hyper::{HyperTransport, Versions};
use super::proxy::Proxy;
use super::tls::{RootCertificates, client_config};
use crate::endpoint::BaseUrl;
use crate::error::Error;

const NO_ROOTS: &str =
    "no certificate authority is trusted: give one, or have the feature webpki-roots or native-roots";

/// The transport's settings, as the caller gave them.
#[derive(Debug)]
pub(crate) struct TransportSettings {
    pub(crate) roots: RootCertificates,
    pub(crate) connect_timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    #[cfg(feature = "http2")]
    pub(crate) http2_prior_knowledge: bool,
    #[cfg(feature = "http2")]
    pub(crate) http1_only: bool,
    pub(crate) proxy: Option<String>,
}

impl TransportSettings {
    /// Makes the transport. It connects when it is used.
    pub(crate) fn transport(self, base_url: &BaseUrl) -> Result<HyperTransport, Error> {
        let versions = self.versions()?;
        let store = self.roots.store()?;
        if store.is_empty() && base_url.is_https() {
            return Err(Error::configuration(NO_ROOTS));
        }
        let proxy = self.proxy.as_deref().map(Proxy::parse).transpose()?;
        if proxy.is_some() && !base_url.is_https() {
            return Err(Error::configuration("a proxy would see the token of a plain http base URL"));
        }
        Ok(HyperTransport::new(client_config(store)?, versions, proxy, self.connect_timeout, self.attempt_timeout))
    }

    #[cfg(feature = "http2")]
    fn versions(&self) -> Result<Versions, Error> {
        match (self.http1_only, self.http2_prior_knowledge) {
            (false, false) => Ok(Versions::Negotiated),
            (true, false) => Ok(Versions::Http1),
            (false, true) => Ok(Versions::Http2),
            (true, true) => Err(Error::configuration("http1_only and http2_prior_knowledge exclude each other")),
        }
    }

    #[cfg(not(feature = "http2"))]
    #[expect(clippy::unnecessary_wraps, reason = "with the feature http2 it can fail")]
    fn versions(&self) -> Result<Versions, Error> {
        Ok(Versions::Http1)
    }
}
