//! The environment variables that icos reads, once, here.

use std::{ffi::OsString, path::PathBuf};

use crate::{
    epoch::{BadEpoch, Epoch},
    fetch::Proxies,
};

/// What the environment says.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    pub(super) store: Option<PathBuf>,
    cache: Option<PathBuf>,
    config: Option<PathBuf>,
    home: Option<PathBuf>,
    pub(super) proxies: Proxies,
    /// Folders of programs.
    pub(super) search: Vec<PathBuf>,
    epoch: Option<String>,
    /// Whether this is an automatic test run.
    pub(super) ci: bool,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(super) fn read() -> Self {
        let get = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| get(name).map(PathBuf::from);
        let text =
            |names: &[&str]| names.iter().find_map(|name| get(name)).and_then(|v: OsString| v.into_string().ok());
        Self {
            store: path("ICOS_STORE"),
            cache: path("XDG_CACHE_HOME").filter(|path| path.is_absolute()),
            config: path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()),
            home: path("HOME").filter(|path| path.is_absolute()),
            proxies: Proxies {
                http: text(&["http_proxy"]),
                https: text(&["https_proxy", "HTTPS_PROXY"]),
                except: text(&["no_proxy", "NO_PROXY"]),
            },
            search: get("PATH").map(|value| std::env::split_paths(&value).collect()).unwrap_or_default(),
            epoch: text(&["SOURCE_DATE_EPOCH"]),
            ci: get("CI").is_some(),
        }
    }

    pub(super) fn epoch(&self) -> Result<Epoch, BadEpoch> {
        Epoch::from_variable(self.epoch.as_deref())
    }

    /// The user's cache folder for icos, by the XDG base directory specification.
    pub(super) fn cache_folder(&self) -> Option<PathBuf> {
        let cache = self.cache.clone().or_else(|| Some(self.home.as_ref()?.join(".cache")))?;
        Some(cache.join("icos"))
    }

    /// The user's configuration file.
    pub(super) fn config_file(&self) -> PathBuf {
        let config = self.config.clone().or_else(|| Some(self.home.as_ref()?.join(".config")));
        config.unwrap_or_else(|| PathBuf::from("/etc")).join("icos").join("config.toml")
    }
}
