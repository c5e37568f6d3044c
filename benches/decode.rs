//! What reading an answer costs, by model and by how many rows there are: `cargo bench --bench decode`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use magicbell::jwt::{AccessTokenCollection, CreateTokenResponse, DiscardTokenResponse};
use serde::de::DeserializeOwned;

const CREATED: &str = r#"{"created_at":"2021-01-01T00:00:00Z","expires_at":"2021-01-01T01:00:00Z","token":"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl","token_id":"550e8400-e29b-41d4-a716-446655440000"}"#;
const DISCARDED: &str = r#"{"discarded_at":"2021-01-01T00:00:00Z","token_id":"550e8400-e29b-41d4-a716-446655440000"}"#;
const ROW: &str = r#"{"id":"550e8400-e29b-41d4-a716-446655440000","name":"inbox","created_at":"2021-01-01T00:00:00Z","expires_at":"2021-01-01T01:00:00Z","discarded_at":null}"#;

fn decode(criterion: &mut Criterion) {
    bench::<CreateTokenResponse>(criterion, "created token", 1, CREATED);
    bench::<DiscardTokenResponse>(criterion, "discarded token", 1, DISCARDED);
    for rows in [1, 10, 100, 1_000] {
        let data = vec![ROW; rows].join(",");
        let page = format!(r#"{{"data":[{data}],"links":{{"first":"/v2/jwt/user/u1","next":null}}}}"#);
        bench::<AccessTokenCollection>(criterion, "page of tokens", rows, &page);
    }
}

fn bench<T: DeserializeOwned>(criterion: &mut Criterion, model: &str, rows: usize, json: &str) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function(BenchmarkId::new(model, rows), |bencher| {
        bencher.iter(|| serde_json::from_str::<T>(black_box(json)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
