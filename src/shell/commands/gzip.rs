//! gzip, and what it has in common with the other compressors.

use std::io::Write;

use flate2::{Compression as Level, GzBuilder};

use crate::{
    deb::compress::{self, Compression, Limits},
    shell::{
        Fatal, Process, Status, Work,
        files::show,
        options::{Arguments, parse},
    },
    tree::Node,
};

/// A compression by its functions.
pub(super) struct Coder {
    pub suffix: &'static [u8],
    pub encode: fn(Plain<'_>, u32) -> std::io::Result<Vec<u8>>,
    pub compression: Compression,
    /// Whether files stay where the compressed ones come.
    pub keeps: bool,
}

/// What is to be compressed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plain<'a> {
    /// A file, whose length is known before it is read.
    File(&'a [u8]),
    Stream(&'a [u8]),
}

impl<'a> Plain<'a> {
    pub(super) fn bytes(self) -> &'a [u8] {
        let (Self::File(bytes) | Self::Stream(bytes)) = self;
        bytes
    }
}

const CODER: Coder = Coder { suffix: b".gz", encode, compression: Compression::Gzip, keeps: false };

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "c stdout to-stdout",
            "d decompress uncompress",
            "q quiet",
            "f force",
            "k keep",
            "n no-name",
            "1 fast",
            "2",
            "3",
            "4",
            "5",
            "6",
            "7",
            "8",
            "9 best",
        ],
    )?;
    code(process, &arguments, &CODER, 6)
}

/// Compresses without name and time, as `-n` has it: both would be those of a file that scripts made a moment ago.
fn encode(plain: Plain<'_>, level: u32) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().operating_system(3).write(Vec::new(), Level::new(level));
    encoder.write_all(plain.bytes())?;
    encoder.finish()
}

/// No more than what may still be written is made; the error is a complaint.
fn plain_bytes(
    process: &mut Process<'_>,
    compression: Compression,
    input: &[u8],
) -> Result<Result<Vec<u8>, String>, Fatal> {
    let room = process.machine.room();
    let limits = Limits { output: room, ..Limits::PACKAGE };
    match compress::decode_to_vec(compression, input, &limits) {
        Err(compress::Error::TooLarge { limit }) => {
            // The steps, unless it is far too much for so short an input.
            process.machine.work(Work::Made(limit as usize + 32))?;
            Err(Fatal::Limit { what: "bytes out of a compressed file", limit })
        }
        coded => Ok(coded.map_err(|error| error.to_string())),
    }
}

/// The level that was asked for last: `-19` is one number, `-q9` a letter and a digit.
fn level(process: &Process<'_>, arguments: &Arguments, usual: u32) -> u32 {
    let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    let whole = process.arguments().iter().rev().find_map(|argument| number(argument.strip_prefix(b"-")?));
    let digit = || arguments.options.iter().rev().find_map(|(option, _)| number(option.as_bytes()));
    whole.or_else(digit).unwrap_or(usual)
}

/// Compresses or decompresses the operands, or standard input to standard output.
pub(super) fn code(
    process: &mut Process<'_>,
    arguments: &Arguments,
    coder: &Coder,
    usual: u32,
) -> Result<Status, Fatal> {
    let level = level(process, arguments, usual);
    let decode = arguments.has("d");
    let mut operands = arguments.operands.clone();
    if operands.is_empty() {
        operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for path in operands {
        let Some(input) = process.read_operand(&path)? else {
            status = Status::FAILURE;
            continue;
        };
        let plain = if path == b"-" { Plain::Stream(&input) } else { Plain::File(&input) };
        let coded = match decode {
            true => plain_bytes(process, coder.compression, &input)?,
            false => (coder.encode)(plain, level).map_err(|error| error.to_string()),
        };
        let done = match coded {
            Ok(coded) if arguments.has("c") || path == b"-" => {
                process.out(&coded)?;
                Ok(())
            }
            Ok(coded) => replace(process, &path, coded, coder, arguments),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            process.complain(&format!("{}: {error}", show(&path)))?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

/// Makes the new file with the old one's metadata, and removes that unless it is to stay.
fn replace(
    process: &mut Process<'_>,
    path: &[u8],
    coded: Vec<u8>,
    coder: &Coder,
    arguments: &Arguments,
) -> Result<(), String> {
    let target = match (arguments.has("d"), path.strip_suffix(coder.suffix)) {
        (true, Some(plain)) => plain.to_vec(),
        (true, None) => return Err("unknown suffix -- ignored".to_owned()),
        (false, Some(_)) if !arguments.has("f") && !coder.keeps => return Err("already has the suffix".to_owned()),
        (false, _) => [path, coder.suffix].concat(),
    };
    let text = |error: crate::tree::PathError| error.to_string();
    if process.lookup_no_follow(&target).is_ok() {
        if !arguments.has("f") {
            return Err(format!("{} already exists; not overwritten", show(&target)));
        }
        process.machine.tree.unlink(&process.absolute(&target)).map_err(text)?;
    }
    let id = process.lookup(path).map_err(text)?;
    let stat = process.inode(id).stat.clone();
    process.machine.has_worked(Work::Made(coded.len()));
    let made = process.create(&target, 0o600, Node::Regular(coded.into())).map_err(text)?;
    *process.machine.tree.stat_mut(made) = stat;
    let keep = arguments.has("k") || (coder.keeps && !arguments.has("rm"));
    if !keep {
        process.machine.tree.unlink(&process.absolute(path)).map_err(text)?;
    }
    Ok(())
}
