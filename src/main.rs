//! The binary: exit code and error chain.

fn main() {}
