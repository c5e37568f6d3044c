//! The transport: hyper-util's pooled client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, ResponseFuture, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use magicbell_middleware::{AttemptError, Body};
use pin_project_lite::pin_project;
use rustls::ClientConfig;
use tower::Service;

use super::body::ResponseBody;
use super::classify::classify;
use super::connect::ConnectTimeout;
#[cfg(feature = "http2")]
use super::frame_timer::FrameTimer;
use super::proxy::{Connector, Proxy};

/// How long an idle connection is kept: less than the 60 s and 75 s after which common load balancers and nginx close it.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(45);
/// How long a TCP connection may be silent before the kernel probes it.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Which versions of HTTP are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    /// HTTP/2 where the server offers it in TLS, otherwise HTTP/1.1.
    #[cfg(feature = "http2")]
    Negotiated,
    /// HTTP/1.1, whatever the server offers.
    Http1,
    /// HTTP/2 from the first byte, also without TLS.
    #[cfg(feature = "http2")]
    Http2,
}

/// Connects, sends, and returns the head of the answer. Clones share the pool, and everything else: hyper-util's own clone is half
/// a kilobyte of settings, which each call would carry about.
#[derive(Debug, Clone)]
pub(crate) struct HyperTransport {
    client: Arc<Client<ConnectTimeout<HttpsConnector<Connector>>, Body>>,
}

impl HyperTransport {
    pub(super) fn new(
        tls: ClientConfig,
        versions: Versions,
        proxy: Option<Proxy>,
        connect_timeout: Duration,
        attempt_timeout: Duration,
    ) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        // Without it, small HTTP/2 frames wait for each other's acknowledgements.
        http.set_nodelay(true);
        http.set_keepalive(Some(TCP_KEEP_ALIVE));
        // Plain http is for loopback, which the base URL has been checked for.
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let connector = Connector::new(http, proxy);
        let https = match versions {
            Versions::Http1 => https.enable_http1().wrap_connector(connector),
            #[cfg(feature = "http2")]
            Versions::Negotiated | Versions::Http2 => https.enable_all_versions().wrap_connector(connector),
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            // The one retry layer counts attempts, so nothing beneath it may repeat any.
            .retry_canceled_requests(false);
        #[cfg(feature = "http2")]
        {
            let (interval, timeout) = keep_alive(attempt_timeout);
            builder
                .timer(FrameTimer::new(interval / 4))
                .http2_keep_alive_interval(interval)
                .http2_keep_alive_timeout(timeout)
                .http2_only(versions == Versions::Http2);
        }
        #[cfg(not(feature = "http2"))]
        let _ = attempt_timeout;
        Self { client: Arc::new(builder.build(ConnectTimeout::new(https, connect_timeout))) }
    }
}

/// Returns after how long a silent HTTP/2 connection with requests in flight is asked whether it lives, and how long it has to
/// answer: together less than an attempt, so that the next attempt has a new connection rather than the silent one again.
#[cfg(feature = "http2")]
fn keep_alive(attempt_timeout: Duration) -> (Duration, Duration) {
    let second = Duration::from_secs(1);
    ((attempt_timeout / 2).clamp(second, 5 * second), (attempt_timeout / 5 * 2).clamp(second, 4 * second))
}

impl Service<Request<Body>> for HyperTransport {
    type Response = Response<ResponseBody>;
    type Error = AttemptError;
    type Future = Sending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AttemptError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Sending {
        Sending { inner: self.client.request(request) }
    }
}

pin_project! {
    /// The future of [`HyperTransport`].
    pub(crate) struct Sending {
        #[pin]
        inner: ResponseFuture,
    }
}

impl Future for Sending {
    type Output = Result<Response<ResponseBody>, AttemptError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_ok(|response| response.map(ResponseBody::new)).map_err(classify)
    }
}
