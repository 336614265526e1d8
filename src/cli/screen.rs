//! Progress on the terminal, notes on standard error, results on standard output.

use std::{
    io::{IsTerminal, Write},
    sync::Mutex,
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::progress::{Event, Unit};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loudness {
    Quiet,
    Usual,
    Verbose,
}

/// The screen while a verb runs.
pub(super) struct Screen {
    loudness: Loudness,
    bars: bool,
    begun: Instant,
    stage: Mutex<Option<Stage>>,
}

struct Stage {
    name: &'static str,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Screen {
    #[expect(clippy::disallowed_methods, reason = "how long a verb took is shown, and reaches no image")]
    pub(super) fn new(loudness: Loudness) -> Self {
        let bars = loudness > Loudness::Quiet && std::io::stderr().is_terminal();
        Self { loudness, bars, begun: Instant::now(), stage: Mutex::new(None) }
    }

    /// Since the verb began.
    pub(super) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    pub(super) fn is_loud(&self) -> bool {
        self.loudness > Loudness::Quiet
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        match event {
            Event::Stage { name, unit, total } => self.begin(name, unit, total),
            Event::Advance(count) => {
                if let Some(bar) = self.stage().as_ref().and_then(|stage| stage.bar.as_ref()) {
                    bar.inc(count);
                }
            }
            Event::Note(text) if self.loudness > Loudness::Quiet => self.line(text),
            Event::Note(_) => {}
            Event::Warning(text) => self.line(&format!("warning: {text}")),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "how long a stage took is shown, and reaches no image")]
    fn begin(&self, name: &'static str, unit: Unit, total: u64) {
        self.end();
        let bar = self.bars.then(|| bar(name, unit, total));
        *self.stage() = Some(Stage { name, begun: Instant::now(), bar });
    }

    /// Ends the running stage.
    pub(super) fn end(&self) {
        let Some(stage) = self.stage().take() else { return };
        if let Some(bar) = stage.bar {
            bar.finish_and_clear();
        }
        if self.loudness == Loudness::Verbose {
            self.line(&format!("{:>9.3} s  {}", stage.begun.elapsed().as_secs_f64(), stage.name));
        }
    }

    fn line(&self, text: &str) {
        let print = || {
            // A closed standard error must not end the work.
            let _ = writeln!(std::io::stderr(), "{text}");
        };
        match self.stage().as_ref().and_then(|stage| stage.bar.as_ref()) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Option<Stage>> {
        self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn bar(name: &'static str, unit: Unit, total: u64) -> ProgressBar {
    let count = match unit {
        Unit::Bytes => "{bytes}/{total_bytes}  {bytes_per_sec}",
        Unit::Packages => "{pos}/{len}",
    };
    let template =
        if total == 0 { "{prefix:>10} {spinner}".to_owned() } else { format!("{{prefix:>10}} [{{bar:40}}] {count}") };
    let style = ProgressStyle::with_template(&template).expect("the templates above are well-formed");
    let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(name);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}
