//! The token is in the memory of the process: that must not end up in a file.

/// Switches core dumps off, as far as the platform has them.
#[cfg(unix)]
pub(crate) fn switch_off() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if setrlimit(Resource::Core, none).is_err() {
        crate::exit::say("magicbell: core dumps can't be switched off");
    }
}

#[cfg(not(unix))]
pub(crate) fn switch_off() {}
