//! Layers of the caller's: what they see, and what they never see.

use std::error::Error as _;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use magicbell::jwt::{CreateProjectJwt, DiscardUserJwt, FetchProjectTokens};
use magicbell::middleware::find_source;
use magicbell::testing::{Fault, Server};
use magicbell::{
    AttemptError, AttemptNumber, Body, BoxError, Client, ClientBuilder, ErrorKind, Operation, Outcome, RetryPolicy,
    StackService,
};
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::load_shed::error::Overloaded;
use tower::{Layer, Service, ServiceExt};

use crate::support::{UNKNOWN_ID, quick};

/// What a layer saw of a request.
#[derive(Debug, Clone)]
struct Seen {
    operation: Option<&'static str>,
    attempt: u32,
    headers: HeaderMap,
    status: Option<u16>,
}

/// Writes down what passes it.
#[derive(Clone, Default)]
struct Audit(Arc<Mutex<Vec<Seen>>>);

impl Audit {
    fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }
}

impl<S> Layer<S> for Audit {
    type Service = AuditService<S>;
    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService { inner, audit: self.clone() }
    }
}

#[derive(Clone)]
struct AuditService<S> {
    inner: S,
    audit: Audit,
}

impl<S> Service<Request<Body>> for AuditService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send + 'static>
        + Clone
        + Send
        + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut seen = Seen {
            operation: request.extensions().get::<Operation>().map(Operation::name),
            attempt: AttemptNumber::of(&request),
            headers: request.headers().clone(),
            status: None,
        };
        let (answer, audit) = (self.inner.call(request), self.audit.clone());
        Box::pin(async move {
            let answer = answer.await;
            seen.status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
            audit.0.lock().unwrap().push(seen);
            answer
        })
    }
}

fn builder(server: &Server) -> ClientBuilder<impl magicbell::client_builder::State> {
    Client::builder().token(server.token()).base_url(server.url()).retry(quick())
}

#[tokio::test]
async fn a_layer_sees_one_call_and_an_attempt_layer_each_attempt() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::status(503).times(2));
    let (calls, attempts) = (Audit::default(), Audit::default());
    let builder = Client::builder().token(server.token()).base_url(server.url()).retry(quick());
    let client = builder.layer(calls.clone()).attempt_layer(attempts.clone()).build().unwrap();
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();

    let calls = calls.seen().iter().map(|seen| (seen.operation, seen.attempt, seen.status)).collect::<Vec<_>>();
    assert_eq!(calls, [(Some("fetch_project_tokens"), 1, Some(200))]);
    let attempts = attempts.seen().iter().map(|seen| (seen.operation, seen.attempt, seen.status)).collect::<Vec<_>>();
    let operation = Some("fetch_project_tokens");
    assert_eq!(attempts, [(operation, 1, Some(503)), (operation, 2, Some(503)), (operation, 3, Some(200))]);
}

#[tokio::test]
async fn no_layer_ever_sees_the_token() {
    let server = Server::start().await.unwrap();
    let (calls, attempts) = (Audit::default(), Audit::default());
    let token = server.token().to_owned();
    let rotating = move || {
        let token = token.clone();
        async move { Ok(magicbell::bearer(&token)?) }
    };
    for client in [
        Client::builder()
            .token(server.token())
            .base_url(server.url())
            .layer(calls.clone())
            .attempt_layer(attempts.clone())
            .build(),
        Client::builder()
            .credentials(rotating)
            .base_url(server.url())
            .layer(calls.clone())
            .attempt_layer(attempts.clone())
            .build(),
    ] {
        client.unwrap().execute(CreateProjectJwt::builder().name("ci").build()).await.unwrap();
    }
    let seen = [calls.seen(), attempts.seen()].concat();
    assert_eq!(seen.len(), 4);
    for seen in seen {
        assert!(!seen.headers.contains_key("authorization"), "{seen:?}");
        assert!(!format!("{:?}", seen.headers).contains(server.token()));
    }
    assert!(server.requests().iter().all(|sent| sent.headers.contains_key("authorization")));
}

