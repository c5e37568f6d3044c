//! TLS: one crypto provider, named; verification that can't be turned off.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// Which authorities are trusted.
///
/// By default Mozilla's, bundled at build time: a client then works alike in an empty container and on a laptop, starts without
/// reading files, and trusts nothing that the machine was told to trust. Where a company's own authority stands between, it is
/// added by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct RootCertificates {
    pub(crate) pem: Vec<Vec<u8>>,
    #[cfg(feature = "native-roots")]
    pub(crate) native: bool,
}

impl RootCertificates {
    /// Reads them, and puts them beside those that are trusted anyway.
    pub(super) fn store(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        #[cfg(feature = "webpki-roots")]
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        #[cfg(feature = "native-roots")]
        if self.native {
            add_native(&mut store)?;
        }
        for pem in &self.pem {
            add(&mut store, pem)?;
        }
        Ok(store)
    }
}

/// Makes the configuration: TLS 1.2 and 1.3.
pub(super) fn client_config(store: RootCertStore) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::configuration("TLS can't be set up").with_source(error))?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

/// Names the crypto provider: with two built in and none named, rustls panics.
fn provider() -> CryptoProvider {
    #[cfg(feature = "rustls-aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "rustls-aws-lc-rs"))]
    rustls::crypto::ring::default_provider()
}

/// Adds the machine's authorities. Some that can't be read are let pass, as machines have them; none at all is an error.
#[cfg(feature = "native-roots")]
fn add_native(store: &mut RootCertStore) -> Result<(), Error> {
    let mut found = rustls_native_certs::load_native_certs();
    let (added, _) = store.add_parsable_certificates(found.certs);
    match found.errors.pop() {
        _ if added > 0 => Ok(()),
        Some(error) => Err(Error::configuration("the machine's root certificates can't be read").with_source(error)),
        None => Err(Error::configuration("the machine has no root certificates")),
    }
}

fn add(store: &mut RootCertStore, pem: &[u8]) -> Result<(), Error> {
    let refuse = |reason: &'static str| Error::configuration(format!("a root certificate can't be used: {reason}"));
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| refuse("it is not PEM").with_source(error))?;
        store.add(certificate).map_err(|error| refuse("it is not a certificate").with_source(error))?;
        count += 1;
    }
    if count == 0 { Err(refuse("there is none in the PEM")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
        for pem in [Vec::new(), b"nothing".to_vec(), broken] {
            let mut roots = RootCertificates::default();
            roots.pem.push(pem);
            let error = roots.store().unwrap_err();
            assert!(error.to_string().starts_with("a root certificate can't be used"), "{error}");
        }
    }

    #[test]
    #[cfg(feature = "native-roots")]
    fn the_machines_roots_are_added_or_missed() {
        let roots = RootCertificates { native: true, ..RootCertificates::default() };
        match roots.store() {
            Ok(store) => assert!(store.len() > RootCertificates::default().store().unwrap().len()),
            Err(error) => assert!(error.to_string().contains("machine"), "{error}"),
        }
    }

    #[test]
    #[cfg(feature = "webpki-roots")]
    fn the_bundled_roots_are_there() {
        assert!(RootCertificates::default().store().unwrap().len() > 100);
    }
}
