//! Makes tokens in the shape of JWTs: random, worth nothing outside the server that made them.

use serde_json::json;
use uuid::Uuid;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A new token for the token id: `header.claims.signature`, each part base64url.
///
/// The signature is random, so it verifies against no key.
pub(super) fn token(id: Uuid) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT" }).to_string();
    let claims = json!({ "jti": Uuid::new_v4().to_string(), "token_id": id.to_string() }).to_string();
    let signature = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let parts = [header.as_bytes(), claims.as_bytes(), &signature];
    parts.map(base64url).join(".")
}

/// Base64 in the URL-safe alphabet without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    bytes.chunks(3).flat_map(quartet).map(char::from).collect()
}

/// The two to four letters of one to three bytes.
fn quartet(chunk: &[u8]) -> impl Iterator<Item = u8> + use<> {
    let byte = |index| u32::from(chunk.get(index).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    let letters = chunk.len() + 1;
    [18, 12, 6, 0].into_iter().take(letters).map(move |shift| ALPHABET[(bits >> shift & 63) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_gives_the_vectors_of_rfc_4648_without_padding() {
        let vectors = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in vectors {
            assert_eq!(base64url(plain.as_bytes()), encoded);
        }
        assert_eq!(base64url(&[0xfb, 0xff, 0xfe]), "-__-");
    }

    #[test]
    fn a_token_has_three_parts_and_is_never_made_twice() {
        let id = Uuid::new_v4();
        let (first, second) = (token(id), token(id));
        assert_eq!(first.split('.').count(), 3);
        assert!(first.starts_with("eyJ"));
        assert_ne!(first, second);
    }
}
