//! What is said to be revoked is looked for in the list, and so is what came up meanwhile.

use std::time::Duration;

use magicbell::Client;
use magicbell::jwt::CreateUserJwt;
use magicbell::revocation::{ListError, RevocationOutcome, Verification};
use magicbell::testing::{Fault, Server};

use crate::support::{ShiftingList, client};

fn ids(tokens: &[magicbell::revocation::SelectedToken]) -> Vec<&str> {
    tokens.iter().map(|token| &*token.id).collect()
}

#[tokio::test]
async fn a_revocation_that_did_not_happen_is_found_whoever_said_that_it_did() {
    let server = Server::start().await.unwrap();
    server.add_user_tokens("u", 30);
    let client = client(&server);
    let plan = client.jwt().select_user_tokens("u").plan().await.unwrap();
    let liar = plan.tokens()[0].id.clone();
    server.fail_next(Fault::body(200, format!(r#"{{"token_id":"{liar}"}}"#)).on("discard_user_jwt"));
    let report = plan.revocations(&client).concurrency(1).run().await;
    assert!(report.is_complete(), "by all that was answered: {report}");

    let verification = plan.verify(&client).wait(Duration::ZERO).await.unwrap();
    assert_eq!(ids(&verification.survivors), [&*liar]);
    assert!(!verification.is_clean() && !verification.is_over());
    assert_eq!((verification.passes, verification.planned), (2, 30));
    assert!(verification.to_string().starts_with(&format!("1 of the 30 still listed: {liar}")), "{verification}");
    assert_eq!(server.is_discarded(&liar), Some(false), "and so it is");
}

#[tokio::test]
async fn nothing_left_is_clean_and_what_came_up_meanwhile_is_told() {
    let server = Server::start().await.unwrap();
    server.add_user_tokens("u", 30);
    let client = client(&server);
    let kept = server.add_user_tokens("u", 1).remove(0);
    let plan = client.jwt().select_user_tokens("u").except([&kept]).plan().await.unwrap();
    plan.revocations(&client).run().await;
    let clean = plan.verify(&client).wait(Duration::ZERO).await.unwrap();
    assert!(clean.is_clean() && clean.created_during.is_empty() && clean.is_over(), "{clean}");
    assert_eq!(clean.to_string(), "none of the 30 is listed any more (2 passes)");

    let new = client.execute(CreateUserJwt::builder().external_id("u").build()).await.unwrap().token_id;
    let verification = plan.verify(&client).wait(Duration::ZERO).await.unwrap();
    assert_eq!(ids(&verification.created_during), [&*new], "and not the one that was left out of the plan");
    assert!(verification.is_clean() && verification.to_string().contains("1 token made meanwhile"), "{verification}");
    assert!(!verification.is_over(), "whoever has stolen a token may have made it");
}

/// Verifies a plan of `count` tokens, all revoked, against a list in which `churn` changes the rows after each page.
async fn verify(
    count: usize,
    churn: impl Fn(usize, &mut Vec<serde_json::Value>) + Clone + Send + Sync + 'static,
) -> Result<Verification, ListError<Verification>> {
    let names = || (0..count).map(|number| format!("id-{number}"));
    let plan = ShiftingList::new(names()).client(|_, _| {}).jwt().select_user_tokens("u").plan().await.unwrap();
    let lagging = ShiftingList::new(names()).client(churn);
    plan.verify(&lagging).wait(Duration::from_secs(1)).max_passes(5).await
}

#[tokio::test(start_paused = true)]
async fn a_list_that_lags_behind_is_read_until_it_rests() {
    let start = tokio::time::Instant::now();
    let verification = verify(3, |page, rows| rows.truncate(3_usize.saturating_sub(page))).await.unwrap();
    assert!(verification.is_clean(), "{verification}");
    assert_eq!(verification.passes, 5);
    assert_eq!(start.elapsed().as_secs(), 1 + 2 + 4 + 8, "each wait is twice the one before");
}

#[tokio::test(start_paused = true)]
async fn survivors_that_come_and_go_are_an_error_that_names_them() {
    let flap = |page: usize, rows: &mut Vec<_>| {
        rows.clear();
        if page.is_multiple_of(2) {
            rows.push(ShiftingList::row("id-0"));
        }
    };
    let error = verify(2, flap).await.unwrap_err();
    let verification = error.into_unsettled().unwrap();
    assert_eq!(ids(&verification.survivors), ["id-0", "id-1"], "whatever any pass saw");
    assert!(!verification.is_clean() && verification.to_string().contains("CAREFUL"), "{verification}");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_made_all_the_while_do_not_hold_it_up() {
    let verification = verify(0, |page, rows| rows.push(ShiftingList::row(&format!("new-{page}")))).await.unwrap();
    assert_eq!((verification.passes, ids(&verification.created_during)), (2, vec!["new-1"]));
}

#[tokio::test(start_paused = true)]
async fn a_row_that_can_not_be_read_may_be_a_survivor() {
    let verification = verify(0, |_, rows| *rows = vec![serde_json::json!({ "name": "no id" })]).await.unwrap();
    assert_eq!((verification.unreadable, verification.is_clean()), (1, false));
}

#[tokio::test]
async fn after_its_own_token_is_gone_another_client_verifies() {
    let server = Server::start().await.unwrap();
    let first = client(&server);
    let other = first.execute(magicbell::jwt::CreateProjectJwt::builder().name("on call").build()).await.unwrap();
    let select = first.jwt().select_project_tokens().except([&other.token_id]);
    let plan = select.plan().await.unwrap();
    let report = plan.revocations(&first).run().await;
    assert_eq!(report.count(RevocationOutcome::Revoked), 1);
    let error = plan.verify(&first).await.unwrap_err();
    assert!(matches!(error, ListError::Failed(error) if error.is_unauthorized()));
    let other = Client::builder().token(other.token.expose_secret()).base_url(server.url()).build().unwrap();
    assert!(plan.verify(&other).wait(Duration::ZERO).await.unwrap().is_clean());
}
