//! A million calls over loopback, with a fault in one of a hundred: `cargo test --release --test load`.
//!
//! Every call is answered, memory stays flat, sockets stay bounded, and no task is left behind. The server is another process, so
//! that the memory is the client's alone. The number of calls can be given: `cargo test --release --test load -- 50000`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use magicbell::jwt::FetchUserTokens;
use magicbell::middleware::retry::{Backoff, Jitter};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, RetryBudget, RetryPolicy};

/// How many calls are in flight at once.
const CONCURRENCY: u64 = 64;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if std::env::var_os("MAGICBELL_LOAD_SERVER").is_some() {
        return runtime.block_on(serve());
    }
    let calls = std::env::args().nth(1).map_or(1_000_000, |calls| calls.parse().expect("the number of calls"));
    let (mut server, url, token) = start_server();
    runtime.block_on(load(calls, &url, &token));
    drop(server.stdin.take());
    server.wait().unwrap();
}

/// The other process: one request in a hundred meets a fault, each kind in its turn.
async fn serve() {
    let server = Server::start().await.unwrap();
    server.record_requests(false);
    println!("{} {}", server.url(), server.token());
    let faults = [Fault::status(503), Fault::reset(), Fault::close(), Fault::cut_body(9), Fault::html(502)];
    let rotate = async {
        for (seed, fault) in (0..).zip(faults.iter().cycle()) {
            server.clear_faults();
            server.fail_randomly(seed, 100, fault.clone());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let parent = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
    tokio::select! { () = rotate => {}, _ = parent => {} }
}

fn start_server() -> (Child, String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("MAGICBELL_LOAD_SERVER", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (url, token) = line.trim().split_once(' ').unwrap();
    (child, url.to_owned(), token.to_owned())
}

async fn load(calls: u64, url: &str, token: &str) {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(5));
    let retry =
        RetryPolicy::builder().backoff(backoff).jitter(Jitter::random()).budget(RetryBudget::new(10_000)).build();
    let client = Client::builder().token(token).base_url(url).retry(retry).build().unwrap();
    run(&client, calls / 100).await;
    let (memory, start) = (resident_kib(), Instant::now());
    let (answered, failed) = run(&client, calls).await;
    let (elapsed, grown) = (start.elapsed(), resident_kib().saturating_sub(memory));
    let sockets = sockets();
    drop(client);
    let tasks = tasks_left().await;

    println!("{calls} calls in {elapsed:.1?}: {:.0} a second", calls as f64 / elapsed.as_secs_f64());
    println!("answered {answered}, failed after three attempts {failed}");
    println!("memory {memory} KiB, grown by {grown} KiB; sockets {sockets}; tasks left {tasks}");
    assert_eq!(answered + failed, calls, "every call ends");
    assert!(failed * 10_000 < calls.max(100_000), "one in a million fails three times in a row, by chance");
    assert!(grown < 4 * 1024, "memory stays flat");
    assert!(sockets <= 2 * CONCURRENCY as usize, "sockets are bounded");
    assert_eq!(tasks, 0, "no task is left behind");
}

/// Makes calls, so many at once; returns how many were answered and how many failed.
async fn run(client: &Client, calls: u64) -> (u64, u64) {
    let (next, answered, failed) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let workers = (0..CONCURRENCY).map(|_| {
        let (client, next) = (client.clone(), Arc::clone(&next));
        let (answered, failed) = (Arc::clone(&answered), Arc::clone(&failed));
        tokio::spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < calls {
                let result = client.execute(FetchUserTokens::builder().user_id("nobody").build()).await;
                if result.is_ok() { &answered } else { &failed }.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    (answered.load(Ordering::Relaxed), failed.load(Ordering::Relaxed))
}

/// The memory that is resident, by the kernel's own account.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn sockets() -> usize {
    let files =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    files.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// How many tasks there are once the client is gone: its connections end by themselves, which takes them a moment.
async fn tasks_left() -> usize {
    let metrics = tokio::runtime::Handle::current().metrics();
    for _ in 0..100 {
        if metrics.num_alive_tasks() == 0 {
            return 0;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    metrics.num_alive_tasks()
}
