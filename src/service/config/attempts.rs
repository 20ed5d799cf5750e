//! How often one applicant may try before a person looks.

use super::group::settings;

settings! {
    /// How often one applicant may try. Counted by the `reference` that the caller gives.
    Attempts {
        /// Photographs of one reference until a person looks: the one that would be refused as the last of so many is handed over; 0 for no end.
        #[env("BONAFIDE_MAX_ATTEMPTS", value_name = "N", value_parser = clap::value_parser!(u16).range(0..=100))]
        max_attempts: u16 = 3,
    }
}
