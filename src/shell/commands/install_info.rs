//! install-info: adds a manual's entries to the index of manuals.

use std::io::Read;

use crate::{
    info_dir,
    shell::{Fatal, Process, Status, files::show, options},
};

/// Bytes that a manual may have.
const LIMIT: u64 = 1 << 28;
/// The program calls files of fewer bytes empty.
const SHORTEST: usize = 13;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["quiet silent"])?;
    let [manual, dir] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than a manual and a dir file"));
    };
    if process.lookup(dir).is_err() {
        let made = process.write_file(dir, info_dir::EMPTY.into());
        made.map_err(|error| process.not_modelled(error.to_string()))?;
    }
    let old = process.read_file(dir).map_err(|error| process.not_modelled(error.to_string()))?;
    let Ok(bytes) = process.read_file(manual) else {
        return process.fail(&format!("No such file or directory for {}", show(manual)));
    };
    if bytes.len() < SHORTEST {
        return process.fail(&format!("{}: empty file", show(manual)));
    }
    let text = match bytes.as_ref() {
        [0x1f, 0x8b, ..] => {
            let mut text = Vec::new();
            let mut reader = flate2::read::MultiGzDecoder::new(bytes.as_ref()).take(LIMIT);
            let read = reader.read_to_end(&mut text);
            read.map_err(|error| process.not_modelled(format!("{}, which is damaged ({error}),", show(manual))))?;
            text
        }
        [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', ..] | [b'L', b'Z', b'I', ..] => {
            return Err(process.not_modelled("a manual that is not compressed by gzip"));
        }
        text => text.to_vec(),
    };
    match info_dir::add(&old, &text) {
        Ok(Some(new)) => {
            process.write_file(dir, new).map_err(|error| process.not_modelled(error.to_string()))?;
            Ok(Status::SUCCESS)
        }
        Ok(None) if arguments.has("quiet") => Ok(Status::SUCCESS),
        Ok(None) => {
            process.complain(&format!("warning: no info dir entry in `{}'", show(manual)))?;
            Ok(Status::SUCCESS)
        }
        Err(error @ info_dir::Error::Unmatched) => process.fail(&error.to_string()),
        Err(error) => Err(process.not_modelled(error.to_string())),
    }
}
