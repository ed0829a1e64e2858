//! A progress bar on standard error, shown only where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use probity_verifier::Progress;

/// The bar; it disappears when the work is done.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template(
            "judging {bar:40} {percent:>3}% {bytes_per_sec}, {eta} left",
        ) {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Progress for Bar {
    fn begin(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
