//! What a subscriber is told between attempts.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use magicbell_middleware::pace::Pace;
use magicbell_middleware::retry::{Jitter, RetryBudget, RetryLayer, RetryPolicy};
use tower::ServiceExt as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::subscribe;
use crate::support::{Reply, Server, list, policy, stack};

/// Keeps each event, as a line.
#[derive(Debug, Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
}

async fn events(script: &[Reply], layer: RetryLayer) -> Vec<String> {
    let events = Events::default();
    let _subscribed = subscribe(tracing_subscriber::registry().with(events.clone())).await;
    let _ = stack(layer, Server::new(script)).oneshot(list()).await;
    events.0.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn that_another_attempt_follows_and_why() {
    let events = events(&[Reply::Status(503), Reply::NotSent, Reply::Status(200)], RetryLayer::new(policy())).await;
    assert_eq!(
        events,
        [
            "INFO message=another attempt follows attempt=1 outcome=Answered http.response.status_code=503 delay_ms=100",
            "INFO message=another attempt follows attempt=2 outcome=NotSent delay_ms=200",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn that_the_budget_is_empty() {
    let policy = RetryPolicy::builder().jitter(Jitter::off()).budget(RetryBudget::new(0)).build();
    let events = events(&[Reply::Status(503)], RetryLayer::new(policy)).await;
    assert_eq!(events, ["WARN message=the budget of retries is empty"]);
}

#[tokio::test(start_paused = true)]
async fn how_long_the_pace_holds_an_attempt_back() {
    let pace = Pace::unlimited();
    pace.pause(Duration::from_secs(7));
    let events = events(&[Reply::Status(200)], RetryLayer::new(policy()).pace(pace)).await;
    let [event] = &*events else { panic!("{events:?}") };
    let wait = event.strip_prefix("DEBUG message=held back until its turn wait_ms=").unwrap();
    assert!((7_000..9_000).contains(&wait.parse::<u64>().unwrap()), "{wait}");
}
