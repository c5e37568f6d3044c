//! A transport of one's own, over a Unix socket: `cargo run --example custom_transport`.
//!
//! A sidecar on the same machine holds the connections to the service, and listens on a socket in the file system. Any tower
//! service that takes a request with a whole body will do as a transport: here it is a function of twenty lines, by hyper.
//! Everything above it stays: retries, spans, the token, the checks of what comes back.
//!
//! Look at the create. The sidecar isn't up at first: the transport says that nothing was sent, so even a create is sent again,
//! and makes one token. An error that says nothing counts as unknown, and a create would have ended there.

#[cfg(not(unix))]
fn main() {
    println!("There are no Unix sockets here.");
}

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Runtime::new()?.block_on(unix::run())
}

#[cfg(unix)]
mod unix {
    use std::error::Error;
    use std::net::SocketAddr;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use http::header::HOST;
    use http::{HeaderValue, Request, Response, Uri};
    use hyper::body::Incoming;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use magicbell::jwt::CreateUserJwt;
    use magicbell::testing::Server;
    use magicbell::{AttemptError, Body, BoxError, Client};
    use tokio::net::{TcpStream, UnixListener, UnixStream};
    use tokio::sync::Notify;
    use tower::util::MapErrLayer;

    /// Sends a request over the socket, on a connection of its own. A pool would be the next step.
    async fn send(socket: Arc<PathBuf>, mut request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        // A connection names no host, so the request has to, and its target is the path alone.
        if let Some(host) = request.uri().authority() {
            let host = HeaderValue::from_str(host.as_str())?;
            request.headers_mut().insert(HOST, host);
        }
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);

        // Until now the service can't have seen anything; later nobody knows, and that is what an error is taken for.
        let stream = UnixStream::connect(&*socket).await.map_err(AttemptError::not_sent)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(AttemptError::not_sent)?;
        tokio::spawn(connection);
        Ok(sender.send_request(request).await?)
    }

    pub(super) async fn run() -> Result<(), Box<dyn Error>> {
        let server = Server::start().await?;
        let folder = tempfile::tempdir()?;
        let socket = Arc::new(folder.path().join("magicbell.sock"));

        let transport = tower::service_fn({
            let socket = Arc::clone(&socket);
            move |request| send(Arc::clone(&socket), request)
        });
        // An attempt layer sees what the transport returns; this one tells of the first failure, and the sidecar is started.
        let is_down = Arc::new(Notify::new());
        let watch = MapErrLayer::new({
            let is_down = Arc::clone(&is_down);
            move |error: BoxError| {
                is_down.notify_one();
                error
            }
        });
        let client = Client::builder().token(server.token()).base_url(server.url());
        let client = client.attempt_layer(watch).transport(transport).build()?;

        let call = client.request(CreateUserJwt::builder().external_id("user-42").build()).send();
        let start = async {
            is_down.notified().await;
            serve(&socket, server.addr())
        };
        let (created, started) = tokio::join!(call, start);
        let created = created?;
        started?;

        for attempt in created.attempts() {
            let met = attempt.cause.as_deref().unwrap_or("an answer");
            println!("{met}: {:?}, {:?}", attempt.outcome, attempt.status);
        }
        println!("{} is made, once, over {}", created.data().token_id, socket.display());
        assert_eq!(server.user_tokens("user-42").len(), 1);
        server.assert_received::<CreateUserJwt>(1);
        Ok(())
    }

    /// The sidecar: what comes over the socket goes to the service.
    fn serve(socket: &Path, service: SocketAddr) -> std::io::Result<()> {
        let listener = UnixListener::bind(socket)?;
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut service = TcpStream::connect(service).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut service).await
                });
            }
        });
        Ok(())
    }
}
