//! Batches of revocations in memory, against a bare loop: time and memory, from 10,000 to 1,000,000 ids.
//!
//! `cargo bench --bench batch_revocation` prints a line a run, as tab-separated values. Each run is a process of its own, so that
//! its peak of memory is its own; the rounds are interleaved.

mod cases;

use std::env;
use std::error::Error;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

use cases::{BATCHES, Case};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What makes the program run a batch, and nothing else.
const CHILD: &str = "--run";
const ROUNDS: usize = 5;

fn main() -> Result<ExitCode> {
    let args = env::args().skip(1).filter(|arg| arg != "--bench").collect::<Vec<_>>();
    if let [flag, index, ids] = &args[..]
        && flag == CHILD
    {
        run(&BATCHES[index.parse::<usize>()?], ids.parse()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("round\tids\tcase\tns an id\tpeak KiB");
    for round in 1..=ROUNDS {
        for ids in [10_000, 100_000, 1_000_000] {
            for (index, case) in BATCHES.iter().enumerate() {
                let child =
                    Command::new(env::current_exe()?).args([CHILD, &index.to_string(), &ids.to_string()]).output()?;
                if !child.status.success() {
                    return Err(String::from_utf8(child.stderr)?.into());
                }
                println!("{round}\t{ids}\t{}\t{}", case.name, String::from_utf8(child.stdout)?.trim_end());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run(case: &Case, ids: u64) -> Result<()> {
    let mut run = (case.make)();
    let start = Instant::now();
    run(ids);
    let elapsed = start.elapsed();
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM: this needs Linux")?;
    println!("{:.0}\t{}", elapsed.as_nanos() as f64 / ids as f64, peak.trim().trim_end_matches(" kB"));
    Ok(())
}
