//! What can be moved to and shared between threads.

use std::fmt::Debug;

use magicbell::jwt::*;
use magicbell::pagination::*;
use magicbell::revocation::*;
use magicbell::testing::*;
use magicbell::*;

fn value<T: Send + Sync + Unpin + Debug + 'static>() {}
fn future<T: Future + Send + Sync + 'static>(_: T) {}

#[test]
fn a_client_is_clone_send_sync_and_static() {
    fn is<T: Clone + Send + Sync + Debug + 'static>() {}
    is::<Client>();
    is::<blocking::Client>();
}

#[test]
fn every_public_type_is_send_and_sync() {
    value::<Client>();
    value::<Error>();
    value::<ErrorKind>();
    value::<ApiError>();
    value::<DecodeError>();
    value::<InvalidRequest>();
    value::<Nullable<String>>();
    value::<SecretToken>();
    value::<Timestamp>();
    value::<RateLimit>();
    value::<RetryPolicy>();
    value::<RetryBudget>();
    value::<RotatingCredentials>();
    value::<Response<CreateTokenResponse>>();
    value::<AccessToken>();
    value::<AccessTokenCollection>();
    value::<Links>();
    value::<CreateTokenResponse>();
    value::<DiscardTokenResponse>();
    value::<CreateProjectJwt>();
    value::<CreateUserJwt>();
    value::<DiscardProjectJwt>();
    value::<DiscardUserJwt>();
    value::<FetchProjectTokens>();
    value::<FetchUserTokens>();
    value::<JwtService<'static>>();
    value::<Paginated<FetchProjectTokens>>();
    value::<Page<AccessToken>>();
    value::<Revocation>();
    value::<RevocationReport>();
    value::<RevocationOutcome>();
    value::<StopReason>();
    value::<FailureGroup>();
    value::<Selection>();
    value::<RevocationPlan>();
    value::<SelectedToken>();
    value::<Verify<'static>>();
    value::<Verification>();
    value::<ListError<RevocationPlan>>();
    value::<Progress>();
    value::<Estimate>();
    value::<Basis>();
    value::<StopHandle>();
    value::<RevocationStream<futures_util::stream::Iter<std::vec::IntoIter<String>>>>();
    value::<OwnToken>();
    value::<Journal>();
    value::<JournalOptions>();
    value::<JournalError>();
    value::<JournalErrorKind>();
    value::<JournalSync>();
    value::<Server>();
    value::<ServerBuilder>();
    value::<Fault>();
    value::<ReceivedRequest>();
    value::<StoredToken>();
    value::<Script<'static, DiscardUserJwt>>();
    value::<Transport>();
    value::<Operation>();
    value::<Attempt>();
    value::<AttemptError>();
    value::<Body>();
    value::<Outcome>();
    value::<Safety>();
    value::<AttemptNumber>();
    value::<Answer<'static>>();
    value::<StackService>();
    value::<Backoff>();
    value::<Call<'static, DiscardUserJwt>>();
    value::<Expiry>();
    value::<Fetched>();
    value::<FetchedCredentials<fn() -> std::future::Ready<Result<Fetched, BoxError>>>>();
    value::<InvalidToken>();
    value::<Limit>();
    value::<MalformedRow>();
    value::<Query<'static>>();
    value::<blocking::Client>();
    value::<blocking::Call<'static, DiscardUserJwt>>();
    value::<blocking::JwtService<'static>>();
    value::<blocking::Revocations<'static, std::vec::IntoIter<String>>>();
    value::<blocking::Outcomes<std::vec::IntoIter<String>>>();
    value::<blocking::Paginated<FetchProjectTokens>>();
}

#[test]
fn a_builder_is_send_and_sync() {
    fn is<T: Send + Sync>(_: T) {}
    is(Client::builder().token("t").layer(tower::layer::util::Identity::new()));
}

#[test]
fn every_public_future_is_send_sync_and_static() {
    let client = Client::builder().token("t").build().unwrap();
    let request = DiscardUserJwt::new("id");
    future(client.execute(&request));
    future(client.request(&request).send());
    future(client.jwt().discard_user_jwts(["id"]).run());
    let selection = client.jwt().select_user_tokens("u");
    future(async move { selection.plan().await });
    fn stream<S: futures_core::Stream + Send + Sync + 'static>(_: S) {}
    stream(client.paginate(FetchProjectTokens::builder().build()));
    stream(client.jwt().discard_project_jwts(["id"]).stream());
    drop(request);
}
