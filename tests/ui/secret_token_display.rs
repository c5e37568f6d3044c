//! A token is not printed by accident.

fn main() {
    let token = magicbell::SecretToken::from("t");
    println!("{token}");
}
