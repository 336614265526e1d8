//! Configuration files put in place when their package is configured.

use md5::{Digest, Md5};

use super::{Error, Run};
use crate::{
    cause::Cause,
    dpkg::{
        database::PackageId,
        diversions::{self, Diversions},
        package::NEW_CONFFILE,
        state::State,
    },
    tree::{Errno, Node, PathError},
    unpack,
};

/// Links followed to find where a configuration file really is.
const MAX_LINKS: usize = 25;

impl Run<'_> {
    /// Moves each new version of a package's configuration files into its place, unless the same is there.
    pub(super) fn place_conffiles(&mut self, id: PackageId) -> Result<(), Error> {
        for index in 0..self.package(id).conffiles.len() {
            let conffile = &self.package(id).conffiles[index];
            if conffile.obsolete || conffile.remove_on_upgrade {
                continue;
            }
            let path = conffile.path.clone();
            let package = self.package(id).name.as_str().into();
            self.machine.tree.enter(|| Cause::Conffile { package });
            let placed = self.place_conffile(id, &path)?;
            self.machine.tree.leave();
            if let Some(md5) = placed {
                self.database_mut().get_mut(id).conffiles[index].md5 = md5;
            }
        }
        Ok(())
    }

    /// Places one file; returns the sum to be remembered, if there is a new version.
    fn place_conffile(&mut self, id: PackageId, path: &[u8]) -> Result<Option<String>, Error> {
        let package = self.package(id).name.clone();
        let failed = |source| unpack::Error::Package { package: package.clone(), source };
        let diverted = Diversions::parse(&self.optional(diversions::PATH)?.unwrap_or_default());
        let diverted = diverted.map_err(|error| failed(error.into()))?;
        let name = diverted.installed_as(path, package.as_bytes()).to_vec();
        let place = self.real_place(&name)?;
        let new = [place.as_slice(), b".dpkg-new"].concat();
        let Some(distributed) = self.optional(&new)? else { return Ok(self.shared_sum(id, path)) };
        let sum = hex(&distributed);
        if self.optional(&place)?.is_some_and(|current| hex(&current) == sum) {
            self.machine.tree.unlink(&new)?;
            self.note_kept(&place);
            return Ok(Some(sum));
        }
        if self.optional(&place)?.is_some() {
            // dpkg asks, and when nobody answers it keeps what a script wrote.
            let dist = [place.as_slice(), b".dpkg-dist"].concat();
            self.machine.tree.rename(&new, &dist)?;
            self.note_kept(&place);
        } else {
            self.machine.tree.rename(&new, &place)?;
        }
        self.activate_path(&String::from_utf8_lossy(&name), Some(id))?;
        Ok(Some(sum))
    }

    fn note_kept(&mut self, place: &[u8]) {
        if let Ok(inode) = self.machine.tree.lookup(place) {
            self.machine.tree.note_kept(inode);
        }
    }

    /// The sum that another architecture's package of this name has put in place.
    fn shared_sum(&self, id: PackageId, path: &[u8]) -> Option<String> {
        let database = self.database();
        let others = database.instances(&database.get(id).name).iter().filter(|other| **other != id);
        let configured = others.filter(|other| database.get(**other).state > State::HalfConfigured);
        let mut conffiles = configured.flat_map(|other| &database.get(*other).conffiles);
        conffiles.find(|conffile| conffile.path == path && conffile.md5 != NEW_CONFFILE).map(|found| found.md5.clone())
    }

    fn optional(&self, path: &[u8]) -> Result<Option<bytes::Bytes>, PathError> {
        match self.machine.tree.read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.errno, Errno::NotFound | Errno::NotDirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where a configuration file is when links that stand in its place are followed.
    fn real_place(&self, path: &[u8]) -> Result<Vec<u8>, Error> {
        let mut place = path.to_vec();
        for _ in 0..MAX_LINKS {
            let tree = &self.machine.tree;
            let Ok(id) = tree.lookup_no_follow(&place) else { return Ok(place) };
            let Node::Symlink(target) = &tree.get(id).node else { return Ok(place) };
            if target.starts_with(b"/") {
                place = target.to_vec();
            } else {
                let slash = place.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
                place.truncate(slash);
                place.extend_from_slice(target);
            }
        }
        Err(PathError { path: path.into(), errno: Errno::Loop }.into())
    }
}

fn hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
