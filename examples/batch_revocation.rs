//! Ten thousand leaked tokens: planned, revoked, verified: `cargo run --example batch_revocation`.
//!
//! First against a fake server that fails one request in fifty, under four hundred times the published quota, so that it ends
//! today. Look at the plan, which is made before anything is sent; at the time left, which is about right from the first line on;
//! and at the report: each id has one outcome, and the counts add up. One that is 'unverified' met a 404 whose body was cut off,
//! so that it may have been a proxy's; the lists say at the end that its token is gone. Ctrl-C stops: what is in flight may end,
//! and every id that is left is reported as not attempted; a second one ends it at once.
//!
//! Then 400 tokens under the published quota itself, in tokio's paused time: the two minutes pass in a moment.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use magicbell::jwt::DiscardUserJwt;
use magicbell::revocation::{Progress, RevocationPlan, RevocationReport, StopHandle};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, RateLimit, RetryBudget, RetryPolicy};

const TOKENS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Runtime::new()?.block_on(a_leak())?;
    let mut paused = tokio::runtime::Builder::new_current_thread();
    paused.enable_all().start_paused(true).build()?.block_on(under_the_published_quota())
}

async fn a_leak() -> Result<(), Box<dyn Error>> {
    let server = Server::builder().rate_limit(100_000, 80_000, Duration::from_secs(60)).start().await?;
    server.record_requests(false);
    server.add_user_tokens("hana", TOKENS);
    fail_one_in_fifty(&server);

    // The quota is known, so it is kept from the start: nothing is refused, and the time left is known. Many faults want a larger
    // budget of retries than the default of 100.
    let limit = RateLimit::per_minute(100_000, 80_000);
    let retry = RetryPolicy::builder().budget(RetryBudget::new(1_000)).build();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(retry);
    let client = client.rate_limit(limit.clone()).build()?;

    let plan = client.jwt().select_user_tokens("hana").plan().await?;
    println!("{plan}\n");

    // Whoever stole them makes another meanwhile.
    server.add_user_tokens("hana", 1);

    let report = revoke(&client, &plan, plan.progress().rate_limit(&limit)).await;
    println!("{report:#}\n");
    assert_eq!(report.total(), TOKENS as u64, "one outcome for each");

    let verification = plan.verify(&client).await?;
    println!("{verification}\n");
    assert!(report.stopped.is_some() || verification.survivors.is_empty());
    Ok(())
}

fn fail_one_in_fifty(server: &Server) {
    let faults = [
        Fault::reset().after_processing(),
        Fault::status(503),
        Fault::cut_body(10),
        Fault::html(502).after_processing(),
    ];
    for (seed, fault) in (7..).zip(faults) {
        server.fail_randomly(seed, 200, fault.only_for::<DiscardUserJwt>());
    }
}

/// Revokes a plan with a bar. Without one, `plan.revocations(&client).run().await` is all there is to it.
async fn revoke(client: &Client, plan: &RevocationPlan, mut progress: Progress) -> RevocationReport {
    let batch = plan.revocations(client).concurrency(64);
    stop_on_ctrl_c(batch.stop_handle());
    // Failures beyond these are counted and not kept.
    let mut report = RevocationReport::keeping(1_000);
    let mut outcomes = batch.stream();
    let mut tick = tokio::time::interval(redrawn_every());
    // The first tick is at once: one outcome says nothing of the time left.
    tick.tick().await;
    loop {
        tokio::select! {
            outcome = outcomes.next() => match outcome {
                Some(revocation) => {
                    progress.record(&revocation);
                    report.record(revocation);
                }
                None => break,
            },
            // Also while nothing comes: a pause is part of the time left.
            _ = tick.tick() => draw(&progress),
        }
    }
    draw(&progress);
    println!("\n");
    // Why it has stopped, if it has.
    report.finish(&outcomes);
    report
}

fn stop_on_ctrl_c(stop: StopHandle) {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            stop.stop();
        }
    });
}

/// A bar that nobody watches is a line each time.
fn redrawn_every() -> Duration {
    Duration::from_millis(if std::io::stdout().is_terminal() { 250 } else { 2_000 })
}

/// Draws the bar over the last one, or in a line of its own where nobody watches.
fn draw(progress: &Progress) {
    let mut out = std::io::stdout();
    let full = (progress.done() * 20 / progress.total().max(1)) as usize;
    let (begin, end) = if out.is_terminal() { ("\r", "\u{1b}[K") } else { ("\n", "") };
    // Where the output is gone, so is who reads it.
    _ = write!(out, "{begin}[{}{}] {progress}{end}", "#".repeat(full), ".".repeat(20 - full))
        .and_then(|()| out.flush());
}

async fn under_the_published_quota() -> Result<(), Box<dyn Error>> {
    let server = Server::builder().published_rate_limit().start().await?;
    server.add_user_tokens("hana", 400);
    // Paused time doesn't wait for sockets, so there are none.
    let client = Client::builder().token(server.token()).base_url(server.url()).transport(server.transport());
    let client = client.rate_limit(RateLimit::published()).build()?;
    let plan = client.jwt().select_user_tokens("hana").plan().await?;

    let (wall, start) = (Instant::now(), tokio::time::Instant::now());
    let mut progress = plan.progress().rate_limit(&RateLimit::published());
    let mut outcomes = plan.revocations(&client).stream();
    while let Some(revocation) = outcomes.next().await {
        progress.record(&revocation);
        if progress.done() % 100 == 1 {
            println!("after {:>5.1?}: {progress}", start.elapsed());
        }
    }
    let (took, wall) = (start.elapsed(), wall.elapsed());
    println!("400 ids, 200 a minute: {took:.1?} by tokio's clock, {wall:.1?} by the one on the wall");
    assert!(took.abs_diff(Duration::from_secs(120)) < Duration::from_secs(5), "two minutes");
    assert!(plan.verify(&client).await?.is_clean());
    Ok(())
}
