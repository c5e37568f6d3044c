//! magicbell beside bare hyper-util and reqwest, over loopback: rounds in which every client has its turn.
//!
//! `cargo run --release` prints a line a run, as tab-separated values. Each run is a process of its own with one thread, and so
//! is the server; what a run costs is what the kernel counts for the client's thread. `README.md` of `benches` says more.

mod clients;
mod protocol;
mod server;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use clients::{Bare, Reqwest, Target};
use futures_util::{StreamExt as _, stream};
use protocol::Protocol;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const CLIENTS: [&str; 6] = ["hyper-util", KEEP_ALIVE, "magicbell", ASYNC_FN, "magicbell batch", "reqwest"];
/// hyper-util with the pings that magicbell keeps an HTTP/2 connection alive by. HTTP/1.1 has none.
const KEEP_ALIVE: &str = "hyper-util, keep-alive";
/// magicbell, where its calls are made in an `async fn`, as their first poll.
const ASYNC_FN: &str = "magicbell, async fn";
const ROUNDS: usize = 11;
/// Of what doesn't depend on the machine's mood.
const COUNTED_ROUNDS: usize = 5;

fn main() -> Result<()> {
    clients::install_provider();
    let args = env::args().skip(1).collect::<Vec<_>>();
    let args = args.iter().map(|arg| &**arg).collect::<Vec<_>>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match args[..] {
        ["--serve", protocol] => {
            runtime.block_on(server::serve(protocol.parse()?)).map_err(|error| error.to_string().into())
        }
        ["--client", client, protocol, port, pem, in_flight, count] => {
            let target = Target { protocol: protocol.parse()?, port: port.parse()?, pem: pem.replace('|', "\n") };
            runtime.block_on(run(client, &target, in_flight.parse()?, count.parse()?))
        }
        [] => rounds(&CLIENTS, ROUNDS, &[1, 64], &Protocol::ALL, 20_000, &[]),
        // Many ids, against the same by hand: does memory grow with them?
        ["--batch"] => {
            for count in [10_000, 1_000_000] {
                rounds(&["hyper-util", "magicbell batch"], 2, &[64], &[Protocol::Http1, Protocol::Http2], count, &[])?;
            }
            Ok(())
        }
        ["--first-use"] => first_use(),
        // Fewer, since valgrind is slow; what the difference of two counts of requests costs is what one costs.
        ["--instructions"] => {
            let valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
            rounds(&CLIENTS, COUNTED_ROUNDS, &[64], &[Protocol::Http1, Protocol::Http2], 1_000, &valgrind)?;
            rounds(&CLIENTS, COUNTED_ROUNDS, &[64], &[Protocol::Http1, Protocol::Http2], 2_000, &valgrind)
        }
        // Nearly the same in each run: a connection more or less is made.
        ["--allocations"] => {
            let valgrind = ["valgrind", "--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"];
            rounds(&CLIENTS, 1, &[64], &[Protocol::Http1, Protocol::Http2], 1_000, &valgrind)?;
            rounds(&CLIENTS, 1, &[64], &[Protocol::Http1, Protocol::Http2], 2_000, &valgrind)
        }
        _ => Err("see README.md for what can be given".into()),
    }
}

fn rounds(
    clients: &[&str],
    rounds: usize,
    in_flight: &[usize],
    protocols: &[Protocol],
    count: usize,
    under: &[&str],
) -> Result<()> {
    println!("round\tprotocol\tin flight\tclient\trequests\tms\tcpu ms\tpeak MiB");
    for protocol in protocols {
        let (mut server, target) = start_server(*protocol)?;
        for round in 1..=rounds {
            for in_flight in in_flight {
                for client in clients.iter().filter(|client| protocol.is_http2() || **client != KEEP_ALIVE) {
                    let measured = in_a_process(client, &target, *in_flight, count, under)?;
                    println!("{round}\t{}\t{in_flight}\t{client}\t{count}\t{measured}", protocol.name());
                }
            }
        }
        server.kill()?;
        server.wait()?;
    }
    Ok(())
}

/// The first call of a process, TLS included: the program of each client beside this one, in turn.
fn first_use() -> Result<()> {
    let (mut server, target) = start_server(Protocol::Http1Tls)?;
    println!("round\tclient\tmade us\tanswered us");
    for round in 1..=2 * ROUNDS {
        for client in ["magicbell", "reqwest"] {
            let mut command = Command::new(env::current_exe()?.with_file_name(format!("first_use_{client}")));
            command.env("URL", target.base_url()).env("PEM", target.pem.replace('|', "\n"));
            let output = command.output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into());
            }
            println!("{round}\t{client}\t{}", String::from_utf8(output.stdout)?.trim_end());
        }
    }
    server.kill()?;
    server.wait()?;
    Ok(())
}

