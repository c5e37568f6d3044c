//! Decodes `%XX` by a way of its own, so that a test doesn't lean on what it tests.

/// Decodes every `%XX`. A `%` that begins none is a panic, and not let through: an id that wasn't encoded would pass for one that was.
pub(crate) fn percent_decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
