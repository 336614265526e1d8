//! `perl`: of Perl itself only the two programs that scripts give on the command line.

use super::super::{Fatal, Process, Status};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = process.arguments();
    match arguments.as_slice() {
        // Whether Perl works.
        [option, program] if option == b"-e" && program.trim_ascii().is_empty() => Ok(Status::SUCCESS),
        [option, program] if option == b"-nle" && program == br#"print "\Q$_\E\n""# => quote_lines(process),
        _ => {
            let program = arguments.join(b" ".as_slice());
            Err(process.not_modelled(format!("the program `{}`", program[..program.len().min(200)].escape_ascii())))
        }
    }
}

/// Each line with a backslash before every character that is not part of a word, and an empty line after it.
fn quote_lines(process: &mut Process<'_>) -> Result<Status, Fatal> {
    while let Some(line) = process.read_line(0) {
        let mut quoted = Vec::new();
        for &byte in line.strip_suffix(b"\n").unwrap_or(&line) {
            if !byte.is_ascii_alphanumeric() && byte != b'_' {
                quoted.push(b'\\');
            }
            quoted.push(byte);
        }
        // The program ends the line, and -l does so again.
        quoted.extend_from_slice(b"\n\n");
        process.out(&quoted)?;
    }
    Ok(Status::SUCCESS)
}
