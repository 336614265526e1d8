//! Files and commands that an awk program reads and writes, open from their first use until they are closed.

use bytes::Bytes;

use super::RedirectionKind;
use crate::shell::{Descriptor, Fatal, Launch, OpenFile, Process, exec, open::How};

/// What a program has open.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// In the order of opening, which is the order in which they end.
    outputs: Vec<Output>,
    pub(super) inputs: Vec<Input>,
}

#[derive(Debug)]
struct Output {
    name: Vec<u8>,
    to: To,
}

#[derive(Debug)]
enum To {
    File(Descriptor),
    /// A command, which runs when it is closed, and what it will read.
    Command(Vec<u8>),
}

/// A file, or what a command has written.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: Vec<u8>,
    pub(super) command: bool,
    pub(super) text: Bytes,
    pub(super) at: usize,
    status: u8,
}

impl Streams {
    /// Writes to a file or command; false when the file can't be opened.
    pub(super) fn write(
        &mut self,
        process: &mut Process<'_>,
        kind: RedirectionKind,
        name: &[u8],
        text: &[u8],
    ) -> Result<bool, Fatal> {
        if kind != RedirectionKind::Pipe {
            match name {
                b"/dev/stdout" | b"-" => return process.out(text).map(|()| true),
                b"/dev/stderr" => return process.write(2, text).map(|()| true),
                _ => {}
            }
        }
        let command = kind == RedirectionKind::Pipe;
        let known = |output: &&mut Output| output.name == name && matches!(output.to, To::Command(_)) == command;
        if let Some(output) = self.outputs.iter_mut().find(known) {
            return write_to(process, &mut output.to, text).map(|()| true);
        }
        let mut to = match kind {
            RedirectionKind::Pipe => To::Command(Vec::new()),
            _ => {
                let how = if kind == RedirectionKind::Append { How::Append } else { How::Write { exclusive: false } };
                let path = process.absolute(name);
                match process.machine.open(&path, how, process.umask, &process.descriptors) {
                    Ok(descriptor) => To::File(descriptor),
                    Err(_) => return Ok(false),
                }
            }
        };
        write_to(process, &mut to, text)?;
        self.outputs.push(Output { name: name.to_vec(), to });
        Ok(true)
    }

    /// The input of this name, opened if it is not; `None` when it can't be.
    pub(super) fn input(
        &mut self,
        process: &mut Process<'_>,
        name: &[u8],
        command: bool,
    ) -> Result<Option<&mut Input>, Fatal> {
        if let Some(index) = self.inputs.iter().position(|input| input.name == name && input.command == command) {
            return Ok(self.inputs.get_mut(index));
        }
        let (text, status) = if command {
            let out = OpenFile::buffer(Vec::new());
            let status = run(process, name, None, Some(&out))?;
            (OpenFile::take(&out).into(), status)
        } else {
            match process.read_file(name) {
                Ok(text) => (text, 0),
                Err(_) => return Ok(None),
            }
        };
        self.inputs.push(Input { name: name.to_vec(), command, text, at: 0, status });
        Ok(self.inputs.last_mut())
    }

    /// Closes what has this name: the status, or -1 when nothing has.
    pub(super) fn close(&mut self, process: &mut Process<'_>, name: &[u8]) -> Result<i32, Fatal> {
        let mut status = -1;
        while let Some(index) = self.inputs.iter().position(|input| input.name == name) {
            status = i32::from(self.inputs.remove(index).status);
        }
        while let Some(index) = self.outputs.iter().position(|output| output.name == name) {
            status = finish(process, self.outputs.remove(index))?;
        }
        Ok(status)
    }

    pub(super) fn close_all(&mut self, process: &mut Process<'_>) -> Result<(), Fatal> {
        for output in std::mem::take(&mut self.outputs) {
            finish(process, output)?;
        }
        Ok(())
    }
}

fn write_to(process: &mut Process<'_>, to: &mut To, text: &[u8]) -> Result<(), Fatal> {
    match to {
        To::File(descriptor) => process.machine.write(descriptor, text),
        To::Command(held) => {
            let limit = process.machine.limits.bytes;
            if (held.len() + text.len()) as u64 > limit {
                return Err(Fatal::Limit { what: "bytes in a pipe", limit });
            }
            held.extend_from_slice(text);
            Ok(())
        }
    }
}

fn finish(process: &mut Process<'_>, output: Output) -> Result<i32, Fatal> {
    match output.to {
        To::File(_) => Ok(0),
        To::Command(input) => run(process, &output.name, Some(input), None).map(i32::from),
    }
}

/// Runs a command line of the shell, with its own input or output where given.
pub(super) fn run(
    process: &mut Process<'_>,
    command: &[u8],
    input: Option<Vec<u8>>,
    output: Option<&Descriptor>,
) -> Result<u8, Fatal> {
    process.machine.step()?;
    let mut descriptors = process.descriptors.clone();
    if let Some(input) = input {
        descriptors.insert(0, OpenFile::buffer(input));
    }
    if let Some(output) = output {
        descriptors.insert(1, output.clone());
    }
    let launch = Launch {
        argv: vec![b"/bin/sh".to_vec(), b"-c".to_vec(), command.to_vec()],
        environment: process.environment.clone(),
        folder: process.folder.clone(),
        umask: process.umask,
        descriptors,
    };
    exec::execute(process.machine, launch).map(|status| status.0)
}
