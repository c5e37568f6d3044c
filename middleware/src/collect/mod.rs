//! Collects the response's body, up to a cap.
//!
//! Everything above this layer sees a whole [`Body`](crate::Body): a timeout covers it, a retry covers one that broke off, a permit is held
//! until it has been read. A body that breaks off is an error that still knows the status and what had arrived
//! ([`ResponseBodyError`]).
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use magicbell_middleware::{Body, collect::CollectLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), magicbell_middleware::BoxError> {
//! let service = ServiceBuilder::new()
//!     .layer(CollectLayer::new(1 << 20))
//!     .service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Full::<&[u8]>::new(b"hello"))));
//! let response = service.oneshot(Request::new(Body::empty())).await?;
//! assert_eq!(response.body().as_bytes(), b"hello");
//! # Ok(())
//! # }
//! ```

mod body_error;
mod layer;
mod limit;
mod received;

pub use body_error::ResponseBodyError;
pub use layer::{Collect, CollectLayer, ResponseFuture};
