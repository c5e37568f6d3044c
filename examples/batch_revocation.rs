//! Ten thousand leaked tokens, revoked: `cargo run --example batch_revocation`.
//!
//! The fake server keeps a quota and fails one request in fifty, in every way that it knows. Look at the report: each id has one
//! outcome, and the counts add up. Ctrl-C stops: what is in flight may end, and every id that is left is reported as not
//! attempted; a second one ends it at once.

use std::error::Error;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use magicbell::revocation::RevocationOutcome;
use magicbell::testing::{Fault, Server};
use magicbell::{Client, RetryBudget, RetryPolicy};

const TOKENS: usize = 10_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A thousand times the published quota of 200 writes a minute, so that this ends today.
    let server = Server::builder().rate_limit(250_000, 200_000, Duration::from_secs(60)).start().await?;
    server.record_requests(false);
    let ids = server.add_user_tokens("hana", TOKENS);
    server.fail_randomly(7, 50, Fault::reset().after_processing());

    // Many faults want a larger budget of retries than the default of 100.
    let retry = RetryPolicy::builder().budget(RetryBudget::new(1_000)).build();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(retry).build()?;

    // Or `.run().await` for the report alone.
    let batch = client.jwt().discard_user_jwts(ids).concurrency(64);
    let stop = batch.stop_handle();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            stop.stop();
        }
    });

    let (start, mut counts, mut done) = (Instant::now(), [0_usize; RevocationOutcome::ALL.len()], 0);
    let mut outcomes = batch.stream();
    while let Some(revocation) = outcomes.next().await {
        counts[revocation.outcome as usize] += 1;
        done += 1;
        if !revocation.outcome.is_revoked() && revocation.outcome != RevocationOutcome::NotAttempted {
            println!("{}: {}", revocation.token_id, revocation.outcome);
        }
        if done % 2_000 == 0 {
            println!("{done} of {TOKENS}, {:.0} a second", done as f64 / start.elapsed().as_secs_f64());
        }
    }

    println!("\n{done} ids in {:.1?}; stopped: {:?}", start.elapsed(), outcomes.stopped());
    for (outcome, count) in RevocationOutcome::ALL.iter().zip(counts).filter(|(_, count)| *count > 0) {
        println!("{count:>7} {outcome}");
    }
    let live = server.user_tokens("hana").iter().filter(|token| token.discarded_at.is_none()).count();
    println!("{live:>7} still live, by the server's own account");
    assert_eq!(counts.iter().sum::<usize>(), TOKENS, "one outcome for each");
    Ok(())
}
