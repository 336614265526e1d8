//! xz: only back to plain bytes. What xz itself would make of them is not known to the byte.

use crate::{
    deb::compress::Compression,
    shell::{
        Fatal, Process, Status,
        commands::gzip::{Coder, Plain, code},
        options::parse,
    },
};

const CODER: Coder = Coder { suffix: b".xz", encode, compression: Compression::Xz, keeps: false };

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &["d decompress uncompress", "c stdout to-stdout", "q quiet", "f force", "k keep", "T threads="];
    let mut arguments = parse(process, table)?;
    // By its name.
    let decodes = match process.name() {
        b"unxz" => &["d"] as &[_],
        b"xzcat" => &["d", "c"],
        _ => &[],
    };
    arguments.options.extend(decodes.iter().map(|option| (*option, Vec::new())));
    if !arguments.has("d") {
        return Err(process.not_modelled("compression"));
    }
    code(process, &arguments, &CODER, 6)
}

fn encode(_plain: Plain<'_>, _level: u32) -> std::io::Result<Vec<u8>> {
    Err(std::io::ErrorKind::Unsupported.into())
}
