//! What is planned is what was asked for: no token more, none less, whatever happens to the list meanwhile.

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use magicbell::Client;
use magicbell::jwt::{CreateProjectJwt, FetchUserTokens};
use magicbell::revocation::{ListError, RevocationOutcome, RevocationPlan, Selection};
use magicbell::testing::{Fault, Server};

use crate::support::{ShiftingList, UNKNOWN_ID, client, json, transport};

fn ids(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("id-{number}"))
}

fn select(client: &Client) -> Selection {
    client.jwt().select_user_tokens("u").page_size(4).wait(Duration::ZERO)
}

async fn plan(client: &Client) -> RevocationPlan {
    select(client).plan().await.unwrap()
}

#[tokio::test]
async fn a_user_s_tokens_are_planned_and_nothing_is_sent_but_lists() {
    let server = Server::start().await.unwrap();
    server.add_user_tokens("other", 3);
    let ids = server.add_user_tokens("u", 11);
    let plan = plan(&client(&server)).await;
    assert_eq!(plan.ids().collect::<Vec<_>>(), ids);
    assert_eq!((plan.len(), plan.listed(), plan.passes(), plan.unreadable()), (11, 11, 2, 0));
    assert_eq!(server.count("fetch_user_tokens"), server.request_count());
    assert_eq!(plan.names(), [(None, 11)]);
}

#[tokio::test]
async fn project_tokens_are_chosen_by_name_by_time_and_but_for_exceptions() {
    let server = Server::start().await.unwrap();
    let client = client(&server);
    let create = async |name: &str| {
        let request = CreateProjectJwt::builder().name(name).build();
        client.execute(request).await.unwrap().token_id
    };
    let (first, second, kept, other) = (create("ci").await, create("ci").await, create("ci").await, create("cd").await);
    let later = SystemTime::now();
    let too_late = create("ci").await;

    let select = || client.jwt().select_project_tokens().wait(Duration::ZERO);
    let plan = select().named("ci").created_before(later).except([kept.to_uppercase()]).plan().await.unwrap();
    assert_eq!(plan.ids().collect::<Vec<_>>(), [&first, &second]);
    assert_eq!((plan.listed(), plan.names()), (6, vec![(Some("ci"), 2)]));
    assert_eq!((&plan.oldest().unwrap().id, &plan.newest().unwrap().id), (&first, &second));
    assert!(plan.unmatched_exceptions().is_empty() && plan.undated().is_empty() && plan.own_token().is_none());

    let since = select().created_since(later).plan().await.unwrap();
    assert_eq!(since.ids().collect::<Vec<_>>(), [&too_late]);
    let both = select().named("ci").named("cd").except([UNKNOWN_ID, &first]).plan().await.unwrap();
    assert_eq!(both.ids().collect::<HashSet<_>>(), HashSet::from([&*second, &kept, &other, &too_late]));
    assert_eq!(both.unmatched_exceptions(), [UNKNOWN_ID], "a slip would revoke what was to be kept");
    let matching = select().matching(|token| token.name.as_deref() == Some("cd")).plan().await.unwrap();
    assert_eq!(matching.ids().collect::<Vec<_>>(), [&other]);
}

#[tokio::test]
async fn a_row_that_shifted_past_a_page_is_not_skipped() {
    // What was read first is discarded by somebody else after the first page: id-4 moves onto the page that has been read.
    let discard = |page, rows: &mut Vec<_>| {
        if page == 1 {
            rows.remove(0);
        }
    };
    let list = ShiftingList::new(ids(12));
    let one_pass = list.client(discard).paginate(FetchUserTokens::builder().user_id("u").limit(4).build());
    let one_pass = one_pass.map_ok(|token| token.id.unwrap()).try_collect::<Vec<_>>().await.unwrap();
    assert!(!one_pass.contains(&"id-4".to_owned()), "one pass alone skips it");

    let list = ShiftingList::new(ids(12));
    let plan = plan(&list.client(discard)).await;
    assert_eq!(plan.into_iter().collect::<Vec<_>>(), list.ids());
    assert_eq!(list.pages(), 9, "three passes");
}

#[tokio::test]
async fn a_row_that_two_passes_skip_alike_is_not_skipped_either() {
    // Both passes lose a token that nobody asked for just after reading it, and id-4 moves onto the page that has been read.
    let unasked = |id: &str| {
        let mut row = ShiftingList::row(id);
        row["name"] = "login".into();
        row
    };
    let list = ShiftingList::new(ids(12));
    list.rows.lock().unwrap()[0] = unasked("id-0");
    let client = list.client(move |page, rows| match page {
        1 | 4 => _ = rows.remove(0),
        3 => rows.insert(0, unasked("new")),
        _ => {}
    });
    let plan = select(&client).named("ci").plan().await.unwrap();
    assert_eq!((plan.len(), plan.passes()), (11, 4));
    assert!(plan.ids().any(|id| id == "id-4"));
}

