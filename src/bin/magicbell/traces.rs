//! What `-v` shows.

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes the SDK's own spans and events to stderr: calls and attempts, and with a second `-v` waits too. Nothing of hyper's or
/// rustls's, which know the headers.
pub(crate) fn show(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::CLOSE)
        .with_filter(Targets::new().with_target("magicbell", level));
    // There is no other: this is called once.
    _ = tracing_subscriber::registry().with(lines).try_init();
}
