//! `magicbell demo`

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use magicbell::testing::Server;

use crate::exit::{Exit, Failure, say};
use crate::private_file;
use crate::signals::Signals;

const TOKENS: usize = 500;
/// Thirty times the published limit, so that a rehearsal ends today.
const WRITES: u32 = 6_000;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Which port of 127.0.0.1 to take; any free one for 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Where to make the folder with the token and the ids [default: the system's folder for temporary files]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Serves until Ctrl-C. Stdout is what to try, so that it can be read by a program too.
pub(crate) async fn run(demo: Demo) -> Result<Exit, Failure> {
    let failed = |error| Failure::new(Exit::Failed, error);
    let mut signals = Signals::listen()?;
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, demo.port));
    let server =
        Server::builder().bind(addr).rate_limit(WRITES / 4 * 5, WRITES, MINUTE).start().await.map_err(failed)?;
    server.record_requests(false);
    let folder = folder(demo.folder, server.addr().port());
    make_folder(&folder).map_err(|error| Failure::file(&folder, &error))?;
    let written = write_files(&server, &folder);
    let told = match written {
        Ok(()) => tell(&server, &folder),
        Err(error) => Err(Failure::file(&folder, &error)),
    };
    if told.is_ok() {
        say("serving until Ctrl-C");
        signals.next().await;
    }
    // The token is worth nothing once the server is gone.
    _ = fs::remove_dir_all(&folder);
    told.map(|()| Exit::Achieved)
}

fn folder(parent: Option<PathBuf>, port: u16) -> PathBuf {
    parent.unwrap_or_else(std::env::temp_dir).join(format!("magicbell-demo-{port}-{}", std::process::id()))
}

/// Makes a new folder that its owner alone can enter. One that is there is somebody else's.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are modes on Unix alone"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_files(server: &Server, folder: &Path) -> std::io::Result<()> {
    server.add_project_tokens(20);
    server.add_user_tokens("hana", TOKENS);
    let leaked = server.add_user_tokens("omar", TOKENS).join("\n");
    let write = |name, text: &str| {
        private_file::write(&mut private_file::create(&folder.join(name))?, format!("{text}\n").as_bytes())
    };
    write("token", server.token())?;
    write("leaked.txt", &leaked)
}

fn tell(server: &Server, folder: &Path) -> Result<(), Failure> {
    let (url, folder) = (server.url(), folder.display());
    let connection = format!("--base-url {url} --token-file '{folder}/token' --rate {WRITES}");
    let text = format!(
        "# 20 project tokens, and {TOKENS} of each of two users. Try:\n\
         magicbell tokens list --project {connection}\n\
         magicbell tokens revoke --all-of-user hana --dry-run {connection}\n\
         magicbell tokens revoke --all-of-user hana --yes --expect-count {TOKENS} {connection} >hana.jsonl\n\
         # Ctrl-C this one, and give it again with --resume:\n\
         magicbell tokens revoke --file '{folder}/leaked.txt' --user-tokens --journal '{folder}/journal' \
         --log '{folder}/log.jsonl' --yes --expect-count {TOKENS} {connection}\n\
         magicbell tokens create --project --name rehearsal --expiry 1h --out '{folder}/new' {connection}\n\
         magicbell tokens revoke --project --yes {connection}\n"
    );
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}
