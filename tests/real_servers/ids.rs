//! Odd ids pass through as one segment that decodes to itself, where the server in front leaves paths alone.

use magicbell::jwt::{DiscardUserJwt, FetchUserTokens};
use magicbell::testing::Server;
use magicbell::{Client, Error};

use crate::percent::percent_decode;
use crate::support::{ODD_IDS, client, http2_client};
use crate::{haproxy, nginx};

const USERS: &str = "/v2/jwt/user/";

/// What arrived of the last request: its path, and what its segment decodes to, where it is one segment of a user's.
fn arrived(server: &Server) -> (String, Option<String>) {
    let target = server.requests().pop().expect("a request").target;
    let segment = target.strip_prefix(USERS).filter(|segment| !segment.contains(['/', '?', '#']));
    let id = segment.map(percent_decode);
    (target, id)
}

async fn pass_as_one_segment(server: &Server, client: &Client) {
    for id in ODD_IDS {
        server.clear_requests();
        client.execute(FetchUserTokens::builder().user_id(id).build()).await.unwrap();
        assert_eq!(arrived(server).1.as_deref(), Some(id), "{:?}", arrived(server));
        let error = client.execute(DiscardUserJwt::new(id)).await.unwrap_err();
        assert!(error.is_not_found() && error.has_api_envelope(), "{id}: {error:?}");
        assert_eq!(arrived(server).1.as_deref(), Some(id), "{:?}", arrived(server));
        assert_eq!((server.count("fetch_user_tokens"), server.count("discard_user_jwt")), (1, 1));
    }
}

#[tokio::test]
async fn odd_ids_pass_through_nginx_as_one_segment() {
    let server = Server::start().await.unwrap();
    let nginx = nginx::before(server.addr()).start().await;
    pass_as_one_segment(&server, &client(&server, nginx.url())).await;
}

#[tokio::test]
async fn odd_ids_pass_through_haproxy_as_one_segment() {
    let server = Server::start().await.unwrap();
    let haproxy = haproxy::before(server.addr()).start().await;
    pass_as_one_segment(&server, &client(&server, haproxy.url())).await;
}

#[tokio::test]
async fn odd_ids_pass_through_haproxy_over_http_2_as_one_segment() {
    let server = Server::start().await.unwrap();
    let haproxy = haproxy::before(server.addr()).http2().start().await;
    pass_as_one_segment(&server, &http2_client(&server, haproxy.url())).await;
}

/// With a path of its own in `proxy_pass`, be it only the slash, nginx decodes the path, resolves `..`, and encodes it again: an
/// encoded slash becomes a real one. All other ids pass. No client can undo that: a slash has no other way into a segment.
#[tokio::test]
async fn a_proxy_pass_with_a_path_of_its_own_makes_a_slash_of_an_encoded_one_and_leaves_the_other_ids() {
    let server = Server::start().await.unwrap();
    let nginx = nginx::before(server.addr()).pass("http://up/").start().await;
    let client = client(&server, nginx.url());
    for id in ODD_IDS {
        let result = client.execute(DiscardUserJwt::new(id)).await;
        let other = match id {
            "a/b" => Some("/v2/jwt/user/a/b"),
            "../jwt/project" => Some("/v2/jwt/jwt/project"),
            _ => None,
        };
        let (target, arrived) = arrived(&server);
        match other {
            Some(other) => assert_eq!(target, other),
            None => assert_eq!(arrived.as_deref(), Some(id), "{target}"),
        }
        assert!(result.unwrap_err().is_not_found(), "{id}");
    }
}

/// The worst of it: an id that was made for such a proxy reaches the project's tokens. The answer names another id than the one
/// that was asked for, so it is not taken for a success.
#[tokio::test]
async fn what_such_a_proxy_makes_of_a_path_in_an_id_is_no_success() {
    let server = Server::start().await.unwrap();
    let nginx = nginx::before(server.addr()).pass("http://up/").start().await;
    let project_token = server.add_project_tokens(1).remove(0);
    let id = format!("../project/{project_token}");
    let result = client(&server, nginx.url()).execute(DiscardUserJwt::new(&id)).await;
    assert_eq!(arrived(&server).0, format!("/v2/jwt/project/{project_token}"));
    assert_eq!(server.is_discarded(&project_token), Some(true));
    assert_eq!(result.as_ref().map_err(Error::kind).unwrap_err(), magicbell::ErrorKind::Unverified, "{result:?}");
}