#[tokio::test]
async fn a_row_that_shifted_onto_the_next_page_is_planned_once() {
    let list = ShiftingList::new(ids(12));
    let plan = plan(&list.client(|page, rows| {
        if page <= 3 {
            rows.insert(0, ShiftingList::row(&format!("new-{page}")));
        }
    }))
    .await;
    let planned = plan.ids().map(str::to_owned).collect::<HashSet<_>>();
    assert_eq!(planned.len(), plan.len(), "none twice");
    assert_eq!(planned, list.ids().into_iter().collect::<HashSet<_>>());
}

#[tokio::test]
async fn whatever_happens_between_pages_what_stays_is_planned_once_and_what_is_gone_by_a_pass_is_not() {
    for seed in 0..300_u64 {
        let list = ShiftingList::new(ids(25));
        let client = list.client(move |page, rows| {
            // Quiet comes after a while, later for some.
            let chance = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(page as u64 * 0xD134_2543)) >> 13;
            if page as u64 > 10 + seed % 20 || chance % 3 == 0 || rows.is_empty() {
                return;
            }
            let at = (chance / 7) as usize % rows.len();
            match chance % 2 {
                0 => _ = rows.remove(at),
                _ => rows.insert(at, ShiftingList::row(&format!("new-{page}"))),
            }
        });
        let plan = select(&client).max_passes(20).plan().await.unwrap();
        let planned = plan.ids().collect::<Vec<_>>();
        assert_eq!(planned.iter().collect::<HashSet<_>>().len(), planned.len(), "seed {seed}: one is planned twice");
        let stayed = list.ids().into_iter().filter(|id| id.starts_with("id-"));
        for id in stayed {
            assert!(planned.contains(&&*id), "seed {seed}: {id} was there all the while and isn't planned");
        }
    }
}

#[tokio::test]
async fn a_list_that_never_rests_is_an_error_that_has_what_was_found() {
    let list = ShiftingList::new(ids(12));
    let client = list.client(|page, rows| {
        rows.remove(0);
        rows.push(ShiftingList::row(&format!("new-{page}")));
    });
    let error = select(&client).max_passes(4).plan().await.unwrap_err();
    assert!(error.to_string().contains("changed in every pass"), "{error}");
    let plan = error.into_unsettled().unwrap();
    assert_eq!(plan.passes(), 4);
    assert!(plan.to_string().contains("CAREFUL"), "{plan}");
    let planned = plan.ids().collect::<HashSet<_>>();
    assert_eq!(planned.len(), plan.len());
    assert!(list.ids().iter().filter(|id| !planned.contains(id.as_str())).count() < 4, "what the passes saw is there");
    assert!(planned.contains("id-3"), "what the first pass saw is there too");
}

#[tokio::test]
async fn tokens_that_nobody_asked_for_may_be_made_all_the_while() {
    let list = ShiftingList::new(ids(12));
    let client = list.client(|page, rows| {
        let mut row = ShiftingList::row(&format!("new-{page}"));
        row["name"] = "login".into();
        rows.push(row);
    });
    let plan = select(&client).named("ci").plan().await.unwrap();
    assert_eq!((plan.len(), plan.passes()), (12, 2));
}

#[tokio::test]
async fn rows_and_times_that_can_not_be_read_are_reported_and_not_selected() {
    let server = Server::start().await.unwrap();
    let rows = serde_json::json!({ "data": [
        { "id": "1", "created_at": "2021-01-01T00:00:00Z" },
        { "id": "2", "created_at": "yesterday" },
        { "id": "3", "created_at": null },
        { "created_at": "2021-01-01T00:00:00Z" },
        { "id": "", "created_at": "2021-01-01T00:00:00Z" },
        "no row",
        { "id": "4", "created_at": "2021-01-01T00:00:00Z", "discarded_at": "2021-01-02T00:00:00Z" },
        { "id": "5", "created_at": "2021-01-01T00:00:00Z", "discarded_at": "odd" },
    ]});
    server.fail_next(Fault::body(200, rows.to_string()).always());
    let client = client(&server);
    let plan = select(&client).created_before(SystemTime::now()).plan().await.unwrap();
    assert_eq!(plan.ids().collect::<Vec<_>>(), ["1", "5"], "one that may be live is");
    assert_eq!(plan.undated().iter().map(|token| &*token.id).collect::<Vec<_>>(), ["2", "3"]);
    assert_eq!(plan.unreadable(), 3);
    let text = plan.to_string();
    assert!(text.contains("3 rows can't be read") && text.contains("2 tokens left out"), "{text}");
    let all = select(&client).plan().await.unwrap();
    assert_eq!(all.ids().collect::<Vec<_>>(), ["1", "2", "3", "5"], "where no time is asked about");
}

