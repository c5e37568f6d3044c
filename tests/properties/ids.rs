//! An id arrives as one segment that decodes to itself, or nothing is sent.

use magicbell::jwt::{DiscardProjectJwt, DiscardUserJwt, FetchProjectTokens, FetchUserTokens};
use magicbell::{Endpoint, ErrorKind, Outcome};
use proptest::prelude::*;

use crate::percent::percent_decode;
use crate::support::{answer, block_on, cases, client, text};

/// Executes a request; returns the path and query that the transport saw, or `None` where the client refused to send.
fn sent<E: Endpoint>(request: E) -> Result<Option<String>, TestCaseError> {
    let (received, client) = client("https://api.example/v2", "a-token", answer(500, ""));
    let error = block_on(client.unwrap().execute(request)).err().expect("a 500 is an error");
    let received = received.lock().unwrap();
    if error.kind() == ErrorKind::InvalidRequest {
        prop_assert_eq!(received.len(), 0);
        prop_assert_eq!(error.outcome(), Outcome::NotSent);
        return Ok(None);
    }
    prop_assert_eq!(received.len(), 1);
    Ok(received[0].uri().path_and_query().map(ToString::to_string))
}

fn arrives_or_is_refused<E: Endpoint>(request: E, prefix: &str, id: &str) -> Result<(), TestCaseError> {
    let Some(target) = sent(request)? else { return Ok(()) };
    let segment = target.strip_prefix(prefix).expect(&target);
    prop_assert!(segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{}", segment);
    prop_assert_eq!(percent_decode(segment), id);
    Ok(())
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn an_id_arrives_as_one_segment_that_decodes_to_itself_or_is_refused(id in text()) {
        arrives_or_is_refused(DiscardProjectJwt::new(&id), "/v2/jwt/project/", &id)?;
        arrives_or_is_refused(DiscardUserJwt::new(&id), "/v2/jwt/user/", &id)?;
        arrives_or_is_refused(FetchUserTokens::builder().user_id(&id).build(), "/v2/jwt/user/", &id)?;
    }

    #[test]
    fn an_id_of_letters_digits_and_signs_is_not_refused(id in "[!-~]{0,40}[!-~&&[^.]]") {
        prop_assert!(sent(DiscardUserJwt::new(&id))?.is_some());
        prop_assert!(sent(FetchUserTokens::builder().user_id(&id).build())?.is_some());
    }

    #[test]
    fn a_cursor_arrives_as_one_value_that_decodes_to_itself(cursor in text()) {
        let request = FetchProjectTokens::builder().limit(7).starting_after(&cursor).build();
        let target = sent(request)?.expect("any cursor is sent");
        let value = target.strip_prefix("/v2/jwt/project?limit=7&starting_after=").expect(&target);
        prop_assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{}", value);
        prop_assert_eq!(percent_decode(value), cursor);
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn an_id_of_any_length_is_sent_whole_or_refused(length in 1_usize..100_000) {
        let id = "x".repeat(length);
        arrives_or_is_refused(DiscardUserJwt::new(&id), "/v2/jwt/user/", &id)?;
    }
}
