//! Ad-hoc trees: packages named on the command line into a folder, an archive or a file system.

use std::path::{Path, PathBuf};

use super::{
    PipelineError, Result, Session,
    answer::{self, Answer},
    archive::{self, Offer},
    assemble, base,
    local::{self, LocalDeb},
    mirrors,
};
use crate::{
    fetch::{self, Wanted},
    label,
    manifest::{base::Base, image::Ids, skip::Skip},
    output::{self, Kind, LeftOut},
    progress::{Event, Unit},
    resolve::{Request, Resolver},
    tree::Tree,
};

/// A request as it was typed.
#[derive(Clone, Debug)]
pub struct Asked {
    pub base: String,
    pub packages: Vec<String>,
    pub recommends: bool,
    /// Ask for the packages that are marked Essential first.
    pub essential: bool,
    /// Ask for those of Priority: required, too.
    pub required: bool,
}

/// One package of an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Named {
    pub name: String,
    pub version: String,
    pub architecture: String,
}

#[derive(Clone, Debug)]
pub struct Rootfs {
    pub asked: Asked,
    pub form: Kind,
    /// Scripts that are not run.
    pub skips: Vec<Skip>,
    /// Must not exist.
    pub output: PathBuf,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    pub packages: usize,
    pub paths: usize,
    pub bytes: u64,
    pub notes: Vec<String>,
}

/// The packages that apt would install for a request, by name.
pub fn resolve(session: &Session<'_>, asked: &Asked) -> Result<Vec<Named>> {
    Ok(answer(session, asked, &base(session.project, &asked.base)?)?.named)
}

/// What a request comes to, as it was found before or is found now.
fn answer(session: &Session<'_>, asked: &Asked, base: &Base) -> Result<Answer> {
    let indexes = archive::verified(session, base, None)?;
    (session.progress)(Event::Stage { name: "resolve", unit: Unit::Packages, total: 0 });
    let files = asked.packages.iter().filter(|text| local::is_path(text));
    let own = files.map(|path| LocalDeb::read(session, Path::new(""), path)).collect::<Result<Vec<_>>>()?;
    let key = answer::key(base, &indexes, asked, &own);
    if let Some(answer) = answer::known(session, &key) {
        return Ok(answer);
    }
    let answer = solve(asked, base, &Offer::of(indexes)?, &own)?;
    answer::keep(session, &key, &answer)?;
    Ok(answer)
}

fn solve(asked: &Asked, base: &Base, offer: &Offer, own: &[LocalDeb]) -> Result<Answer> {
    let universe = offer.universe(base, own)?;
    let named = asked.packages.iter().filter(|text| !local::is_path(text));
    let mut roots = named.map(|text| text.parse().map_err(PipelineError::root)).collect::<Result<Vec<_>>>()?;
    roots.extend(own.iter().map(LocalDeb::root));
    let request =
        Request { roots: &roots, essential: asked.essential, required: asked.required, recommends: asked.recommends };
    let solution = Resolver::new(&universe, &base.pins).solve(&request)?;
    let named = solution.packages.values().map(|chosen| Named {
        name: chosen.stanza.name.to_owned(),
        version: chosen.stanza.version.to_owned(),
        architecture: chosen.stanza.architecture.to_owned(),
    });
    let wanted = solution.packages.values().map(|chosen| Wanted {
        path: chosen.stanza.file.path.to_owned(),
        size: chosen.stanza.file.size,
        sha256: chosen.stanza.file.sha256,
        archive: chosen.origin.archive.clone(),
    });
    Ok(Answer { named: named.collect(), wanted: wanted.collect() })
}

/// Resolves, fetches, installs and writes.
pub fn rootfs(session: &Session<'_>, rootfs: &Rootfs) -> Result<Written> {
    let base = base(session.project, &rootfs.asked.base)?;
    let Answer { wanted, .. } = answer(session, &rootfs.asked, &base)?;
    fetch::files(session.net, session.store, &wanted, &mirrors(session, &base)?)?;
    let sums: Vec<_> = wanted.iter().map(|file| file.sha256).collect();
    let layers = assemble::layers(session, &sums, &|sum| {
        wanted.iter().find(|file| file.sha256 == *sum).map(|file| file.path.clone())
    })?;
    let options = assemble::options(
        session,
        (&base.architecture, base.foreign.clone()),
        rootfs.skips.clone(),
        &[],
        &Ids::default(),
    );
    let tree = assemble::configured(session, &layers, &options)?;
    let output = &rootfs.output;
    let mut notes: Vec<String> = label::uncompiled(&tree).iter().map(|policy| label::note(policy)).collect();
    let written = match rootfs.form {
        Kind::Folder => {
            (session.progress)(Event::Stage { name: "write", unit: Unit::Bytes, total: 0 });
            output::folder(&tree, output).map(|left| notes.extend(left_out(&left)))
        }
        Kind::Tar => output::tar(&tree, output, session.progress),
        Kind::TarZst => output::tar_zst(&tree, output::ZSTD_LEVEL, output, session.progress),
        Kind::Ext4 => output::ext4(&tree, session.epoch, output, session.progress),
    };
    written.map_err(|error| PipelineError::Writing(output.display().to_string(), Box::new(error)))?;
    let bytes = if output.is_file() { output.metadata()?.len() } else { content_len(&tree) };
    Ok(Written { packages: layers.len(), paths: tree.walk().count(), bytes, notes })
}

/// What an ordinary user's folder lacks.
fn left_out(left: &LeftOut) -> Option<String> {
    let parts = [
        (left.owners, "owners"),
        (left.privileges, "setuid or setgid bits"),
        (left.devices, "device nodes"),
        (left.xattrs, "extended attributes"),
    ];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let all = parts.join(", ");
    (!parts.is_empty()).then(|| format!("only root can give a folder {all}; an archive or ext4 image has them"))
}

fn content_len(tree: &Tree) -> u64 {
    tree.walk().map(|visit| tree.get(visit.id).size()).sum()
}
