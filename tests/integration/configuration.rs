//! Every bad setting is an error of `build`, and no error holds a secret.

use std::time::Duration;

use magicbell::{BoxError, Client, Error, ErrorKind, RateLimit, RetryPolicy, bearer};

/// Builds with one bad setting, and returns the message.
fn refused(result: Result<Client, Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hunter2"), "{text}");
    error.to_string()
}

#[test]
fn tokens_that_can_not_be_sent_are_refused_without_an_echo() {
    for token in ["", " ", "Bearer hunter2", "bearer hunter2", "hunter2\n", "hunter2 ", "hunté hunter2", "hunter2\t"] {
        assert!(refused(Client::builder().token(token).build()).contains("token"), "{token:?}");
    }
    assert!(refused(Client::builder().token("Bearer hunter2").build()).contains("leave that out"));
}

#[test]
fn there_is_one_source_of_tokens() {
    refused(Client::builder().build());
    refused(Client::builder().token("t").credentials(|| async { Ok::<_, BoxError>(bearer("hunter2")?) }).build());
}

#[test]
fn limits_that_mean_nothing_are_refused() {
    let builder = || Client::builder().token("t");
    refused(builder().timeout(Duration::ZERO).build());
    refused(builder().attempt_timeout(Duration::ZERO).build());
    refused(builder().connect_timeout(Duration::ZERO).build());
    refused(builder().concurrency_limit(0).build());
    refused(builder().concurrency_limit(usize::MAX).build());
    refused(builder().max_response_bytes(0).build());
    refused(builder().http1_only(true).http2_prior_knowledge(true).build());
    refused(builder().retry(RetryPolicy::builder().max_attempts(0).build()).build());
    refused(builder().rate_limit(RateLimit::published().share(0.0)).build());
    refused(builder().rate_limit(RateLimit::per_minute(0, 0)).build());
    builder().timeout(Duration::MAX).attempt_timeout(Duration::MAX).connect_timeout(Duration::MAX).build().unwrap();
}

#[test]
fn headers_that_can_not_be_sent_are_refused() {
    let builder = || Client::builder().token("t");
    refused(builder().header("authorization", "hunter2").build());
    refused(builder().header("x", "hunter2\r\ny: z").build());
    refused(builder().header("x y", "hunter2").build());
    refused(builder().user_agent("hunter2\n").build());
}

#[test]
fn base_urls_that_could_send_a_token_elsewhere_are_refused() {
    for url in ["http://api.magicbell.com/v2", "https://u:hunter2@h/v2", "https://h/v2?hunter2", "https://h/../hunter2"]
    {
        assert!(refused(Client::builder().token("t").base_url(url).build()).contains("base URL"));
    }
}

#[test]
fn a_certificate_that_is_none_is_refused() {
    assert!(refused(Client::builder().token("t").root_certificates("hunter2").build()).contains("certificate"));
}

#[test]
fn debug_shows_no_secret() {
    let client = Client::builder().token("hunter2").build().unwrap();
    assert!(!format!("{client:?} {client:#?}").contains("hunter2"));
}

#[test]
fn the_environment_gives_token_and_base_url() {
    // The variables are a process's own, so each case is one.
    let run = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "configuration::child_reads_the_environment", "--nocapture"]);
        command.env_remove("MAGICBELL_PROJECT_TOKEN").env_remove("MAGICBELL_API_URL").env("MAGICBELL_TEST_CHILD", "1");
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(run(&[("MAGICBELL_PROJECT_TOKEN", "t")]).contains("child: api.magicbell.com"));
    let own = [("MAGICBELL_PROJECT_TOKEN", "t"), ("MAGICBELL_API_URL", "https://own.example/v2")];
    assert!(run(&own).contains("child: own.example"));
    assert!(run(&[]).contains("child: MAGICBELL_PROJECT_TOKEN is not set"));
    assert!(run(&[("MAGICBELL_PROJECT_TOKEN", "")]).contains("child: MAGICBELL_PROJECT_TOKEN is set, and empty"));
    let own = [("MAGICBELL_PROJECT_TOKEN", "t"), ("MAGICBELL_API_URL", "")];
    assert!(run(&own).contains("child: MAGICBELL_API_URL is set, and empty"));
    let own = [("MAGICBELL_PROJECT_TOKEN", "t"), ("MAGICBELL_API_URL", "nothing")];
    assert!(run(&own).contains("child: the base URL can't be used"));
}

/// The other side of the test above: without it, there is nothing to say.
#[test]
fn child_reads_the_environment() {
    if std::env::var_os("MAGICBELL_TEST_CHILD").is_none() {
        return;
    }
    match Client::from_env() {
        Ok(client) => {
            let text = format!("{client:?}");
            let host = if text.contains("own.example") { "own.example" } else { "api.magicbell.com" };
            assert!(text.contains(host));
            println!("child: {host}");
        }
        Err(error) => println!("child: {error}"),
    }
}

/// A setting that has no effect is refused, or has one.
#[tokio::test]
async fn a_user_agent_given_as_a_header_is_sent_or_refused() {
    let (received, transport) = crate::support::transport(|_| Ok(crate::support::json(200, "{}")));
    let client = Client::builder().token("t").transport(transport).header("user-agent", "my-app/1.0").build();
    let Ok(client) = client else { return };
    client.execute(magicbell::jwt::FetchProjectTokens::builder().build()).await.unwrap();
    let sent = received.lock().unwrap()[0].headers()["user-agent"].clone();
    assert!(sent.to_str().unwrap().contains("my-app/1.0"), "{sent:?}");
}

/// A header of one call's own goes before the client's, also where the client's is marked sensitive.
#[tokio::test]
async fn a_calls_own_header_replaces_the_clients_that_is_sensitive() {
    let (received, transport) = crate::support::transport(|_| Ok(crate::support::json(200, "{}")));
    let mut secret = http::HeaderValue::from_static("of-the-client");
    secret.set_sensitive(true);
    let client = Client::builder().token("t").transport(transport).header("x-signature", secret).build().unwrap();
    let list = magicbell::jwt::FetchProjectTokens::builder().build();
    client.request(list).header("x-signature", "of-the-call").send().await.unwrap();
    assert_eq!(received.lock().unwrap()[0].headers()["x-signature"], "of-the-call");
}
