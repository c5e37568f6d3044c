//! A crate outside the workspace compiles against the public API alone; and there, a missing required field doesn't, and the
//! compiler's message says what is missing.
//!
//! `tests/ui/` holds a case and the compiler's whole message for each, to be read. Compared is its first line alone, the one
//! that the SDK has a say in: the rest is worded otherwise by each version of the compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a package of the cases, one binary each, beside the other build products.
fn package(cases: &[PathBuf]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_errors");
    let mut manifest = format!(
        "[package]\nname = \"compile_errors\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nmagicbell = {{ path = {root:?} }}\nhttp = \"1\"\ntower = \"0.5\"\n"
    );
    for case in cases {
        manifest += &format!("\n[[bin]]\nname = {:?}\npath = {case:?}\n", case.file_stem().unwrap());
    }
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    // The versions that everything else was built with: nothing has to be looked up.
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    package
}

fn first_error(message: &str) -> &str {
    message.lines().find(|line| line.starts_with("error")).unwrap_or_default()
}

/// Cases in a folder below the manifest's own.
fn cases(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let cases = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect::<Vec<_>>();
    assert!(!cases.is_empty());
    cases
}

#[test]
fn outside_the_workspace_what_should_compile_does_and_what_should_not_says_why() {
    let (bad, good) = (cases("tests/ui"), cases("tests/ui/pass"));
    let package = package(&[&*bad, &good].concat());
    let check = |case: &Path| {
        let mut check = Command::new(env!("CARGO"));
        check.args(["check", "--quiet", "--offline", "--bin"]).arg(case.file_stem().unwrap()).current_dir(&package);
        check.env("CARGO_TARGET_DIR", package.join("target")).env("CARGO_TERM_COLOR", "never");
        let output = check.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for case in good {
        let (compiles, message) = check(&case);
        assert!(compiles, "{message}");
    }
    for case in bad {
        let (compiles, message) = check(&case);
        assert!(!compiles, "{} compiles", case.display());
        let expected = fs::read_to_string(case.with_extension("stderr")).unwrap();
        assert_eq!(first_error(&message), first_error(&expected), "{message}");
    }
}
