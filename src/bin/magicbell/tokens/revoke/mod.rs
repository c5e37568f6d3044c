//! `magicbell tokens revoke`

mod bar;
mod batch;
mod confirm;
mod journal;
mod options;
mod outcomes;
mod plan;
mod verdict;
mod verify;

pub(crate) use options::Revoke;

use magicbell::revocation::OwnToken;

use crate::exit::{Exit, Failure, say};
use crate::signals::Signals;
use outcomes::Outcomes;
use plan::Plan;

/// Plans, asks, revokes, verifies.
pub(crate) async fn run(revoke: Revoke) -> Result<Exit, Failure> {
    let wanted = revoke.wanted()?;
    journal::check(&revoke, &wanted)?;
    let limit = revoke.connection.rate_limit();
    let client = revoke.connection.client(limit.clone())?;
    let mut signals = Signals::listen()?;
    let plan = signals.or_stopped(Plan::make(&client, wanted, revoke.include_own)).await?;
    plan.show(&revoke.connection.base_url(), &limit);
    if plan.count() == 0 {
        say("nothing to revoke");
        return Ok(Exit::Achieved);
    }
    if revoke.dry_run {
        say("a dry run: nothing was revoked");
        return Ok(Exit::Achieved);
    }
    signals.or_stopped(confirm::confirm(&revoke, &plan)).await?;

    let journal = journal::open(&revoke)?;
    let outcomes = Outcomes::open(revoke.log.as_deref())?;
    let own_token = if revoke.include_own { OwnToken::Last } else { OwnToken::Skip };
    let settings = batch::Settings { concurrency: revoke.concurrency, own_token, journal, limit };
    let ran = batch::run(&client, &plan, settings, outcomes, &mut signals).await?;
    let verified = verify::verify(&client, &plan, &ran, &mut signals).await;
    Ok(verdict::verdict(&plan, &ran, verified))
}
