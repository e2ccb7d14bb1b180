//! Round robin beside a bare `fetch_add`.
fn main() {}
