//! TLS: one crypto provider, named; verification that can't be turned off.

use std::sync::Arc;

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
}

/// Makes the configuration: TLS 1.2 and 1.3, ring.
pub(crate) fn client_config(roots: &RootCertificates) -> Result<ClientConfig, Error> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in &roots.pem {
        add(&mut store, pem)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::configuration("TLS can't be set up").with_source(error))?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
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
            let error = client_config(&RootCertificates { pem: vec![pem] }).unwrap_err();
            assert!(error.to_string().starts_with("a root certificate can't be used"), "{error}");
        }
    }

    #[test]
    fn the_bundled_roots_are_there() {
        assert!(client_config(&RootCertificates::default()).is_ok());
    }
}
