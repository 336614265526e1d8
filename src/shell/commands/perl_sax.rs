//! `update-perl-sax-parsers` of libxml-sax-perl: a file for each parser, and all of them in one.

use crate::{
    shell::{
        Fatal, Process, Status,
        files::{join, show},
        options::{Arguments, parse},
    },
    tree::Node,
};

const FOLDER: &[u8] = b"/var/lib/libxml-sax-perl/ParserDetails.d";
const FILE: &[u8] = b"/etc/perl/XML/SAX/ParserDetails.ini";
const SUMS: &[u8] = b"/var/lib/libxml-sax-perl/ParserDetails.ini.md5sum";

/// Parsers whose features are known; a parser says them by itself, in Perl.
const NAMESPACES: [&[u8]; 3] = [b"XML::LibXML::SAX", b"XML::LibXML::SAX::Parser", b"XML::SAX::PurePerl"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["add=", "remove=", "update", "quiet", "priority=", "ucf="])?;
    let action = |text: &str| format!("update-perl-sax-parsers: {text}...\n");
    let priority = arguments.value("priority").unwrap_or(b"50").to_vec();
    let text = if let Some(parser) = arguments.value("add") {
        action(&format!("Registering Perl SAX parser {} with priority {}", show(parser), show(&priority)))
    } else if let Some(parser) = arguments.value("remove") {
        action(&format!("Unregistering Perl SAX parser {} with priority {}", show(parser), show(&priority)))
    } else if arguments.has("update") {
        action("Updating overall Perl SAX parser modules info file")
    } else {
        return Ok(Status::SUCCESS);
    };
    if !arguments.has("quiet") {
        process.out(text.as_bytes())?;
    }
    let file = |parser: &[u8]| match priority.as_slice() {
        b"0" => join(FOLDER, parser),
        priority => join(FOLDER, &[priority, b"-", parser].concat()),
    };
    if let Some(parser) = arguments.value("add") {
        return add(process, parser, &file(parser));
    }
    if let Some(parser) = arguments.value("remove") {
        // That it is not there is no error.
        let _ = process.machine.tree.unlink(&file(parser));
        return Ok(Status::SUCCESS);
    }
    update(process, &arguments)
}

fn add(process: &mut Process<'_>, parser: &[u8], file: &[u8]) -> Result<Status, Fatal> {
    if !NAMESPACES.contains(&parser) {
        return Err(process.not_modelled(format!("the parser `{}`", show(parser))));
    }
    let text = [b"[", parser, b"]\nhttp://xml.org/sax/features/namespaces = 1\n\n\n"].concat();
    match process.write_file(file, text) {
        Ok(_) => Ok(Status::SUCCESS),
        Err(error) => cannot_write(process, file, &error.errno.to_string()),
    }
}

fn cannot_write(process: &mut Process<'_>, file: &[u8], reason: &str) -> Result<Status, Fatal> {
    process.fail(&format!("Cannot write to {}: {reason}", show(file)))
}

/// All parsers' files in one, in the order of their names; ucf puts it in its place.
fn update(process: &mut Process<'_>, arguments: &Arguments) -> Result<Status, Fatal> {
    let mut text = Vec::new();
    let Ok(id) = process.lookup(FOLDER) else {
        return process.fail(&format!("Cannot access {}: No such file or directory", show(FOLDER)));
    };
    let names: Vec<_> = match &process.inode(id).node {
        Node::Directory(entries) => entries.keys().map(|name| name.as_bytes().to_vec()).collect(),
        _ => return process.fail(&format!("Cannot access {}: Not a directory", show(FOLDER))),
    };
    for name in names {
        text.extend_from_slice(&process.read_file(&join(FOLDER, &name)).unwrap_or_default());
    }
    let by_ucf = arguments.value("ucf") != Some(b"0");
    let file = match by_ucf {
        true => [b"/tmp/", process.machine.temporary_suffix(10).as_bytes()].concat(),
        false => FILE.to_vec(),
    };
    if let Err(error) = process.write_file(&file, text) {
        return cannot_write(process, &file, &error.errno.to_string());
    }
    if by_ucf {
        let words = [b"ucf".as_slice(), b"--debconf-ok", b"--sum-file", SUMS, &file, FILE];
        process.run(words.map(<[u8]>::to_vec).to_vec())?;
        // ucf may have moved it.
        let _ = process.machine.tree.unlink(&file);
    }
    Ok(Status::SUCCESS)
}
