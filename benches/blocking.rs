//! What waiting costs: one call of the blocking client beside the same of the async one, in memory and on loopback.
//!
//! `cargo bench --bench blocking`. Read the ratios within one run, not the times.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use magicbell::jwt::DiscardUserJwt;
use magicbell::testing::Server;
use magicbell::{Body, BoxError, Client, ClientBuilder, blocking, client_builder};
use tokio::runtime::{Builder, Runtime};

const ID: &str = "550e8400-e29b-41d4-a716-446655440000";
const THREADS: u64 = 8;

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A transport that answers at once.
fn in_memory() -> ClientBuilder<impl client_builder::IsComplete> {
    Client::builder().token("a.project.token").transport(tower::service_fn(async |_: http::Request<Body>| {
        let answer = http::Response::builder().header("content-type", "application/json");
        Ok::<_, BoxError>(answer.body(Body::from(format!(r#"{{"token_id":"{ID}"}}"#)))?)
    }))
}

/// A server on a thread of its own, whose answers are 404: as good as any, and there is no need for as many tokens.
fn on_loopback(server: &Server) -> ClientBuilder<impl client_builder::IsComplete> {
    Client::builder().token(server.token()).base_url(server.url())
}

fn asynchronous(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, client: &Client) {
    let runtime = current_thread();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            runtime.block_on(async {
                let start = Instant::now();
                for _ in 0..times {
                    drop(black_box(client.execute(DiscardUserJwt::new(black_box(ID))).await));
                }
                start.elapsed()
            })
        });
    });
}

fn waiting(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, client: &blocking::Client) {
    group.bench_function(name, |bencher| {
        bencher.iter(|| black_box(client.execute(DiscardUserJwt::new(black_box(ID)))));
    });
}

/// One call of each of several threads counts as one.
fn from_threads(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, client: &blocking::Client) {
    let call = |times| {
        for _ in 0..times {
            drop(black_box(client.execute(DiscardUserJwt::new(black_box(ID)))));
        }
    };
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let start = Instant::now();
            std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(move || call(times)))));
            start.elapsed()
        });
    });
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("in memory");
    asynchronous(&mut group, "async", &in_memory().build().unwrap());
    waiting(&mut group, "blocking", &in_memory().build_blocking().unwrap());
    group.finish();

    let serving = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = serving.block_on(Server::start()).unwrap();
    server.record_requests(false);
    let mut group = criterion.benchmark_group("loopback");
    group.measurement_time(Duration::from_secs(10));
    asynchronous(&mut group, "async", &on_loopback(&server).build().unwrap());
    let client = on_loopback(&server).build_blocking().unwrap();
    waiting(&mut group, "blocking", &client);
    from_threads(&mut group, "blocking, 8 threads", &client);
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
