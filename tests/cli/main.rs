//! The built command against the fake server: what it writes, what the server counted, and the exit codes.

// Modes of files, signals and terminals are those of Unix.
#![cfg(unix)]

mod connection;
mod create;
mod demo;
mod help;
mod kill_9;
mod list;
mod revoke;
mod revoke_input;
mod revoke_outcomes;
mod rotate;
mod stops;
mod support;
mod terminal;
