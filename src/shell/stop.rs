//! How a built-in command ends before its end: with a message and a status of its own, or because we can't go on.

use super::{Fatal, Process, Status};

/// An early end, carried by `?` to [`finish`].
#[derive(Debug)]
pub(super) enum Stop {
    /// Lines for descriptor 2, and the exit status.
    Exit(u8, String),
    Fatal(Fatal),
}

impl From<Fatal> for Stop {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

impl Stop {
    /// `NAME: message`, and `status`.
    pub(super) fn refuse(process: &Process<'_>, status: u8, message: &str) -> Self {
        Self::Exit(status, format!("{}: {message}\n", show(process.name())))
    }

    /// The end without a message.
    pub(super) fn quiet(status: u8) -> Self {
        Self::Exit(status, String::new())
    }
}

/// What the command returns to its caller.
pub(super) fn finish(process: &mut Process<'_>, result: Result<Status, Stop>) -> Result<Status, Fatal> {
    match result {
        Ok(status) => Ok(status),
        Err(Stop::Fatal(fatal)) => Err(fatal),
        Err(Stop::Exit(status, message)) => {
            process.write(2, message.as_bytes())?;
            Ok(Status(status))
        }
    }
}

/// Bytes of the tree in a message: as they are when they are text, which names nearly always are.
pub(super) fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
