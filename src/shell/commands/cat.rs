//! cat: files one after the other to standard output.

use crate::shell::{Fatal, Process, Status};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut files = process.arguments();
    if let Some(option) = files.iter().find(|file| file.len() > 1 && file.starts_with(b"-")) {
        return Err(process.not_modelled(format!("option `{}`", option.escape_ascii())));
    }
    if files.is_empty() {
        files.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for file in files {
        match process.read_file(&file) {
            Ok(bytes) => process.out(&bytes)?,
            Err(error) => {
                process.complain(&format!("{}: {}", file.escape_ascii(), error.errno))?;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}
