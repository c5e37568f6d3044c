//! The public surface, as consumers' code is written against it: all of it, and in use.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use magicbell::jwt::{
    CreateProjectJwt, CreateUserJwt, DiscardProjectJwt, DiscardUserJwt, FetchProjectTokens, FetchUserTokens,
};
use magicbell::revocation::RevocationOutcome;
use magicbell::testing::{Fault, Server};
use magicbell::{
    Body, BoxError, Client, Endpoint, Error, ErrorKind, Nullable, Operation, Outcome, RateLimit, RetryPolicy, bearer,
};
use tower::ServiceExt;
use tower::layer::util::Identity;

#[tokio::test]
async fn a_client_has_every_setting() {
    let client: Client = Client::builder()
        .token("a.project.token")
        .base_url("https://api.magicbell.com/v2")
        .timeout(Duration::from_secs(60))
        .attempt_timeout(Duration::from_secs(10))
        .connect_timeout(Duration::from_secs(5))
        .retry(RetryPolicy::default())
        .rate_limit(RateLimit::published())
        .concurrency_limit(64)
        .max_response_bytes(1 << 20)
        .user_agent("my-app/1.0")
        .header("x-team", "platform")
        .layer(Identity::new())
        .attempt_layer(Identity::new())
        .transport(tower::service_fn(async |_: http::Request<Body>| {
            Ok::<_, BoxError>(http::Response::new(Body::from("{}")))
        }))
        .build()
        .unwrap();
    assert!(client.execute(FetchProjectTokens::builder().build()).await.unwrap().data.is_empty());

    let policies = [RetryPolicy::never(), RetryPolicy::builder().max_attempts(2).build()];
    for policy in policies {
        Client::builder().credentials(|| async { Ok(bearer("a.project.token")?) }).retry(policy).build().unwrap();
    }
}

#[tokio::test]
async fn the_six_operations() -> Result<(), Error> {
    let server = Server::start().await.unwrap();
    let client = server.client();

    let created = client
        .execute(
            CreateUserJwt::builder().external_id("user-42").email(Nullable::Null).expiry(3600).name("inbox").build(),
        )
        .await?;
    let _: &str = created.token.expose_secret();
    let _ = (&created.token_id, &created.created_at, &created.expires_at);
    let project =
        client.execute(CreateProjectJwt::builder().name("ci").expiry(Duration::from_secs(3600)).build()).await?;
    let cursor = server.token_id();
    let page = client.execute(FetchProjectTokens::builder().limit(100).starting_after(cursor).build()).await?;
    let _ = (&page.data, &page.links);
    client.execute(FetchUserTokens::builder().user_id("u1").build()).await?;
    client.execute(DiscardProjectJwt::builder().token_id(project.token_id).build()).await?;
    client.execute(&DiscardUserJwt::new(created.token_id)).await?;
    Ok(())
}

#[tokio::test]
async fn a_call_with_settings_of_its_own_returns_the_whole_answer() -> Result<(), Error> {
    let server = Server::start().await.unwrap();
    let client = server.client();
    let create = CreateUserJwt::builder().external_id("user-42").build();
    let response = client
        .request(&create)
        .timeout(Duration::from_secs(5))
        .max_attempts(1)
        .header("x-audit", "1")
        .idempotency_key("9b2f0f6e-7a41-4f0a-9a57-0e6b5f1c2d3e")
        .send()
        .await?;
    assert_eq!(response.status(), 201);
    assert!(response.headers().contains_key("date"));
    assert!(response.request_id().is_some());
    assert_eq!(response.attempts().len(), 1);
    assert!(!response.into_data().token.expose_secret().is_empty());

    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.headers["x-audit"], "1");
    assert_eq!(sent.headers["idempotency-key"], "9b2f0f6e-7a41-4f0a-9a57-0e6b5f1c2d3e");
    Ok(())
}

