//! Quick looks at texts as short as ids are, where a search made for long ones costs more than it saves.

/// How many bytes are looked at together: as many as the registers of common processors hold.
const CHUNK: usize = 16;

/// Says whether a text is of RFC 3986's unreserved characters alone.
pub(crate) fn is_unreserved(text: &str) -> bool {
    !any(text, |byte| {
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let is_digit = byte.wrapping_sub(b'0') < 10;
        let is_hyphen_or_period = byte.wrapping_sub(b'-') < 2;
        !(is_letter | is_digit | is_hyphen_or_period | (byte == b'_') | (byte == b'~'))
    })
}

/// Says whether a byte is in a text: eight bytes in a register, where one that is 0 borrows from its highest bit.
pub(crate) fn has(text: &str, byte: u8) -> bool {
    const LOWEST: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);

    let bytes = text.as_bytes();
    let wanted = u64::from_ne_bytes([byte; 8]);
    let found = |chunk: &[u8; 8]| {
        let differences = u64::from_ne_bytes(*chunk) ^ wanted;
        differences.wrapping_sub(LOWEST) & !differences & HIGHEST
    };
    // The last chunk may look at some bytes again.
    let Some(last) = bytes.last_chunk() else { return bytes.contains(&byte) };
    bytes.as_chunks().0.iter().fold(found(last), |all, chunk| all | found(chunk)) != 0
}

/// Says whether a byte is so. Whole chunks, without a branch for a byte, become a few instructions each, and what was found in
/// them is looked at once.
#[inline(always)]
fn any(text: &str, is_so: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    // The last chunk may look at some bytes again.
    let Some(last) = bytes.last_chunk::<CHUNK>() else { return bytes.iter().any(|byte| is_so(*byte)) };
    let mut found = [0; CHUNK];
    let mut look = |chunk: &[u8; CHUNK]| {
        for (found, byte) in found.iter_mut().zip(chunk) {
            *found |= u8::from(is_so(*byte));
        }
    };
    look(last);
    for chunk in bytes.as_chunks::<CHUNK>().0 {
        look(chunk);
    }
    u128::from_ne_bytes(found) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of each length, with one byte at each place.
    fn texts(byte: char) -> impl Iterator<Item = String> {
        let at =
            move |length: usize, place: usize| (0..length).map(|at| if at == place { byte } else { 'x' }).collect();
        (1..=50).flat_map(move |length| (0..length).map(move |place| at(length, place)))
    }

    #[test]
    fn unreserved_characters_are_told_from_all_others_at_every_place() {
        for byte in (0..=127).map(char::from) {
            let is_one = byte.is_ascii_alphanumeric() || "-._~".contains(byte);
            for text in texts(byte) {
                assert_eq!(is_unreserved(&text), is_one, "{text:?}");
            }
        }
        for text in ["", "é", "xxxxxxxxxxxxxxxxxxxé", "éxxxxxxxxxxxxxxxxxxxxx"] {
            assert_eq!(is_unreserved(text), text.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_byte_is_found_at_every_place() {
        for text in texts('%') {
            assert!(has(&text, b'%'), "{text:?}");
            assert!(!has(&text, b'.'), "{text:?}");
        }
        assert!(!has("", b'%'));
    }
}
