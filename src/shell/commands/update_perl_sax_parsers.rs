//! update-perl-sax-parsers: which of Perl's modules parse XML. What a parser can do only its own code says: those of Debian 12 are
//! a table, and another is an error.

use crate::shell::{Fatal, Process, Status, files::join, files::names, options};

/// What each of the known parsers says that it can do.
const FEATURES: &str = "http://xml.org/sax/features/namespaces = 1\n";
const PARSERS: [&str; 3] = ["XML::SAX::PurePerl", "XML::LibXML::SAX", "XML::LibXML::SAX::Parser"];

const FOLDER: &[u8] = b"/var/lib/libxml-sax-perl/ParserDetails.d";
const FILE: &[u8] = b"/etc/perl/XML/SAX/ParserDetails.ini";
const SUMS: &[u8] = b"/var/lib/libxml-sax-perl/ParserDetails.ini.md5sum";
const SCRATCH: &[u8] = b"/tmp/update-perl-sax-parsers";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["add=", "priority=", "quiet", "remove=", "update"])?;
    let quiet = arguments.has("quiet");
    let priority = String::from_utf8_lossy(arguments.value("priority").unwrap_or(b"50")).into_owned();
    let file = |name: &str| match priority.as_str() {
        "0" => join(FOLDER, name.as_bytes()),
        _ => join(FOLDER, format!("{priority}-{name}").as_bytes()),
    };
    let say = |process: &mut Process<'_>, what: &str| {
        let line = format!("update-perl-sax-parsers: {what}...\n");
        if quiet { Ok(()) } else { process.out(line.as_bytes()) }
    };
    let failed = |process: &Process<'_>, error: crate::tree::PathError| process.not_modelled(error.to_string());
    if let Some(name) = arguments.value("add") {
        let name = String::from_utf8_lossy(name).into_owned();
        if !PARSERS.contains(&name.as_str()) {
            return Err(process.not_modelled(format!("the parser {name}, which only its own code can describe,")));
        }
        say(process, &format!("Registering Perl SAX parser {name} with priority {priority}"))?;
        let text = format!("[{name}]\n{FEATURES}\n\n");
        process.write_file(&file(&name), text.into_bytes()).map_err(|error| failed(process, error))?;
    } else if let Some(name) = arguments.value("remove") {
        let name = String::from_utf8_lossy(name).into_owned();
        say(process, &format!("Unregistering Perl SAX parser {name} with priority {priority}"))?;
        let _ = process.machine.tree.unlink(&file(&name));
    } else if arguments.has("update") {
        say(process, "Updating overall Perl SAX parser modules info file")?;
        let mut text = Vec::new();
        for name in names(process, FOLDER).unwrap_or_default() {
            text.extend(process.read_file(&join(FOLDER, &name)).map_err(|error| failed(process, error))?);
        }
        super::glib::replace(process, SCRATCH, text)?;
        let ucf = [b"ucf".as_slice(), b"--debconf-ok", b"--sum-file", SUMS, SCRATCH, FILE];
        process.run(ucf.map(<[u8]>::to_vec).to_vec())?;
        let _ = process.machine.tree.unlink(SCRATCH);
    }
    Ok(Status::SUCCESS)
}
