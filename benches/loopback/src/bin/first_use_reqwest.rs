//! One call by reqwest, from cold: prints how long making the client took, and the first answer, in microseconds.

use std::env;
use std::error::Error;
use std::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, pem) = (env::var("URL")?, env::var("PEM")?);
    let start = Instant::now();
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider already")?;
    let certificate = reqwest::Certificate::from_pem(pem.as_bytes())?;
    let client = reqwest::Client::builder().tls_certs_merge([certificate]).build()?;
    let made = start.elapsed();
    let request = client.delete(format!("{url}/jwt/user/550e8400-e29b-41d4-a716-446655440000"));
    let answer = request.bearer_auth("a.project.token").send().await?.error_for_status()?;
    answer.json::<serde_json::Value>().await?;
    println!("{}\t{}", made.as_micros(), start.elapsed().as_micros());
    Ok(())
}
