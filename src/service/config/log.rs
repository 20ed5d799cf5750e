//! What is logged, and in which form.

use std::fmt;

use super::group::settings;

settings! {
    /// The log.
    Log {
        /// What is logged: `error`, `warn`, `info`, `debug`, or a filter such as `bonafide=debug,warn`.
        #[env("BONAFIDE_LOG", value_name = "FILTER")]
        log: String = "info".to_owned(),
        /// Form of the log, on standard error.
        #[env("BONAFIDE_LOG_FORMAT", value_enum)]
        log_format: LogForm = LogForm::Json,
    }
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum LogForm {
    /// One object a line.
    Json,
    /// For a terminal.
    Text,
}

impl fmt::Display for LogForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
        })
    }
}

impl Log {
    /// Begins to log on standard error.
    ///
    /// # Errors
    /// When the filter cannot be read, or something logs already.
    pub fn begin(&self) -> Result<(), String> {
        let filter = tracing_subscriber::EnvFilter::try_new(&self.log).map_err(|e| format!("--log: {e}"))?;
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
        match self.log_format {
            LogForm::Text => log.try_init(),
            LogForm::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        }
        .map_err(|e| e.to_string())
    }
}
