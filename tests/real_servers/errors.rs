//! nginx answers in place of the service: a page, not the API's envelope.

use magicbell::jwt::DiscardUserJwt;
use magicbell::testing::{Fault, Server};
use magicbell::{Error, ErrorKind, Outcome};

use crate::nginx;
use crate::process::free_address;
use crate::support::{client, create};

/// The operation, the status, an excerpt of 256 bytes at most, and for a create what to do.
const LONGEST_MESSAGE: usize = 450;

/// The status is kept; the page is no envelope of the API's, and only a short part of it is in the message.
fn is_a_page(error: &Error, status: u16) {
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Api, status), "{error:?}");
    assert!(!error.has_api_envelope() && error.api_errors().is_empty());
    let message = error.to_string();
    assert!(message.contains(&status.to_string()) && message.len() <= LONGEST_MESSAGE, "{message}");
    assert!(!message.contains(['\r', '\n']), "{message:?}");
    assert!(error.headers().unwrap()["server"].to_str().unwrap().starts_with("nginx"));
    assert!(error.body().unwrap().starts_with(b"<html>"));
}

#[tokio::test]
async fn a_502_of_nginx_ends_a_create_after_one_attempt_and_a_discard_after_three() {
    let server = Server::start().await.unwrap();
    let nginx = nginx::before(free_address()).start().await;
    let client = client(&server, nginx.url());

    let error = client.execute(create(1)).await.unwrap_err();
    is_a_page(&error, 502);
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::Answered, 1));
    assert!(!error.is_retryable() && error.to_string().contains("may have been created"), "{error}");

    let error = client.execute(DiscardUserJwt::new("id")).await.unwrap_err();
    is_a_page(&error, 502);
    assert_eq!(error.attempts().len(), 3);
    assert!(error.is_retryable());
    assert_eq!(nginx.access_log(), ["POST 502", "DELETE 502", "DELETE 502", "DELETE 502"]);
}

#[tokio::test]
async fn a_504_of_nginx_ends_a_create_after_one_attempt_and_a_discard_after_three() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall().after_processing().always());
    let nginx = nginx::before(server.addr()).server("proxy_read_timeout 1s;").start().await;
    let client = client(&server, nginx.url());

    let error = client.execute(create(1)).await.unwrap_err();
    is_a_page(&error, 504);
    assert_eq!((error.attempts().len(), server.count("create_user_jwt")), (1, 1));
    assert_eq!(server.user_tokens("user-1").len(), 1);

    let id = server.add_user_tokens("user", 1).remove(0);
    let error = client.execute(DiscardUserJwt::new(&id)).await.unwrap_err();
    is_a_page(&error, 504);
    assert_eq!((error.attempts().len(), server.count("discard_user_jwt")), (3, 3));
    assert_eq!(nginx.access_log(), ["POST 504", "DELETE 504", "DELETE 504", "DELETE 504"]);
}

/// The first attempt's answer is nginx's 504, and the token was discarded; the second one's is the API's own 404.
#[tokio::test]
async fn a_discard_that_a_504_hid_is_found_to_be_done() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall().after_processing());
    let nginx = nginx::before(server.addr()).server("proxy_read_timeout 1s;").start().await;
    let id = server.add_user_tokens("user", 1).remove(0);
    let report = client(&server, nginx.url()).jwt().discard_user_jwts([id]).run().await;
    assert_eq!(report.count(magicbell::revocation::RevocationOutcome::AlreadyRevoked), 1);
    assert_eq!(nginx.access_log(), ["DELETE 504", "DELETE 404"]);
}
