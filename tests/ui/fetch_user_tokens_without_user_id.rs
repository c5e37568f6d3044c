//! A user's list needs the user.

fn main() {
    let _ = magicbell::jwt::FetchUserTokens::builder().limit(10).build();
}
