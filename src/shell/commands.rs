//! The programs that are built in, by name; one file each.

use super::{Fatal, Process, Status};

mod adduser;
mod basename;
mod cat;
mod checksum;
mod chfn;
mod chmod;
mod chown;
mod chpasswd;
mod chsh;
mod cp;
mod cut;
mod date;
mod deb_systemd_helper;
mod debconf_tools;
mod dirname;
mod dpkg_divert;
mod dpkg_statoverride;
mod dpkg_trigger;
mod env;
mod frontend;
mod getent;
mod gpasswd;
mod groupadd;
mod groupdel;
mod groupmod;
mod grpck;
mod grpconv;
mod head;
mod hostname;
mod id;
mod install;
mod ln;
mod mkdir;
mod mktemp;
mod mv;
mod passwd;
mod printenv;
mod pwck;
mod pwconv;
mod readlink;
mod realpath;
mod rm;
mod rmdir;
mod seq;
mod sh;
mod systemctl;
mod systemd_sysusers;
mod tail;
mod touch;
mod tr;
mod uname;
mod uniq;
mod update_alternatives;
mod update_rc_d;
mod useradd;
mod userdel;
mod usermod;
mod wc;
mod xargs;

/// A built-in program.
pub type Command = fn(&mut Process<'_>) -> Result<Status, Fatal>;

/// In byte order of names, for the binary search.
const COMMANDS: &[(&str, Command)] = &[
    ("addgroup", adduser::run),
    ("adduser", adduser::run),
    ("basename", basename::run),
    ("bash", sh::run),
    ("cat", cat::run),
    ("chfn", chfn::run),
    ("chgrp", chown::chgrp),
    ("chmod", chmod::run),
    ("chown", chown::chown),
    ("chpasswd", chpasswd::run),
    ("chsh", chsh::run),
    ("cp", cp::run),
    ("cut", cut::run),
    ("dash", sh::run),
    ("date", date::run),
    ("deb-systemd-helper", deb_systemd_helper::run),
    ("debconf-communicate", debconf_tools::communicate),
    ("debconf-escape", debconf_tools::escape),
    ("debconf-set-selections", debconf_tools::set_selections),
    ("debconf-show", debconf_tools::show),
    ("dirname", dirname::run),
    ("dpkg-divert", dpkg_divert::run),
    ("dpkg-statoverride", dpkg_statoverride::run),
    ("dpkg-trigger", dpkg_trigger::run),
    ("env", env::run),
    ("frontend", frontend::run),
    ("getent", getent::run),
    ("gpasswd", gpasswd::run),
    ("groupadd", groupadd::run),
    ("groupdel", groupdel::run),
    ("groupmod", groupmod::run),
    ("grpck", grpck::run),
    ("grpconv", grpconv::run),
    ("head", head::run),
    ("hostname", hostname::run),
    ("id", id::run),
    ("install", install::run),
    ("ln", ln::run),
    ("md5sum", checksum::md5),
    ("mkdir", mkdir::run),
    ("mktemp", mktemp::run),
    ("mv", mv::run),
    ("passwd", passwd::run),
    ("printenv", printenv::run),
    ("pwck", pwck::run),
    ("pwconv", pwconv::run),
    ("readlink", readlink::run),
    ("realpath", realpath::run),
    ("rm", rm::run),
    ("rmdir", rmdir::run),
    ("seq", seq::run),
    ("sh", sh::run),
    ("sha1sum", checksum::sha1),
    ("sha224sum", checksum::sha224),
    ("sha256sum", checksum::sha256),
    ("sha384sum", checksum::sha384),
    ("sha512sum", checksum::sha512),
    ("systemctl", systemctl::run),
    ("systemd-sysusers", systemd_sysusers::run),
    ("tail", tail::run),
    ("touch", touch::run),
    ("tr", tr::run),
    ("uname", uname::run),
    ("uniq", uniq::run),
    ("update-alternatives", update_alternatives::run),
    ("update-rc.d", update_rc_d::run),
    ("useradd", useradd::run),
    ("userdel", userdel::run),
    ("usermod", usermod::run),
    ("wc", wc::run),
    ("xargs", xargs::run),
];

/// The program of this name.
pub fn find(name: &[u8]) -> Option<Command> {
    let index = COMMANDS.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok()?;
    Some(COMMANDS[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
