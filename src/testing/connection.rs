//! What faults do to a connection.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Weak;

use tokio::net::TcpStream;
use tokio::sync::Notify;

/// A connection, as a fault sees it.
///
/// It doesn't keep the stream alive: once the connection's task ends, the stream is closed at once.
pub(super) struct Connection {
    stream: Weak<TcpStream>,
    ended: Notify,
}

impl Connection {
    pub(super) fn new(stream: Weak<TcpStream>) -> Self {
        Self { stream, ended: Notify::new() }
    }

    /// Completes when a fault has ended the connection; its task then drops the stream.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Ends the connection with a FIN, or with an RST where data of the client's is still unread.
    pub(super) async fn close(&self) -> Infallible {
        self.ended.notify_one();
        pending().await
    }

    /// Ends the connection with an RST.
    pub(super) async fn reset(&self) -> Infallible {
        if let Some(stream) = self.stream.upgrade() {
            // Where it fails, the socket is gone already, which a client can't tell from a reset.
            _ = stream.set_zero_linger();
        }
        self.close().await
    }

    /// Writes bytes of our own and ends the connection.
    pub(super) async fn finish_with(&self, bytes: &[u8]) -> Infallible {
        if let Some(stream) = self.stream.upgrade() {
            // Where it fails, the client has left, and there is nobody to tell.
            _ = write_all(&stream, bytes).await;
        }
        self.close().await
    }
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