#[tokio::test]
async fn the_first_layer_given_is_the_outermost() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let order = Arc::clone(&order);
        tower::layer::layer_fn(move |inner| {
            let order = Arc::clone(&order);
            tower::util::MapRequest::new(inner, move |request: Request<Body>| {
                order.lock().unwrap().push(name);
                request
            })
        })
    };
    let server = Server::start().await.unwrap();
    let client = builder(&server)
        .layer(note("call 1"))
        .attempt_layer(note("attempt 1"))
        .layer(note("call 2"))
        .attempt_layer(note("attempt 2"))
        .build()
        .unwrap();
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    assert_eq!(*order.lock().unwrap(), ["call 1", "call 2", "attempt 1", "attempt 2"]);
}

#[tokio::test]
async fn towers_and_tower_https_own_layers_fit_both_slots() {
    let server = Server::start().await.unwrap();
    let name = http::HeaderName::from_static("x-from-tower-http");
    let set = tower_http::set_header::SetRequestHeaderLayer::overriding(name, http::HeaderValue::from_static("1"));
    let client = builder(&server)
        .layer(tower::timeout::TimeoutLayer::new(std::time::Duration::from_secs(30)))
        .layer(tower_http::trace::TraceLayer::new_for_http())
        .attempt_layer(ConcurrencyLimitLayer::new(4))
        .attempt_layer(set)
        .build()
        .unwrap();
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    assert_eq!(server.requests()[0].headers["x-from-tower-http"], "1");
}

/// What a layer limits is seen by the one that is put around it, though each is given by itself.
#[tokio::test]
async fn a_layer_is_told_when_one_beneath_it_is_not_ready() {
    let (shed, one) = (|| LoadShedLayer::new(), || ConcurrencyLimitLayer::new(1));
    for around_attempts in [false, true] {
        let server = Server::start().await.unwrap();
        let builder = Client::builder().base_url(server.url()).token(server.token()).retry(RetryPolicy::never());
        let client = match around_attempts {
            true => builder.attempt_layer(shed()).attempt_layer(one()).build(),
            false => builder.layer(shed()).layer(one()).build(),
        }
        .unwrap();
        server.fail_next(Fault::stall());
        let mut held = std::pin::pin!(client.execute(FetchProjectTokens::builder().build()));
        while server.request_count() == 0 {
            assert!(futures_util::poll!(&mut held).is_pending());
            tokio::task::yield_now().await;
        }
        let error = client.execute(FetchProjectTokens::builder().build()).await.unwrap_err();
        assert!(find_source::<Overloaded>(&error).is_some(), "{error:?}");
        assert_eq!(server.request_count(), 1);
    }
}

#[tokio::test]
async fn a_layer_may_change_the_bodys_type() {
    let server = Server::start().await.unwrap();
    let layer = tower_http::map_response_body::MapResponseBodyLayer::new(|body: Body| Full::new(body.into_bytes()));
    let client = builder(&server).layer(layer.clone()).attempt_layer(layer).build().unwrap();
    assert_eq!(client.execute(FetchProjectTokens::builder().build()).await.unwrap().data.len(), 1);
}

#[tokio::test]
async fn a_layers_error_is_told_from_the_transports_and_says_what_is_known() {
    let server = Server::start().await.unwrap();
    let breaker = |error: fn() -> BoxError| {
        tower::layer::layer_fn(move |_inner| {
            tower::service_fn(move |_: Request<Body>| async move { Err::<Response<Body>, BoxError>(error()) })
        })
    };
    let open =
        builder(&server).attempt_layer(breaker(|| AttemptError::not_sent("open").permanent().into())).build().unwrap();
    let error = open.execute(DiscardUserJwt::new(UNKNOWN_ID)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome(), error.attempts().len()), (ErrorKind::Layer, Outcome::NotSent, 1));
    assert!(!error.is_retryable());

    let odd = builder(&server).layer(breaker(|| "odd".into())).build().unwrap();
    let error = odd.execute(DiscardUserJwt::new(UNKNOWN_ID)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Layer, Outcome::NotSent));
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn the_typed_client_can_be_layered_from_outside() {
    let server = Server::start().await.unwrap();
    let service = tower::ServiceBuilder::new()
        .map_err(|error: magicbell::Error| error.to_string())
        .concurrency_limit(1)
        .service(server.client());
    assert!(service.oneshot(DiscardUserJwt::new(UNKNOWN_ID)).await.unwrap_err().contains("404"));
}

