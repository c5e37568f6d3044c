//! A body that couldn't be read.

use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::BoxError;

#[derive(Debug)]
pub(super) enum Failure {
    TooLarge { max: usize },
    CutShort,
    Broken(BoxError),
}

/// A body that couldn't be read to its end. The status had arrived.
///
/// Neither Debug nor Display shows what had been received.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use magicbell_middleware::Body;
/// # use tower::{ServiceBuilder, ServiceExt};
/// use magicbell_middleware::collect::{CollectLayer, ResponseBodyError};
///
/// let service = ServiceBuilder::new()
///     .layer(CollectLayer::new(3))
///     .service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Full::<&[u8]>::new(b"hello"))));
/// let error = service.oneshot(Request::new(Body::empty())).await.unwrap_err();
/// let error = error.downcast_ref::<ResponseBodyError>().ok_or("the body is over the cap")?;
/// assert!(error.is_too_large() && error.status() == 200);
/// # Ok(())
/// # }
/// ```
pub struct ResponseBodyError {
    pub(super) status: StatusCode,
    pub(super) headers: Box<HeaderMap>,
    pub(super) received: Bytes,
    pub(super) failure: Failure,
}

impl ResponseBodyError {
    /// Returns the status that had arrived.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers that had arrived.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns what had arrived of the body, at most as much as the cap.
    #[must_use]
    pub fn received(&self) -> &Bytes {
        &self.received
    }

    /// Says whether the body was over the cap: another attempt at a success would meet the same.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.failure, Failure::TooLarge { .. })
    }

    /// Takes out the error with which the body broke off, where there was one.
    #[must_use]
    pub fn into_source(self) -> Option<BoxError> {
        match self.failure {
            Failure::Broken(source) => Some(source),
            Failure::TooLarge { .. } | Failure::CutShort => None,
        }
    }
}

impl fmt::Debug for ResponseBodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBodyError")
            .field("status", &self.status)
            .field("received", &self.received.len())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ResponseBodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure {
            Failure::TooLarge { max } => write!(f, "the response's body is over the cap of {max} bytes"),
            Failure::CutShort | Failure::Broken(_) => {
                write!(f, "the response's body broke off after {} bytes", self.received.len())
            }
        }
    }
}

impl Error for ResponseBodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.failure {
            Failure::Broken(source) => Some(&**source),
            Failure::TooLarge { .. } | Failure::CutShort => None,
        }
    }
}