#[tokio::test]
async fn a_plan_reads_well() {
    let server = Server::start().await.unwrap();
    let rows = serde_json::json!({ "data": [
        { "id": "1", "name": "ci", "created_at": "2021-01-01T00:00:00Z" },
        { "id": "2", "name": "ci", "created_at": "2021-06-01T00:00:00Z" },
        { "id": "3", "name": "\u{1b}[2Jx", "created_at": "9999-12-31T23:59:59Z" },
        { "id": "4", "created_at": "2021-01-01T00:00:00Z" },
    ]});
    server.fail_next(Fault::body(200, rows.to_string()).always());
    let select = client(&server).jwt().select_project_tokens().wait(Duration::ZERO).own_token_id("4").except(["7"]);
    let plan = select.plan().await.unwrap();
    let lines = plan.to_string();
    let mut lines = lines.lines();
    assert_eq!(lines.next(), Some("4 project tokens to revoke, of 4 listed"));
    assert!(lines.next().unwrap().starts_with("  oldest: 2021-01-01T00:00:00Z, "));
    assert_eq!(lines.next(), Some("  newest: 9999-12-31T23:59:59Z, in the future"));
    assert_eq!(lines.next(), Some("         2  named \"ci\""));
    assert_eq!(lines.next(), Some("         1  without a name"));
    assert_eq!(lines.next(), Some(r#"         1  named "\u{1b}[2Jx""#));
    assert_eq!(lines.next(), Some("  4 is the client's own: it is revoked last, unless skipped"));
    assert_eq!(lines.next(), Some("  1 exception that no listed token has: 7"));
    assert_eq!(lines.next(), None);
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!((&json["count"], &json["tokens"][3]["is_own"]), (&4.into(), &true.into()));
}

#[tokio::test]
async fn the_clients_own_token_is_marked_and_revoked_last() {
    let server = Server::start().await.unwrap();
    server.add_project_tokens(20);
    let client = client(&server);
    let plan = client.jwt().select_project_tokens().plan().await.unwrap();
    assert_eq!((plan.len(), &*plan.own_token().unwrap().id), (21, server.token_id()));
    let report = plan.revocations(&client).concurrency(4).run().await;
    assert!(report.is_complete(), "{report}");
    let last = server.requests().pop().unwrap();
    assert!(last.target.ends_with(server.token_id()), "{last:?}");
}

#[tokio::test]
async fn an_own_token_that_is_known_from_the_first_request_on_is_marked() {
    let server = Server::start().await.unwrap();
    let credentials = magicbell::RotatingCredentials::new(magicbell::bearer(server.token()).unwrap());
    let client = Client::builder().credentials(credentials).base_url(server.url()).build().unwrap();
    let plan = client.jwt().select_project_tokens().plan().await.unwrap();
    assert_eq!(plan.own_token().map(|own| &*own.id), Some(server.token_id()));
}

#[tokio::test]
async fn a_plan_is_what_the_batches_take() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 30);
    let client = client(&server);
    let report = client.jwt().discard_user_jwts(plan(&client).await).run().await;
    assert_eq!(report.count(RevocationOutcome::Revoked), 30);
    assert!(ids.iter().all(|id| server.is_discarded(id) == Some(true)));
    assert!(plan(&client).await.is_empty(), "and what is left is nothing");
}

#[tokio::test(start_paused = true)]
async fn listing_waits_a_quota_out_whatever_the_clients_timeout() {
    let server = Server::builder().published_rate_limit().start().await.unwrap();
    server.add_user_tokens("u", 2_000);
    let client = Client::builder().token(server.token()).base_url(server.url()).transport(server.transport());
    let client = client.timeout(Duration::from_secs(5)).build().unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(plan(&client).await.len(), 2_000, "500 pages a pass");
    assert!(start.elapsed() > Duration::from_secs(3 * 60), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_page_that_can_not_be_fetched_or_followed_is_an_error() {
    let server = Server::start().await.unwrap();
    server.add_user_tokens("u", 30);
    let client = client(&server);
    server.fail_next(Fault::status(403).always());
    let error = select(&client).plan().await.unwrap_err();
    assert!(matches!(&error, ListError::Failed(error) if error.status().unwrap() == 403));
    assert!(error.source().is_some() && error.into_unsettled().is_none());
    server.clear_faults();
    let page = r#"{"data":[{"id":"1","created_at":"x"}],"links":{"next":"same"}}"#;
    server.fail_next(Fault::body(200, page).always());
    assert!(matches!(select(&client).plan().await.unwrap_err(), ListError::Failed(_)), "a cursor that comes again");
    let nobody = client.jwt().select_user_tokens("..").plan().await.unwrap_err();
    assert!(matches!(nobody, ListError::Failed(error) if error.kind() == magicbell::ErrorKind::InvalidRequest));
}

#[tokio::test]
async fn a_list_without_end_is_an_error_and_no_plan() {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let (_, transport) = transport(move |_| {
        let page = counter.fetch_add(1, Ordering::Relaxed);
        Ok(json(200, &format!(r#"{{"data":[{{"created_at":"x","id":"1"}}],"links":{{"next":"c{page}"}}}}"#)))
    });
    let client = Client::builder().token("t").transport(transport).build().unwrap();
    assert!(matches!(select(&client).plan().await, Err(ListError::Failed(_))));
    assert_eq!(count.load(Ordering::Relaxed), 101);
}
