//! `magicbell rotate`
//!
//! A new token is made, proved, and handed over, and only then is the old one discarded, by the new one: so there is a working token at
//! every moment. What has been done is in a file beside the token's, from which a rotation that died is taken up again.

mod state;
mod steps;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::connection::Connection;
use crate::exit::{Exit, Failure, say};
use crate::signals::Signals;
use crate::when;
use state::State;
use steps::Steps;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  magicbell rotate --token-file ci.token --out ci.token --name ci --expiry 90d --hand-to 'deploy --token-stdin' --grace 10min

Where it fails, is stopped, or dies, the same command goes on from FILE.rotation, which its owner alone can read: until the rotation
is at its end, the new token is in it. The command of --hand-to may then run a second time. A second rotation of the same FILE is
refused while one is under way.")]
pub(crate) struct Rotate {
    /// Where the new token goes: in place of what is there, at once or not at all
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A name for the new token; a number is added, by which it is found again
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: String,
    /// How long the new token is valid: 90d, say. It doesn't end otherwise
    #[arg(long, value_name = "TIME", value_parser = when::duration)]
    expiry: Option<Duration>,
    /// Run a command by the shell with the new token on its standard input; if it fails, the old token stays
    #[arg(long, value_name = "COMMAND")]
    hand_to: Option<String>,
    /// How long the old token goes on working once the new one is handed over
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = when::duration_or_none)]
    grace: Duration,
    /// The old token's id, where it isn't in the token
    #[arg(long, value_name = "ID")]
    old_id: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(rotate: Rotate) -> Result<Exit, Failure> {
    let mut signals = Signals::listen()?;
    let steps = Steps::new(&rotate);
    let path = state::path(&rotate.out);
    let mut state = State::open(&path)?;
    let resumed = state.begun();
    let is_resumed = resumed.is_some();
    let begun = match resumed {
        Some(begun) => {
            say(format_args!("going on from {}", path.display()));
            begun
        }
        None => match signals.or_stopped(steps.begin()).await {
            Ok(begun) => {
                state.begin(begun.clone())?;
                begun
            }
            Err(failure) => {
                state.end()?;
                return Err(failure);
            }
        },
    };
    let new = match state.token() {
        Some(new) => new,
        None => signals.wait_for_answer(steps.make(&begun, is_resumed, &mut state)).await??,
    };
    signals.or_stopped(steps.hand_over(&new)).await?;
    say(format_args!("the old token goes on working for {} s", rotate.grace.as_secs()));
    signals
        .or_stopped(async {
            tokio::time::sleep(rotate.grace).await;
            Ok(())
        })
        .await?;
    steps.discard_old(&new, &begun.old_id).await?;
    state.end()?;
    Ok(Exit::Achieved)
}

/// Reads a name that is short enough for what is added to it: refused later, it would be so each time the rotation is gone on with.
fn name(text: &str) -> Result<String, String> {
    const MAX_CHARS: usize = 255 - state::SUFFIX_CHARS;

    match text.chars().count() {
        1..=MAX_CHARS => Ok(text.to_owned()),
        0 => Err("it is empty".to_owned()),
        _ => Err(format!("it is longer than {MAX_CHARS} characters")),
    }
}