#[derive(Debug)]
struct QuotaOfOurOwn(u32);
impl std::fmt::Display for QuotaOfOurOwn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "quota {} is used up", self.0)
    }
}
impl std::error::Error for QuotaOfOurOwn {}

#[tokio::test]
async fn a_layers_own_error_is_found_again_by_downcast() {
    let server = Server::start().await.unwrap();
    let refuse = |wrap: fn(QuotaOfOurOwn) -> BoxError| {
        tower::layer::layer_fn(move |_inner| {
            tower::service_fn(move |_: Request<Body>| {
                std::future::ready(Err::<Response<Body>, BoxError>(wrap(QuotaOfOurOwn(7))))
            })
        })
    };
    let plain = |own: QuotaOfOurOwn| own.into();
    let told = |own: QuotaOfOurOwn| AttemptError::not_sent(own).permanent().into();
    for client in [
        builder(&server).layer(refuse(plain)).build().unwrap(),
        builder(&server).attempt_layer(refuse(told)).build().unwrap(),
        builder(&server).layer(tower::layer::util::Identity::new()).attempt_layer(refuse(plain)).build().unwrap(),
    ] {
        let error = client.execute(FetchProjectTokens::builder().build()).await.unwrap_err();
        let own = find_source::<QuotaOfOurOwn>(&error).unwrap();
        assert_eq!((own.0, error.kind()), (7, ErrorKind::Layer));
    }
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn a_layer_may_answer_in_the_services_place() {
    let server = Server::start().await.unwrap();
    let cache = tower::layer::layer_fn(|inner: StackService| {
        tower::service_fn(move |request: Request<Body>| {
            let inner = inner.clone();
            async move {
                if request
                    .extensions()
                    .get::<Operation>()
                    .is_some_and(|operation| operation.name() == "fetch_project_tokens")
                {
                    return Ok(Response::new(Body::from(r#"{"data":[{"created_at":"cached"}]}"#)));
                }
                inner.oneshot(request).await
            }
        })
    });
    for client in
        [builder(&server).layer(cache).build().unwrap(), builder(&server).attempt_layer(cache).build().unwrap()]
    {
        let page = client.execute(FetchProjectTokens::builder().build()).await.unwrap();
        assert_eq!(page.data[0].created_at.as_str(), "cached");
        assert_eq!(server.request_count(), 0);
    }
}

#[tokio::test]
async fn tower_https_decompression_fits_for_those_who_want_it() {
    /// `{"data":[{"created_at":"x","id":"7"}]}`
    const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x49\x2c\x49\x54\xb2\x8a\xae\x56\x4a\x2e\x4a\x4d\x2c\x49\x4d\x89\x4f\x2c\x51\xb2\x52\xaa\x50\xd2\x51\xca\x4c\x01\x32\xcc\x95\x6a\x63\x6b\x01\x60\x27\x01\x53\x26\x00\x00\x00";
    let transport = tower::service_fn(async |request: Request<Body>| {
        assert!(request.headers()["accept-encoding"].to_str().unwrap().contains("gzip"));
        let answer = Response::builder().header("content-encoding", "gzip");
        Ok::<_, BoxError>(answer.body(Body::from(GZIPPED.to_vec())).unwrap())
    });
    let client = Client::builder()
        .token("t")
        .transport(transport)
        .attempt_layer(tower_http::decompression::DecompressionLayer::new())
        .build()
        .unwrap();
    let page = client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    assert_eq!(page.data[0].id.as_deref(), Some("7"));
}

#[tokio::test]
async fn another_clients_error_is_a_layers_own_and_says_nothing_of_this_request() {
    let (server, audit) = (Server::start().await.unwrap(), Server::start().await.unwrap());
    let audit_client = Client::builder().token(audit.token()).base_url(audit.url()).build().unwrap();
    let audited = tower::layer::layer_fn(move |inner: StackService| {
        let audit = audit_client.clone();
        tower::service_fn(move |request: Request<Body>| {
            let (inner, audit) = (inner.clone(), audit.clone());
            async move {
                let answer: Response<Body> = inner.oneshot(request).await?;
                audit.request(FetchProjectTokens::builder().build()).max_attempts(1).send().await?;
                Ok::<_, BoxError>(answer)
            }
        })
    });
    for client in [
        builder(&server).layer(audited.clone()).build().unwrap(),
        builder(&server).attempt_layer(audited.clone()).build().unwrap(),
    ] {
        for fault in [Fault::status(404), Fault::cut_body(5), Fault::reset()] {
            audit.fail_next(fault.clone());
            let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Layer, None), "{fault:?}: {error:?}");
            assert_eq!(error.operation(), Some("create_project_jwt"));
            assert_ne!(error.outcome(), Outcome::NotSent, "the create was sent: {error:?}");
            assert!(error.to_string().contains("list by name and time"), "{error}");
            assert!(magicbell::middleware::find_source::<magicbell::Error>(error.source().unwrap()).is_some());
        }
    }
}

#[tokio::test]
async fn the_attempts_of_a_call_that_a_layer_repeats_are_all_on_record() {
    let server = Server::start().await.unwrap();
    let again = tower::layer::layer_fn(|inner: StackService| {
        tower::service_fn(move |request: Request<Body>| {
            let inner = inner.clone();
            async move {
                inner.clone().oneshot(request.clone()).await?;
                inner.oneshot(request).await
            }
        })
    });
    let client = builder(&server).layer(again).build().unwrap();
    server.fail_next(Fault::status(409));
    server.fail_next(Fault::status(403));
    let error = client.execute(FetchProjectTokens::builder().build()).await.unwrap_err();
    let statuses =
        |attempts: &[magicbell::Attempt]| attempts.iter().map(|one| one.status.unwrap().as_u16()).collect::<Vec<_>>();
    assert_eq!(statuses(error.attempts()), [409, 403]);
    let response = client.request(CreateProjectJwt::builder().name("x").build()).send().await.unwrap();
    assert_eq!(statuses(response.attempts()), [201, 201]);
    let keys =
        server.requests().iter().filter_map(|sent| sent.headers.get("idempotency-key").cloned()).collect::<Vec<_>>();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1], "one creation, one key, whoever repeats it");
}

/// What a layer answers itself was not attempted: neither a success nor an error tells of an attempt that wasn't made.
#[tokio::test]
async fn an_answer_of_a_layers_own_is_no_attempt() {
    let server = Server::start().await.unwrap();
    let answer = |status: u16| {
        tower::layer::layer_fn(move |_: StackService| {
            tower::service_fn(move |_: Request<Body>| {
                std::future::ready(Ok::<_, BoxError>(crate::support::json(status, r#"{"data":[]}"#)))
            })
        })
    };
    let breaker = builder(&server).layer(answer(503)).build().unwrap();
    let error = breaker.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
    assert!(!error.to_string().contains("may have been created"), "nothing was sent: {error}");
    assert!(error.attempts().is_empty(), "nothing was sent: {:?}", error.attempts());
    let cache = builder(&server).layer(answer(200)).build().unwrap();
    let response = cache.request(FetchProjectTokens::builder().build()).send().await.unwrap();
    assert_eq!(server.request_count(), 0);
    assert!(response.attempts().is_empty(), "nothing was sent: {:?}", response.attempts());
}
