//! From a lock to the files of an image.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    PipelineError, Result, Session, assemble, base, fetch, image_file,
    inject::{self, Inject, Injected},
    read_lock,
};
use crate::{
    boot,
    cause::Cause,
    digest::{Hasher, Sha256},
    image::{self, ImageError, Sources, Written},
    label::{self, Labelled},
    lock::Lock,
    manifest::{
        image::{Image, ImageBase},
        project::Target,
        size::Bytes,
        skip::Skip,
    },
    nearest::nearest,
    output, overlay,
    progress::{Event, Unit},
    tree::{Content, Node, Stat, Tree},
};

/// What is to be built.
#[derive(Clone, Debug)]
pub struct Build {
    pub target: Target,
    pub base: String,
    /// Text of version.txt; a digest of everything that goes in when it is not given.
    pub version: Option<String>,
    /// Files that are put into the finished tree, after all that could depend on them.
    pub inject: Vec<Inject>,
    /// An empty folder for the files.
    pub folder: PathBuf,
}

/// What was built.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Built {
    pub target: String,
    pub base: String,
    pub version: String,
    pub packages: usize,
    pub paths: usize,
    pub injected: Vec<Injected>,
    pub partitions: Vec<Written>,
    /// Name, bytes and sha256 of every file.
    pub files: BTreeMap<String, (u64, Sha256)>,
    /// Scripts that were not run, and why.
    pub skipped: Vec<Skip>,
    /// SELinux labels, when the image has them.
    pub labels: Option<Labelled>,
    /// What the image lacks although its packages would have made it elsewhere.
    pub notes: Vec<String>,
}

/// Builds a target into `build.folder`.
pub fn build(session: &Session<'_>, build: &Build) -> Result<Built> {
    let root = root(session, &build.target, &build.base, build.version.clone(), &build.inject, false)?;
    let Root { lock, image, config, version, tree, report, injected, labels } = root;
    let loader = assemble::loader(session, &lock)?;
    let loader_definition = &image.bases[&build.base].loader;
    let esp = config.esp_tree(loader_definition, session.epoch, |path| loader.get(path.as_bytes()).cloned())?;
    let grub = config.grub_tree(session.epoch)?;

    let disk = build.folder.join("disk.img");
    let sources = Sources { root: &tree, loader: &esp, grub: &grub };
    let partitions = image::write(&image.disk, sources, session.epoch, &disk, session.progress)
        .map_err(|error| too_large(error, &report))?;
    let stat = Stat::root(0o644, session.epoch.timestamp());
    let archive = build.folder.join("disk-img.tar.zst");
    output::sparse_tar_zst(&disk, b"disk.img", &stat, output::ZSTD_LEVEL, &archive, session.progress)?;
    fs_err::write(build.folder.join("version.txt"), format!("{version}\n"))?;
    let files = sums(&build.folder)?;
    Ok(Built {
        target: build.target.to_string(),
        base: build.base.clone(),
        version,
        packages: report.packages,
        paths: tree.walk().count(),
        injected,
        partitions,
        files,
        skipped: lock.skips.iter().cloned().collect(),
        labels,
        notes: label::uncompiled(&tree).iter().map(|policy| label::note(policy)).collect(),
    })
}

/// An image's root tree, and what else comes out of its definitions.
pub(super) struct Root {
    pub(super) lock: Lock,
    image: Image,
    config: boot::Config,
    version: String,
    pub(super) tree: Tree,
    report: assemble::Report,
    injected: Vec<Injected>,
    labels: Option<Labelled>,
}

/// Fetches what is missing and makes the root tree; with a journal, it can tell who made what.
pub(super) fn root(
    session: &Session<'_>,
    target: &Target,
    base_name: &str,
    version: Option<String>,
    inject: &[Inject],
    journal: bool,
) -> Result<Root> {
    let (lock, lock_text) = read_lock(session.project, base_name, target)?;
    let (image, image_text) = session.project.image(&target.os)?;
    let definition = base(session.project, base_name)?;
    fetch(session, &definition, &lock)?;
    let overlays = load_overlays(session, &image, target)?;
    let (config, arguments) = boot_files(session, &image, base_name, target)?;
    let late = inject::read(inject)?;
    let version = version.unwrap_or_else(|| default_version(session, &[lock_text, image_text], &overlays, &late));
    let (mut tree, report) = assemble::tree(session, &image, &lock, &overlays, journal)?;
    tree.enter(|| Cause::Build);
    let injected = inject::place(&mut tree, late, session.epoch)?;
    finish(session, &mut tree, &version, &config.boot_args(&arguments)?)?;
    let labels = label(session, &image, base_name, &mut tree)?;
    tree.leave();
    label::check_policy(&tree, &arguments)?;
    Ok(Root { lock, image, config, version, tree, report, injected, labels })
}

/// Sets SELinux's labels where the base asks for them.
fn label(session: &Session<'_>, image: &Image, base_name: &str, tree: &mut Tree) -> Result<Option<Labelled>> {
    let Some(selinux) = image.bases.get(base_name).and_then(|base| base.selinux.as_ref()) else { return Ok(None) };
    (session.progress)(Event::Stage { name: "label", unit: Unit::Packages, total: 0 });
    Ok(Some(label::apply(tree, &selinux.labels)?))
}

