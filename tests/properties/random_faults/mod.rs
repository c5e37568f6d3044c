//! The client against the fake server under random faults: what a call says is what the server holds.

mod plan;
mod world;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use plan::{Plan, plan};
use world::World;

/// The plan that a seed determines.
fn plan_of(seed: u64, keys: bool) -> Plan {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { failure_persistence: None, ..Config::default() };
    plan(seed, keys).new_tree(&mut TestRunner::new_with_rng(config, rng)).unwrap().current()
}

async fn hold_for_seed(seed: u64, keys: bool) {
    let plan = plan_of(seed, keys);
    // Shown where the test fails.
    println!("{plan:#?}");
    let mut world = World::start(&plan).await;
    for operation in &plan.operations {
        world.carry_out(operation).await;
    }
    world.check_at_the_end();
}

/// `MAGICBELL_SEED=7 cargo test --test properties random_faults` carries out the plans of one seed, `MAGICBELL_SEEDS=1000` more plans.
async fn hold_for_every_seed(keys: bool) {
    let number = |name| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let seeds = match number("MAGICBELL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAGICBELL_SEEDS").unwrap_or(25),
    };
    for seed in seeds {
        hold_for_seed(seed, keys).await;
    }
}

#[tokio::test]
async fn what_a_call_says_is_what_the_server_holds() {
    hold_for_every_seed(false).await;
}

#[tokio::test]
async fn where_keys_are_trusted_it_is_so_too() {
    hold_for_every_seed(true).await;
}
