//! How long a hand-off to a phone lives.

use super::group::settings;
use super::span::{Span, of_secs};

settings! {
    /// The hand-off to a phone.
    Handoff {
        /// How long a hand-off to a phone waits for the phone, and then for its photographs.
        #[env("BONAFIDE_HANDOFF", value_name = "TIME", value_parser = super::span::span)]
        handoff: Span = of_secs(600),
    }
}
