//! What can be typed after `revoke`, and what it means.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use super::plan::{Kind, Narrowing, Wanted};
use crate::connection::Connection;
use crate::exit::Failure;
use crate::glob::Glob;
use crate::ids::Ids;
use crate::when;

const AFTER_HELP: &str = "\
The plan is shown on stderr first; nothing is revoked without --yes. For more than 100 tokens, and for all of a project, the count
has to be typed too, or given by --expect-count. Ctrl-C once lets what is in flight end and says what is left; twice ends it,
a third time whatever it waits for.

Examples:
  magicbell tokens revoke --all-of-user user-42 --dry-run
  magicbell tokens revoke --file leaked.txt --user-tokens --journal leaked.journal --yes --expect-count 5000
  magicbell tokens revoke --file leaked.txt --user-tokens --journal leaked.journal --resume --yes --expect-count 5000
  magicbell tokens revoke --project --created-before 2026-01-31T12:00:00Z --name-matches 'ci-*' --except keep.txt --yes

Exit codes: 0 all achieved, 1 another failure, 2 bad input, 3 bad credentials, 4 some not revoked, 5 some unknown or still listed,
6 stopped, 7 all of the plan is gone and more such tokens were made meanwhile, by somebody who still can: plan again.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Revoke {
    /// Ids of tokens; without any, and without --file, all that the options below select
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Read ids from a file, one a line, or from standard input (-). An id with padding, a BOM or CRLF is refused
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    whose: Whose,
    /// Only those made before a time: RFC 3339, or '30d ago'
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    created_before: Option<SystemTime>,
    /// Only those whose whole name matches: * stands for any text, ? for one character
    #[arg(long, value_name = "PATTERN", value_parser = Glob::parse)]
    name_matches: Option<Glob>,
    /// Leave out those whose ids are in a file
    #[arg(long, value_name = "FILE")]
    except: Option<PathBuf>,
    /// Revoke the token that this command itself uses too, last of all
    #[arg(long)]
    pub(super) include_own: bool,
    /// Show the plan, and end
    #[arg(long, conflicts_with = "yes")]
    pub(super) dry_run: bool,
    /// Revoke
    #[arg(long)]
    pub(super) yes: bool,
    /// Revoke only if the plan has just so many tokens
    #[arg(long, value_name = "N")]
    pub(super) expect_count: Option<u64>,
    /// Write a line of JSON an id to a file, in place of standard output
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Write a new journal, from which the run can be resumed wherever it dies; a file with something in it is refused. A
    /// journal is of one base URL and one kind of token, and of the project that the token names, if it names one
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,
    /// Go on from the journal that is there: what it says already isn't sent again
    #[arg(long, requires = "journal")]
    pub(super) resume: bool,
    /// What to call the project in the journal, which is resumed under the same name alone; all of a project needs one
    #[arg(long, value_name = "NAME", requires = "journal")]
    pub(super) project_name: Option<String>,
    /// How many requests are in flight at once, at most
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) concurrency: u16,
    #[command(flatten)]
    pub(super) connection: Connection,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Project tokens: those with the ids, or all of the project
    #[arg(long)]
    project: bool,
    /// The ids are of users' tokens
    #[arg(long)]
    user_tokens: bool,
    /// All tokens of a user
    #[arg(long, value_name = "ID")]
    all_of_user: Option<String>,
}

impl Revoke {
    /// Says what is wanted, or why the options don't go together.
    pub(super) fn wanted(&self) -> Result<Wanted, Failure> {
        let has_ids = !self.ids.is_empty() || self.file.is_some();
        let narrows = self.created_before.is_some() || self.name_matches.is_some();
        if self.file.as_ref().is_some_and(|file| file.as_os_str() == "-") && self.connection.token_stdin {
            return Err(Failure::bad_input("standard input can't give both ids and the token"));
        }
        let except = self.except()?;
        match (&self.whose, has_ids) {
            (Whose { all_of_user: Some(_), .. }, true) => {
                Err(Failure::bad_input("ids don't go with --all-of-user: say --user-tokens"))
            }
            (Whose { user_tokens: true, .. }, false) => {
                Err(Failure::bad_input("--user-tokens needs ids: as arguments, or by --file"))
            }
            (_, true) if narrows => {
                Err(Failure::bad_input("--created-before and --name-matches select from a list, and don't go with ids"))
            }
            (whose, true) => {
                let kind = if whose.project { Kind::Project } else { Kind::User };
                Ok(Wanted::Ids { kind, ids: self.given()?, except })
            }
            (whose, false) => Ok(Wanted::Listed {
                user_id: whose.all_of_user.clone(),
                narrowing: Narrowing {
                    created_before: self.created_before,
                    name_matches: self.name_matches.clone(),
                    except,
                },
            }),
        }
    }

    fn given(&self) -> Result<Ids, Failure> {
        let mut ids = Ids::default();
        ids.add_arguments(&self.ids)?;
        if let Some(file) = &self.file {
            ids.add_file(file)?;
        }
        Ok(ids)
    }

    fn except(&self) -> Result<HashSet<String>, Failure> {
        let mut except = Ids::default();
        if let Some(file) = &self.except {
            except.add_file(file)?;
        }
        Ok(except.ids.into_iter().map(|id| id.to_ascii_lowercase()).collect())
    }
}
