//! Accepts connections and serves them.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};

use super::connection::Connection;
use super::exchange::exchange;
use super::socket::Socket;
use super::state::Shared;
use super::tasks::Tasks;

/// The wait after a failed accept: most often the process has run out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Accepts connections for as long as its task runs.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>, tasks: Tasks) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => welcome(stream, &shared, &tasks),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn welcome(stream: TcpStream, shared: &Arc<Shared>, tasks: &Tasks) {
    if shared.connected() {
        // Where it fails, the socket is gone already, which a client can't tell from a reset.
        _ = stream.set_zero_linger();
        return;
    }
    tasks.spawn(serve(stream, Arc::clone(shared), tasks.clone()));
}

/// Serves a connection until the client or a fault ends it.
async fn serve(stream: TcpStream, shared: Arc<Shared>, tasks: Tasks) {
    // Without it answers are only slower.
    _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    let connection = Arc::new(Connection::new(Arc::downgrade(&stream)));
    let service = service_fn(|request| exchange(Arc::clone(&shared), Arc::clone(&connection), request));
    let server = auto::Builder::new(tasks);
    let served = server.serve_connection(TokioIo::new(Socket::new(stream)), service);
    // How the connection ended is the client's affair.
    either(connection.ended(), async { _ = served.await }).await;
}

/// Completes with the first of two futures, and drops the other.
async fn either(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    std::future::poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => second.as_mut().poll(context),
    })
    .await;
}
