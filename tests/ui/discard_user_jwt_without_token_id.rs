//! A discard needs an id.

fn main() {
    let _ = magicbell::jwt::DiscardUserJwt::builder().build();
}
