//! All integration tests, one binary: each module is one subject.

// What arrives from strangers: truncated, damaged, oversized, mislabelled.
mod hostile;
