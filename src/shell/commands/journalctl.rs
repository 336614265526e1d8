//! journalctl, as far as packages call it: `--update-catalog`.

use super::systemd_hwdb::{config_files, write};
use crate::{
    catalog::{Catalog, Error},
    shell::{Fatal, Process, Status, files::show, options},
};

const FOLDERS: [&str; 2] = ["/usr/local/lib/systemd/catalog", "/usr/lib/systemd/catalog"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["update-catalog", "root="])?;
    if !arguments.has("update-catalog") || !arguments.operands.is_empty() {
        return Err(process.not_modelled("anything but --update-catalog"));
    }
    let root = arguments.value("root").map_or(b"".as_slice(), |root| root.strip_suffix(b"/").unwrap_or(root)).to_vec();
    let mut catalog = Catalog::default();
    for (name, path) in config_files(process, &root, &FOLDERS, b".catalog") {
        let Ok(text) = process.read_file(&path) else { continue };
        match catalog.add(&name, &text) {
            Ok(()) => {}
            // The real program joins the two.
            Err(error @ Error::Twice(_)) => return Err(process.not_modelled(format!("{}: {error}", show(&path)))),
            Err(error) => return process.fail(&format!("{}: {error}", show(&path))),
        }
    }
    if catalog.is_empty() {
        process.write(2, b"No items in catalog.\n")?;
        return Ok(Status::SUCCESS);
    }
    write(process, &root, b"/var/lib/systemd/catalog", b"database", 0o644, catalog.database())?;
    Ok(Status::SUCCESS)
}