fn start_server(protocol: Protocol) -> Result<(Child, Target)> {
    let mut command = Command::new(env::current_exe()?);
    let mut server = command.args(["--serve", protocol.name()]).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(server.stdout.take().ok_or("no output")?).lines();
    let mut line = || lines.next().ok_or("the server has ended")?.map_err(Box::<dyn Error + Send + Sync>::from);
    let (port, pem) = (line()?.parse()?, line()?);
    Ok((server, Target { protocol, port, pem }))
}

/// Runs a client; under another program, that one's count, of instructions or of allocations, is what it returns.
fn in_a_process(client: &str, target: &Target, in_flight: usize, count: usize, under: &[&str]) -> Result<String> {
    let exe = env::current_exe()?;
    let mut command = match under {
        [] => Command::new(exe),
        [program, args @ ..] => {
            let mut command = Command::new(program);
            command.args(args).arg(exe);
            command
        }
    };
    command.args(["--client", client, target.protocol.name(), &target.port.to_string(), &target.pem]);
    let output = command.args([&in_flight.to_string(), &count.to_string()]).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{client} failed:\n{errors}").into());
    }
    if let Some((_, instructions)) = errors.lines().filter_map(|line| line.split_once("Collected :")).next_back() {
        return Ok(format!("instructions\t{}", instructions.trim()));
    }
    match errors.lines().filter_map(|line| line.split_once("total heap usage: ")).next_back() {
        Some((_, usage)) => {
            Ok(format!("allocations\t{}", usage.split(" allocs").next().unwrap_or_default().replace(',', "")))
        }
        None => Ok(String::from_utf8(output.stdout)?.trim_end().to_owned()),
    }
}

async fn run(client: &str, target: &Target, in_flight: usize, count: usize) -> Result<()> {
    // Connections are made, and what is made once is made, before the clock starts.
    let warm_up = (count / 10).max(2 * in_flight);
    match client {
        "hyper-util" | KEEP_ALIVE => {
            let client = &Bare::new(target, client == KEEP_ALIVE)?;
            let each = async |count| each(count, in_flight, |id| client.discard(id)).await;
            measure(each, warm_up, count).await
        }
        "reqwest" => {
            let client = &Reqwest::new(target)?;
            let each = async |count| each(count, in_flight, |id| client.discard(id)).await;
            measure(each, warm_up, count).await
        }
        "magicbell" => {
            let client = &clients::magicbell(target)?;
            let each = async |count| each(count, in_flight, |id| clients::by_magicbell(client, id)).await;
            measure(each, warm_up, count).await
        }
        ASYNC_FN => {
            let client = &clients::magicbell(target)?;
            let each =
                async |count| each(count, in_flight, |id| clients::by_magicbell_in_an_async_fn(client, id)).await;
            measure(each, warm_up, count).await
        }
        "magicbell batch" => {
            let client = &clients::magicbell(target)?;
            let batch = async |count| {
                let report = client.jwt().discard_user_jwts((0..count).map(id)).concurrency(in_flight).run().await;
                assert!(report.failures.is_empty());
            };
            measure(batch, warm_up, count).await
        }
        _ => Err("no such client".into()),
    }
}

async fn each<F: Future<Output = ()>>(count: usize, in_flight: usize, discard: impl Fn(String) -> F) {
    stream::iter((0..count).map(id)).map(discard).buffer_unordered(in_flight).for_each(async |()| ()).await;
}

fn id(number: usize) -> String {
    format!("550e8400-e29b-41d4-a716-{number:012}")
}

async fn measure(work: impl AsyncFn(usize), warm_up: usize, count: usize) -> Result<()> {
    work(warm_up).await;
    let (start, cpu) = (Instant::now(), cpu_ns()?);
    work(count).await;
    let (elapsed, cpu) = (start.elapsed(), cpu_ns()? - cpu);
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let peak = peak.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0;
    println!("{:.2}\t{:.2}\t{peak:.1}", elapsed.as_secs_f64() * 1e3, cpu as f64 / 1e6);
    Ok(())
}

/// Returns the time that this thread, the only one that works, has had on a core.
fn cpu_ns() -> Result<u64> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(stat.split(' ').next().ok_or("no schedstat")?.parse()?)
}
