//! Any bytes are read as each model without a panic; a model that can be written is read back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use magicbell::jwt::{AccessToken, AccessTokenCollection, CreateTokenResponse, DiscardTokenResponse, Links};
use magicbell::{Nullable, SecretToken, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(body: &[u8]) {
    if let Some(model) = read::<T>(body) {
        let written = serde_json::to_vec(&model).unwrap();
        assert_eq!(read::<T>(&written), Some(model));
    }
}

fuzz_target!(|body: &[u8]| {
    round_trip::<AccessToken>(body);
    round_trip::<AccessTokenCollection>(body);
    round_trip::<DiscardTokenResponse>(body);
    round_trip::<Links>(body);
    round_trip::<Timestamp>(body);
    round_trip::<Nullable<String>>(body);
    read::<SecretToken>(body);
    if let Some(created) = read::<CreateTokenResponse>(body) {
        let times = [Some(created.created_at), created.expires_at];
        for time in times.into_iter().flatten() {
            let _ = time.to_system_time();
            assert!(!time.to_string().chars().any(char::is_control));
        }
    }
});
