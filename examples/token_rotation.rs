//! A project token that is replaced while calls are in flight: `cargo run --example token_rotation`.
//!
//! The project's token has leaked and has to go, now. The client gets its token from a vault by `FetchedCredentials`: kept while
//! it lasts, and fetched anew before its end and after a 401. Look at the counts: the calls that meet the 401 are sent once more
//! with the new token, none of them fails, and however many they are, the vault is asked once. `RotatingCredentials`, at the
//! end, are for those who are told of a new token rather than ask for it.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::try_join_all;
use magicbell::jwt::{CreateProjectJwt, CreateTokenResponse, CreateUserJwt, DiscardProjectJwt};
use magicbell::testing::Server;
use magicbell::{Client, Fetched, FetchedCredentials, RotatingCredentials, SecretToken, bearer};

const LOGINS: usize = 32;

/// Where the current token is kept.
#[derive(Clone)]
struct Vault {
    token: Arc<Mutex<SecretToken>>,
    asked: Arc<AtomicU32>,
}

impl Vault {
    async fn fetch(self) -> Result<Fetched, magicbell::BoxError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let token = self.token.lock().expect("not poisoned").clone();
        Ok(Fetched::new(bearer(token.expose_secret())?).valid_for(Duration::from_secs(3600)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let admin = server.client();
    let leaked = project_token(&admin).await?;
    let vault = Vault { token: Arc::new(Mutex::new(leaked.token.clone())), asked: Arc::default() };

    let credentials = FetchedCredentials::new({
        let vault = vault.clone();
        move || vault.clone().fetch()
    });
    let client = Client::builder().credentials(credentials).base_url(server.url()).build()?;
    log_in(&client, &server, "before").await?;

    // A new token into the vault, the leaked one revoked: the client isn't told.
    let new = project_token(&admin).await?;
    *vault.token.lock().expect("not poisoned") = new.token.clone();
    admin.execute(DiscardProjectJwt::new(&leaked.token_id)).await?;
    let refused = log_in(&client, &server, "after").await?;
    println!("the vault was asked {} times in all", vault.asked.load(Ordering::Relaxed));
    assert!(refused > 0, "the revoked token was refused");
    assert_eq!(vault.asked.load(Ordering::Relaxed), 2);
    assert_eq!(server.user_tokens("hana").len(), 2 * LOGINS, "a token for each login, and none twice");

    // Told of the new token before the old one goes, no call so much as meets a 401.
    let credentials = RotatingCredentials::new(bearer(new.token.expose_secret())?);
    let client = Client::builder().credentials(credentials.clone()).base_url(server.url()).build()?;
    let newest = project_token(&admin).await?;
    credentials.set(bearer(newest.token.expose_secret())?);
    admin.execute(DiscardProjectJwt::new(&new.token_id)).await?;
    assert_eq!(log_in(&client, &server, "told").await?, 0);
    Ok(())
}

async fn project_token(admin: &Client) -> Result<CreateTokenResponse, magicbell::Error> {
    admin.execute(CreateProjectJwt::builder().name("api").build()).await
}

/// Logs many users in at once, and returns how many of the requests were refused with 401: no call fails.
async fn log_in(client: &Client, server: &Server, when: &str) -> Result<usize, magicbell::Error> {
    server.clear_requests();
    let logins = (0..LOGINS).map(|_| client.execute(CreateUserJwt::builder().external_id("hana").build()));
    let created = try_join_all(logins).await?;
    let requests = server.received::<CreateUserJwt>();
    let refused = requests.iter().filter(|request| request.status == Some(401)).count();
    println!("{when:6}: {} logins, {} requests, {refused} of them answered 401", created.len(), requests.len());
    Ok(refused)
}
