//! update-language and its other names: TeX's lists of hyphenation patterns. Without TeX Live there are none to make; with it the
//! real program writes them in the order of a hash of Perl, which is another each time.

use crate::{
    dpkg::state::State,
    shell::{Fatal, Process, Status, dpkg, options},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    options::parse(process, &["checks", "quiet q"])?;
    let found = dpkg::with_packages(process, |_, database| {
        let installed = |id: &crate::dpkg::database::PackageId| database.get(*id).state == State::Installed;
        Ok(database.instances("texlive-base").iter().any(installed))
    });
    if !matches!(found, Ok(false)) {
        return Err(process.not_modelled("TeX Live"));
    }
    let name = String::from_utf8_lossy(process.name()).into_owned();
    process.out(format!("{name}: texlive-base not installed and configured, doing nothing!\n").as_bytes())?;
    Ok(Status::SUCCESS)
}
