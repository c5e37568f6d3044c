//! One call by magicbell, from cold: prints how long making the client took, and the first answer, in microseconds.

use std::env;
use std::error::Error;
use std::time::Instant;

use magicbell::Client;
use magicbell::jwt::DiscardUserJwt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, pem) = (env::var("URL")?, env::var("PEM")?);
    let start = Instant::now();
    let client = Client::builder().token("a.project.token").base_url(url).root_certificates(pem).build()?;
    let made = start.elapsed();
    client.execute(DiscardUserJwt::new("550e8400-e29b-41d4-a716-446655440000")).await?;
    println!("{}\t{}", made.as_micros(), start.elapsed().as_micros());
    Ok(())
}
