//! Assembles operating-system images from Debian and Ubuntu packages without containers, privileges or target programs.
//!
//! `ARCHITECTURE.md` has the map; the layers below import only downward, which `tests/tidy.rs` enforces.

// Layer 0: base
pub mod cause;
pub mod date;
pub mod digest;
pub mod epoch;
mod map;
pub mod nearest;
pub mod progress;
pub mod seed;
pub mod sparse;
pub mod tails;

// Layer 1: data
pub mod deb;
pub mod debconf;
pub mod dpkg;
pub mod lock;
pub mod manifest;
pub mod tree;

// Layer 2: formats
pub mod catalog;
pub mod cpio;
pub mod elf;
pub mod ext4;
pub mod fat;
pub mod glib;
pub mod gpt;
pub mod hwdb;
pub mod icon_cache;
pub mod info_dir;
pub mod kmod;
pub mod ldcache;
pub mod mime;
pub mod selinux;
pub mod tar;
pub mod x11_fonts;
pub mod x509;
pub mod zst;

// Layer 2: engine
pub mod shell;

// Layer 3: stages
pub mod boot;
pub mod bundle;
pub mod configure;
pub mod fetch;
pub mod image;
pub mod label;
pub mod mirror;
pub mod output;
pub mod overlay;
pub mod resolve;
pub mod review;
pub mod store;
pub mod trust;
pub mod unpack;

// Layer 4: top
pub mod pipeline;

// Layer 5: edge
pub mod cli;
