//! What each kind of step places on the target.

use super::{
    LoadFault, Source, extract,
    host::{self, Entry, Placed},
    template,
};
use crate::manifest::overlay::{Mode, Step, steps};

fn text_file(path: &str, text: impl Into<String>, mode: Option<Mode>) -> Placed {
    Placed::file(path, text.into().into_bytes(), mode.map_or(0o644, |mode| mode.0))
}

/// What a step brings along, parents first, and who is to own it.
// table: one arm a kind of step that places something
pub(super) fn of<'a>(source: &Source<'_>, step: &'a Step) -> Result<(Vec<Placed>, Option<&'a str>), LoadFault> {
    Ok(match step {
        Step::File(step) => (vec![text_file(&step.path, &step.text, step.mode)], step.owner.as_deref()),
        Step::Copy(step) => (host::copied(source, &step.from, &step.to, step.mode)?, step.owner.as_deref()),
        Step::Template(step) => {
            let text = String::from_utf8(host::read(source, &step.from)?);
            let text = text.map_err(|_| LoadFault::NoText(step.from.clone()))?;
            let filled = template::fill(&text, &step.marks, &step.values)?;
            (vec![text_file(&step.to, filled, step.mode)], step.owner.as_deref())
        }
        Step::Artifact(step) => {
            let bytes = host::artifact(source, &step.from, step.sha256, step.sha512)?;
            let mode = step.mode.map_or(0o644, |mode| mode.0);
            (vec![Placed::file(step.to.as_str(), bytes, mode)], step.owner.as_deref())
        }
        Step::Extract(step) => (extract::placed(source, step)?, step.owner.as_deref()),
        Step::Symlink(steps::Symlink { path, target }) => {
            (vec![Placed { path: path.clone().into(), entry: Entry::Symlink(target.clone().into()) }], None)
        }
        Step::DropIn(steps::DropIn { unit, text, name }) => {
            (vec![text_file(&format!("/etc/systemd/system/{unit}.d/{name}"), text, None)], None)
        }
        Step::Locale(step) => {
            let lines = step.variables.iter().map(|(name, value)| format!("{name}={value}\n"));
            let text = std::iter::once(format!("LANG={}\n", step.lang)).chain(lines).collect::<String>();
            (vec![text_file("/etc/default/locale", text, None)], None)
        }
        Step::AptPin(steps::AptPin { name, packages, pin, priority }) => {
            let text = format!("Package: {}\nPin: {pin}\nPin-Priority: {priority}\n", packages.join(" "));
            (vec![text_file(&format!("/etc/apt/preferences.d/{name}.pref"), text, None)], None)
        }
        Step::AptSource(step) => (apt_source(source, step)?, None),
        Step::Initramfs(step) => (initramfs(source, step)?, None),
        Step::CaCertificates(step) => {
            let placed = step.add.iter().map(|file| certificate(source, file));
            (placed.collect::<Result<_, _>>()?, None)
        }
        _ => (Vec::new(), None),
    })
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn apt_source(source: &Source<'_>, step: &steps::AptSource) -> Result<Vec<Placed>, LoadFault> {
    let mut placed = Vec::new();
    let mut key = step.signed_by.clone();
    if !key.starts_with('/') {
        let bytes = host::read(source, &step.signed_by)?;
        let ending = if bytes.starts_with(b"-----BEGIN PGP") { "asc" } else { "gpg" };
        key = format!("/etc/apt/keyrings/{}.{ending}", step.name);
        placed.push(Placed::file(key.as_str(), bytes, 0o644));
    }
    let mut text = format!("Types: deb\nURIs: {}\nSuites: {}\n", step.uris.join(" "), step.suites.join(" "));
    if !step.components.is_empty() {
        text += &format!("Components: {}\n", step.components.join(" "));
    }
    text += &format!("Signed-By: {key}\n");
    placed.push(text_file(&format!("/etc/apt/sources.list.d/{}.sources", step.name), text, None));
    Ok(placed)
}

fn initramfs(source: &Source<'_>, step: &steps::Initramfs) -> Result<Vec<Placed>, LoadFault> {
    let hooks = step.hooks.iter().map(|file| (file, format!("/etc/initramfs-tools/hooks/{}", last(file))));
    let scripts = step.scripts.iter().map(|(place, file)| (file, format!("/etc/initramfs-tools/scripts/{place}")));
    hooks.chain(scripts).map(|(file, path)| Ok(Placed::file(path, host::read(source, file)?, 0o755))).collect()
}

fn certificate(source: &Source<'_>, file: &str) -> Result<Placed, LoadFault> {
    let bytes = host::read(source, file)?;
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        return Err(LoadFault::NoCertificate(file.to_owned()));
    }
    // update-ca-certificates takes files with this ending alone.
    let name = last(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Ok(Placed::file(format!("/usr/local/share/ca-certificates/{stem}.crt"), bytes, 0o644))
}
