//! Integration tests, one binary: each module below is one area.

#![expect(unreachable_pub, reason = "one binary: `pub` in a module of tests says what other modules may use")]

mod support;

mod architectures;
mod bounds;
mod bump;
mod bundle;
mod busybox;
mod caches;
mod commands;
mod configure;
mod conflict;
mod corpus;
mod deb;
mod dpkg_tools;
mod ext4;
mod fat;
mod fetch;
mod forged;
mod gpt;
mod guestos;
mod loader;
mod openssl;
mod output;
mod overlay;
mod pam;
mod parallel;
mod project;
mod rehearsal;
mod resolve;
mod rootfs;
mod selinux;
mod shell;
mod store;
mod systemd_databases;
mod tamper;
mod tar;
mod transcripts;
mod trust;
mod ubuntu;
mod versions;
mod why;