pub(super) fn load_overlays(session: &Session<'_>, image: &Image, target: &Target) -> Result<Vec<overlay::Loaded>> {
    let variants = session.project.targets()?.into_iter().map(|target| target.variant).collect();
    let load = |name: &String| {
        if !session.project.overlay(name).join("overlay.toml").is_file() {
            return Err(unknown_overlay(session, target, name)?);
        }
        let source = overlay::Source {
            folder: &session.project.overlay(name),
            variant: &target.variant,
            variants: &variants,
            stored: &|sum| session.store.deb(sum),
        };
        Ok(overlay::load(name, &source)?)
    };
    image.variants[&target.variant].overlays.iter().map(load).collect()
}

/// The error that a target names an overlay that is not there.
fn unknown_overlay(session: &Session<'_>, target: &Target, name: &str) -> Result<PipelineError> {
    let all = session.project.overlays()?;
    let known = all.iter().filter_map(|folder| folder.file_name()?.to_str());
    let close = nearest(name, known, 1).into_iter().map(str::to_owned).collect();
    let (file, variant) = (image_file(&target.os), target.variant.clone());
    Ok(PipelineError::UnknownOverlay { file, variant, overlay: name.to_owned(), nearest: close })
}

/// A target's boot files and kernel arguments, which must go with its disk.
pub(super) fn boot_files<'a>(
    session: &Session<'_>,
    image: &'a Image,
    base: &str,
    target: &Target,
) -> Result<(boot::Config, Vec<&'a str>)> {
    let arguments = arguments(image, base, target)?;
    let config = boot::load(&session.project.bootloader(), &image.boot.config)?;
    config.check(&image.disk, &arguments)?;
    Ok((config, arguments))
}

/// The kernel arguments of image, base and variant, in this order.
fn arguments<'a>(image: &'a Image, base: &str, target: &Target) -> Result<Vec<&'a str>> {
    let of_base = of_base(image, base)?;
    let of_variant = &image.variants[&target.variant];
    let all = image.boot.arguments.iter().chain(&of_base.arguments).chain(&of_variant.arguments);
    Ok(all.map(String::as_str).collect())
}

/// What an image takes from a base.
pub(super) fn of_base<'a>(image: &'a Image, base: &str) -> Result<&'a ImageBase> {
    image.bases.get(base).ok_or_else(|| PipelineError::NotForBase {
        file: image_file(&image.name),
        base: base.to_owned(),
        known: image.bases.keys().cloned().collect(),
    })
}

/// A name for these inputs: it changes when any of them does.
fn default_version(
    session: &Session<'_>,
    texts: &[String; 2],
    overlays: &[overlay::Loaded],
    late: &[inject::Late],
) -> String {
    let mut hasher = Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    texts.iter().for_each(|text| add(text.as_bytes()));
    add(&session.epoch.seconds().to_le_bytes());
    for overlay in overlays {
        add(overlay.digest().to_string().as_bytes());
    }
    for late in late {
        add(late.summary().as_bytes());
    }
    hasher.finish().to_string()[..40].to_owned()
}

/// Files that come last, so that nothing else depends on them.
fn finish(session: &Session<'_>, tree: &mut Tree, version: &str, boot_args: &str) -> Result<()> {
    let stat = |mode| Stat::root(mode, session.epoch.timestamp());
    let folder = stat(0o755);
    for (path, text) in [
        ("/opt/ic/share/version.txt", format!("{version}\n")),
        ("/boot/version.txt", format!("{version}\n")),
        ("/boot/boot_args", boot_args.to_owned()),
    ] {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let place = |source| PipelineError::Image(ImageError::Tree { partition: path.to_owned(), source });
        tree.create_dir_all(parent.as_bytes(), &folder).map_err(place)?;
        let node = Node::Regular(Content::from(text.into_bytes()));
        tree.create(path.as_bytes(), stat(0o644), node).map_err(place)?;
    }
    Ok(())
}

/// Adds the largest packages to an error about a partition that is too small.
fn too_large(error: ImageError, report: &assemble::Report) -> PipelineError {
    match &error {
        ImageError::TooLarge { partition, .. } => {
            let mut sizes = report.sizes.clone();
            sizes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let biggest = sizes.iter().take(5).map(|(name, size)| format!("{name} ({})", Bytes(*size))).collect();
            PipelineError::TooLarge { partition: partition.clone(), biggest, source: error }
        }
        _ => error.into(),
    }
}

/// Writes SHA256SUMS over the files that are passed on, in the form of sha256sum. The raw disk is not among them: it is what the
/// archive holds, and reading its 40 GB of zeros would take longer than the build.
fn sums(folder: &Path) -> Result<BTreeMap<String, (u64, Sha256)>> {
    let mut files = BTreeMap::new();
    for name in ["disk-img.tar.zst", "version.txt"] {
        let path = folder.join(name);
        files.insert(name.to_owned(), (path.metadata()?.len(), output::file_digest(&path)?));
    }
    let lines: String = files.iter().map(|(name, (_, sum))| format!("{sum}  {name}\n")).collect();
    fs_err::write(folder.join("SHA256SUMS"), lines)?;
    Ok(files)
}
