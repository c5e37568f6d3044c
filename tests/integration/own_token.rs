//! The token that a client itself uses, among those that it revokes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use magicbell::jwt::CreateProjectJwt;
use magicbell::middleware::auth::bearer;
use magicbell::revocation::{OwnToken, Revocation, RevocationOutcome};
use magicbell::testing::Server;
use magicbell::{BoxError, Client, RotatingCredentials};

use crate::support::{client, quick};

/// A client that asks for its token, and hasn't yet.
fn rotating(server: &Server) -> (Client, RotatingCredentials) {
    let credentials = RotatingCredentials::new(bearer(server.token()).unwrap());
    let builder = Client::builder().base_url(server.url()).retry(quick());
    (builder.credentials(credentials.clone()).build().unwrap(), credentials)
}

fn indices(revocations: &[Revocation]) -> Vec<u64> {
    revocations.iter().map(|revocation| revocation.index).collect()
}

#[tokio::test]
async fn the_token_that_credentials_give_is_known_before_the_first_id_is_sent() {
    for (own_token, outcome) in
        [(OwnToken::Last, RevocationOutcome::Revoked), (OwnToken::Skip, RevocationOutcome::NotAttempted)]
    {
        let server = Server::start().await.unwrap();
        let mut ids = server.add_project_tokens(5);
        ids.insert(0, server.token_id().to_owned());
        let (client, _) = rotating(&server);
        let batch = client.jwt().discard_project_jwts(ids).own_token(own_token).concurrency(1);
        let revocations = batch.stream().collect::<Vec<_>>().await;
        assert_eq!(indices(&revocations), [1, 2, 3, 4, 5, 0]);
        assert_eq!(revocations[5].outcome, outcome);
        assert!(revocations[..5].iter().all(|revocation| revocation.outcome == RevocationOutcome::Revoked));
    }
}

#[tokio::test]
async fn a_token_that_is_rotated_in_is_held_back_and_the_one_before_it_is_let_go() {
    for (own_token, outcome) in
        [(OwnToken::Last, RevocationOutcome::Revoked), (OwnToken::Skip, RevocationOutcome::NotAttempted)]
    {
        let server = Server::start().await.unwrap();
        let next = client(&server).execute(CreateProjectJwt::builder().name("next").build()).await.unwrap();
        let mut ids = server.add_project_tokens(6);
        (ids[0], ids[3]) = (server.token_id().to_owned(), next.token_id);
        let (client, credentials) = rotating(&server);
        let mut stream = client.jwt().discard_project_jwts(ids).own_token(own_token).concurrency(1).stream();
        let mut revocations = vec![stream.next().await.unwrap()];
        credentials.set(bearer(next.token.expose_secret()).unwrap());
        while let Some(revocation) = stream.next().await {
            revocations.push(revocation);
        }
        // The first token was held back while it was the client's own. When that is over, it is one like the others.
        let (last, others) = revocations.split_last().unwrap();
        assert_eq!((indices(others), last.index), (vec![1, 2, 4, 5, 0], 3), "{own_token:?}");
        assert!(others.iter().all(|revocation| revocation.outcome == RevocationOutcome::Revoked), "{others:?}");
        assert_eq!(last.outcome, outcome);
        assert_eq!(server.is_discarded(server.token_id()), Some(true));
    }
}

#[tokio::test]
async fn credentials_that_fail_when_they_are_asked_end_no_batch() {
    let server = Server::start().await.unwrap();
    let ids = server.add_project_tokens(3);
    let asked = Arc::new(AtomicUsize::new(0));
    let (counter, token) = (Arc::clone(&asked), server.token().to_owned());
    let credentials = move || {
        let is_first = counter.fetch_add(1, Ordering::Relaxed) == 0;
        let token = token.clone();
        async move { if is_first { Err(BoxError::from("sealed")) } else { Ok(bearer(&token)?) } }
    };
    let client = Client::builder().base_url(server.url()).retry(quick()).credentials(credentials).build().unwrap();
    let report = client.jwt().discard_project_jwts(ids).run().await;
    assert_eq!(report.count(RevocationOutcome::Revoked), 3, "{report}");
}

#[tokio::test]
async fn credentials_that_panic_when_they_are_asked_are_each_ids_own() {
    let server = Server::start().await.unwrap();
    let panics = || -> std::future::Ready<Result<http::HeaderValue, BoxError>> { panic!("a provider's bug") };
    let client = Client::builder().base_url(server.url()).credentials(panics).build().unwrap();
    let report = client.jwt().discard_project_jwts(server.add_project_tokens(3)).run().await;
    assert_eq!(report.count(RevocationOutcome::Unknown), 3, "{report}");
}

#[tokio::test]
async fn nobody_is_asked_in_advance_for_users_tokens() {
    let server = Server::start().await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let (counter, token) = (Arc::clone(&asked), server.token().to_owned());
    let credentials = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        std::future::ready(bearer(&token).map_err(BoxError::from))
    };
    let client = Client::builder().base_url(server.url()).credentials(credentials).build().unwrap();
    let report = client.jwt().discard_user_jwts(server.add_user_tokens("u", 3)).run().await;
    assert!(report.is_complete());
    assert_eq!(asked.load(Ordering::Relaxed), 3, "once an attempt");
}
