//! The wall clock, which can jump: where the library reads it, and that it reads it nowhere else.

use std::fs;
use std::path::Path;

/// Where the wall clock is read, and why that may be.
const READERS: [&str; 2] = [
    // A `Retry-After` date is compared with the answer's own `Date`; only where there is none, with the wall clock.
    "middleware/src/pace/retry_after.rs",
    // Which says when the plan was made.
    "src/revocation/selection/selection_type.rs",
];

#[test]
fn elapsed_time_is_never_read_from_the_wall_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut readers = Vec::new();
    for folder in ["src", "middleware/src"] {
        // A package as it is published has no `middleware`.
        if root.join(folder).is_dir() {
            collect(root, &root.join(folder), &mut readers);
        }
    }
    // The fake server has a service's clock, and the command speaks of ages and dates to a person.
    readers.retain(|reader| !reader.starts_with("src/testing/") && !reader.starts_with("src/bin/"));
    readers.sort_unstable();
    let expected = READERS.into_iter().filter(|reader| root.join(reader).exists()).collect::<Vec<_>>();
    assert_eq!(readers, expected);
}

fn collect(root: &Path, folder: &Path, readers: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, readers);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        if code.into_iter().any(|line| line.contains("SystemTime::now")) {
            readers.push(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
        }
    }
}
