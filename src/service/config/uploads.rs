//! How large and how slow an upload may be, and how many may come at a time.

use std::time::Duration;

use super::group::settings;
use super::span::{Span, of_secs};

settings! {
    /// How large and how slow an upload may be. Phones on slow networks: 10 MB in 20 s are 4 Mbit/s.
    Uploads {
        /// Largest picture, in MiB.
        #[env("BONAFIDE_MAX_MIB", value_name = "MIB", value_parser = clap::value_parser!(u16).range(1..=1024))]
        max_mib: u16 = 16,
        /// Most pixels of a picture, in millions.
        #[env("BONAFIDE_MAX_MEGAPIXELS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
        max_megapixels: u16 = 40,
        /// Longest side of a picture, in pixels.
        #[env("BONAFIDE_MAX_SIDE", value_name = "PX", value_parser = clap::value_parser!(u32).range(64..=65535))]
        max_side: u32 = 16_384,
        /// Uploads received or examined at a time; one caller has half at most.
        #[env("BONAFIDE_UPLOADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        uploads: u16 = 64,
        /// Longest pause within an upload.
        #[env("BONAFIDE_UPLOAD_GAP", value_name = "TIME", value_parser = super::span::span)]
        upload_gap: Span = of_secs(5),
        /// Slowest upload, in KiB a second on average, once it has been waited for as long as `upload-gap`.
        #[env("BONAFIDE_UPLOAD_RATE", value_name = "KIB", value_parser = clap::value_parser!(u16).range(0..))]
        upload_rate: u16 = 16,
        /// Most that one caller sends, in MiB a second; any amount when left out.
        #[env("BONAFIDE_CALLER_RATE", value_name = "MIB", value_parser = clap::value_parser!(u16).range(1..))]
        #[sample(Shown "20")]
        caller_rate: Option<u16>,
        /// Longest time of an upload.
        #[env("BONAFIDE_UPLOAD_TIME", value_name = "TIME", value_parser = super::span::span)]
        upload_time: Span = of_secs(20),
        /// Most pictures of a batch.
        #[env("BONAFIDE_BATCH_FILES", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
        batch_files: u16 = 100,
        /// Most bytes of a batch, in MiB.
        #[env("BONAFIDE_BATCH_MIB", value_name = "MIB", value_parser = clap::value_parser!(u16).range(1..))]
        batch_mib: u16 = 256,
        /// Longest time of a batch's upload.
        #[env("BONAFIDE_BATCH_TIME", value_name = "TIME", value_parser = super::span::span)]
        batch_time: Span = of_secs(300),
    }
}

impl Uploads {
    /// Bytes of a picture.
    pub(crate) fn bytes(&self) -> usize {
        usize::from(self.max_mib) << 20
    }

    /// Width × height.
    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.max_megapixels) * 1_000_000
    }

    /// Longest time between two pieces of a body.
    pub(crate) fn gap(&self) -> Duration {
        self.upload_gap.into()
    }

    /// Bytes a second that a body has at the least.
    pub(crate) fn slowest(&self) -> f64 {
        f64::from(self.upload_rate) * 1024.0
    }

    /// Bytes a second that one caller sends at the most.
    pub(crate) fn fastest(&self) -> Option<f64> {
        self.caller_rate.map(|mib| f64::from(mib) * f64::from(1 << 20))
    }

    /// Longest time of a body.
    pub(crate) fn time(&self) -> Duration {
        self.upload_time.into()
    }

    /// Uploads that are received or examined at a time.
    pub(crate) fn at_a_time(&self) -> usize {
        self.uploads.into()
    }

    /// Bytes of a batch.
    pub(crate) fn batch_bytes(&self) -> usize {
        usize::from(self.batch_mib) << 20
    }

    /// Longest time of a batch.
    pub(crate) fn batch_time(&self) -> Duration {
        self.batch_time.into()
    }
}
