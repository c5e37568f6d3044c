//! A project token needs a name.

fn main() {
    let _ = magicbell::jwt::CreateProjectJwt::builder().expiry(3600).build();
}