#[tokio::test]
async fn the_client_is_a_tower_service_for_every_endpoint() {
    let server = Server::start().await.unwrap();
    let client = server.client();
    client.clone().oneshot(FetchProjectTokens::builder().build()).await.unwrap();
    client.clone().oneshot(FetchUserTokens::builder().user_id("u").build()).await.unwrap();
    let ids = server.add_user_tokens("u", 3);
    let discards = futures_util::stream::iter(ids.into_iter().map(DiscardUserJwt::new));
    let answers = client.call_all(discards).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(answers.len(), 3);
}

#[tokio::test]
async fn the_service_has_the_six_operations_as_methods() -> Result<(), Error> {
    let server = Server::start().await.unwrap();
    let client = server.client();
    let user = client.jwt().create_user_jwt(CreateUserJwt::builder().external_id("u").build()).await?;
    let project = client.jwt().create_project_jwt(CreateProjectJwt::builder().name("p").build()).await?;
    client.jwt().fetch_user_tokens(FetchUserTokens::builder().user_id("u").build()).await?;
    client.jwt().fetch_project_tokens(FetchProjectTokens::builder().build()).await?;
    client.jwt().discard_user_jwt(DiscardUserJwt::new(user.token_id)).await?;
    client.jwt().discard_project_jwt(DiscardProjectJwt::new(project.token_id)).await?;
    Ok(())
}

#[tokio::test]
async fn every_page_and_many_revocations() -> Result<(), Error> {
    let server = Server::start().await.unwrap();
    let client = server.client();
    server.add_project_tokens(5);
    let tokens = client.paginate(FetchProjectTokens::builder().limit(2).build());
    assert_eq!(tokens.try_collect::<Vec<_>>().await?.len(), 6);

    let mut outcomes = client.jwt().discard_user_jwts(server.add_user_tokens("u", 5)).concurrency(64).stream();
    while let Some(revocation) = outcomes.next().await {
        assert!(revocation.index < 5 && !revocation.token_id.is_empty());
        match revocation.outcome {
            RevocationOutcome::Revoked => {}
            RevocationOutcome::AlreadyRevoked
            | RevocationOutcome::NotFound
            | RevocationOutcome::Refused
            | RevocationOutcome::Unknown
            | RevocationOutcome::Unverified
            | RevocationOutcome::InvalidId
            | RevocationOutcome::NotAttempted => panic!("{revocation:?}"),
            _ => panic!("an outcome of tomorrow"),
        }
    }
    let ids = server.add_project_tokens(3);
    let report = client.jwt().discard_project_jwts(ids).run().await;
    assert_eq!((report.total(), report.count(RevocationOutcome::Revoked)), (3, 3));
    Ok(())
}

#[tokio::test]
async fn an_error_answers_every_question() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::status(429).retry_after(3600));
    let err = server.client().execute(FetchProjectTokens::builder().build()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Api);
    assert_eq!(err.outcome(), Outcome::Answered);
    assert!(!err.is_timeout() && !err.is_connect() && !err.is_unauthorized() && !err.is_not_found());
    assert!(err.is_rate_limited() && err.is_retryable());
    assert_eq!(err.status().unwrap(), 429);
    assert!(err.headers().is_some() && err.request_id().is_some());
    assert_eq!(err.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(err.api_errors().len(), 1);
    assert_eq!(err.attempts().len(), 1);
    assert!(err.body().is_some());
}

struct FetchUser {
    user_id: String,
}

#[derive(serde::Deserialize)]
struct User {
    data: Vec<serde::de::IgnoredAny>,
}

impl Endpoint for FetchUser {
    type Response = User;
    const OPERATION: Operation = Operation::get("fetch_user", "/jwt/user/{user_id}");

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "user_id").then_some(Cow::Borrowed(&self.user_id))
    }
}

#[tokio::test]
async fn an_operation_of_ones_own_goes_through_the_same_client() {
    let server = Server::start().await.unwrap();
    server.add_user_tokens("u", 2);
    let user = server.client().execute(FetchUser { user_id: "u".into() }).await.unwrap();
    assert_eq!(user.data.len(), 2);
}

#[tokio::test]
async fn the_fake_server_takes_a_client_of_ones_own() {
    let server = magicbell::testing::Server::start().await.unwrap();
    let client = Client::builder().base_url(server.url()).token(server.token()).build().unwrap();
    server.fail_next(Fault::status(503));
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}
