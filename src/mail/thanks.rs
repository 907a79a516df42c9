//! stub
/// Stub.
pub fn is_bare_thanks(_: &str) -> bool {
    false
}
