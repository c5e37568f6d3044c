//! Instructions of each case, gated: `cargo bench --bench instructions`. Needs valgrind.
//!
//! The program runs itself under callgrind, twice a case: the second time with more repetitions. The difference is what one
//! of them costs; what starting up costs is in both. `cargo bench --bench instructions -- CASE...` measures the cases whose
//! names have one of the words in them, and gates nothing.

mod cases;
mod gate;

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread;

use cases::Case;
use gate::Counted;

const TIMES: u64 = 500;
/// What makes the program run a case, and nothing else.
const CHILD: &str = "--run";

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<ExitCode> {
    let args = env::args().skip(1).filter(|arg| arg != "--bench").collect::<Vec<_>>();
    if let [flag, index, times] = &args[..]
        && flag == CHILD
    {
        (cases::ALL[index.parse::<usize>()?].make)()(times.parse()?);
        return Ok(ExitCode::SUCCESS);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("NOT MEASURED: valgrind is not installed, so instructions are neither counted nor gated");
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = |case: &Case| args.is_empty() || args.iter().any(|arg| case.name.contains(&**arg));
    let wanted = (0..cases::ALL.len()).filter(|index| wanted(&cases::ALL[*index])).collect::<Vec<_>>();
    let figures = measure_all(&wanted)?;
    let verdict = gate::judge(Counted::Instructions, &figures);
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("NOT GATED: the margins are for x86-64 Linux");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if args.is_empty() { verdict } else { ExitCode::SUCCESS })
}

/// Measures as many cases at once as there are cores: they don't disturb each other's counts.
fn measure_all(wanted: &[usize]) -> Result<Vec<(Case, f64)>> {
    let left = Mutex::new(wanted.iter());
    let work = || {
        let mut done = Vec::new();
        while let Some(index) = { left.lock().map_err(|_| "another thread panicked")?.next() } {
            done.push((*index, measure(*index)?));
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(done)
    };
    let mut done = thread::scope(|scope| {
        let threads = (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work));
        let threads = threads.collect::<Vec<_>>().into_iter();
        threads.map(|thread| thread.join().map_err(|_| "a thread panicked")?).collect::<Result<Vec<_>>>()
    })?
    .concat();
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(index, figure)| (cases::ALL[index], figure)).collect())
}

fn measure(index: usize) -> Result<f64> {
    let (fewer, more) = (count(index, TIMES)?, count(index, 2 * TIMES)?);
    Ok((more - fewer) as f64 / TIMES as f64)
}

/// Counts the instructions of a whole run of this program.
fn count(index: usize, times: u64) -> Result<i64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(env::current_exe()?);
    let output = command.args([CHILD, &index.to_string(), &times.to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().filter_map(|line| line.split_once("Collected :")).next_back();
    match collected {
        Some((_, number)) if output.status.success() => Ok(number.trim().parse()?),
        _ => Err(format!("valgrind failed for '{}':\n{text}", cases::ALL[index].name).into()),
    }
}
