//! The programs that are built in, by name; one file each.

use super::{Fatal, Process, Status};

mod adduser;
mod apparmor;
mod awk;
mod base64;
mod basename;
mod busybox;
mod cat;
mod checksum;
mod chfn;
mod chmod;
mod chown;
mod chpasswd;
mod chronyd;
mod chsh;
mod cksum;
mod cmp;
mod comm;
mod cp;
mod cpio;
mod cut;
mod date;
mod dd;
mod deb_systemd_helper;
mod debconf_tools;
mod depmod;
mod devices;
mod diff;
mod dirname;
mod dpkg;
mod dpkg_divert;
mod dpkg_query;
mod dpkg_statoverride;
mod dpkg_trigger;
mod echo;
mod env;
mod expand;
mod expr;
mod find;
mod fold;
mod frontend;
mod getcap;
mod getent;
mod getfacl;
mod getopt;
mod gpasswd;
mod grep;
mod groupadd;
mod groupdel;
mod groupmod;
mod grpck;
mod grpconv;
mod gzip;
mod head;
mod hostname;
mod id;
mod install;
mod join;
mod ld_so;
mod ldconfig;
mod linux_update_symlinks;
mod linux_version;
mod ln;
mod ls;
mod lsmod;
mod machine_id;
mod mkdir;
mod mknod;
mod mktemp;
mod modinfo;
mod modprobe;
mod mv;
mod nl;
mod nothing;
mod od;
mod openssl;
mod pam_auth_update;
mod passwd;
mod paste;
mod perl;
mod printenv;
mod printf;
mod pwck;
mod pwconv;
mod pwd;
mod python;
mod readlink;
mod realpath;
mod rev;
mod rm;
mod rmdir;
mod run_parts;
mod runlevel;
mod sed;
mod selinux;
mod seq;
mod setcap;
mod setfacl;
mod sh;
mod sort;
mod split;
mod ssh_keygen;
mod stat;
mod surroundings;
mod systemctl;
mod systemd_sysusers;
mod systemd_tmpfiles;
mod tac;
mod tail;
mod tee;
mod test;
mod touch;
mod tr;
mod truncate;
mod tsort;
mod ucfq;
mod uname;
mod uniq;
mod update_alternatives;
mod update_rc_d;
mod useradd;
mod userdel;
mod usermod;
mod wc;
mod wrapper;
mod xargs;
mod xz;
mod zstd;

pub(super) use stat::{links as link_count, size as apparent_size};

/// A built-in program.
pub type Command = fn(&mut Process<'_>) -> Result<Status, Fatal>;

/// In byte order of names, for the binary search.
const COMMANDS: &[(&str, Command)] = &[
    ("[", test::run),
    ("aa-enabled", apparmor::enabled),
    ("aa-status", apparmor::status),
    ("addgroup", adduser::run),
    ("adduser", adduser::run),
    ("apparmor_parser", apparmor::parser),
    ("awk", awk::run),
    ("base64", base64::run),
    ("basename", basename::run),
    ("bash", sh::run),
    ("blkid", devices::blkid),
    ("busybox", busybox::run),
    ("cat", cat::run),
    ("chfn", chfn::run),
    ("chgrp", chown::chgrp),
    ("chmod", chmod::run),
    ("chown", chown::chown),
    ("chpasswd", chpasswd::run),
    ("chronyd", chronyd::run),
    ("chrt", wrapper::chrt),
    ("chsh", chsh::run),
    ("cksum", cksum::run),
    ("cmp", cmp::run),
    ("comm", comm::run),
    ("cp", cp::run),
    ("cpio", cpio::run),
    ("cut", cut::run),
    ("dash", sh::run),
    ("date", date::run),
    ("dbus-uuidgen", machine_id::ensure),
    ("dd", dd::run),
    ("deb-systemd-helper", deb_systemd_helper::run),
    ("debconf-communicate", debconf_tools::communicate),
    ("debconf-escape", debconf_tools::escape),
    ("debconf-set-selections", debconf_tools::set_selections),
    ("debconf-show", debconf_tools::show),
    ("depmod", depmod::run),
    ("diff", diff::run),
    ("dirname", dirname::run),
    ("dpkg", dpkg::run),
    ("dpkg-divert", dpkg_divert::run),
    ("dpkg-query", dpkg_query::run),
    ("dpkg-statoverride", dpkg_statoverride::run),
    ("dpkg-trigger", dpkg_trigger::run),
    ("echo", echo::run),
    ("egrep", grep::egrep),
    ("env", env::run),
    ("expand", expand::run),
    ("expr", expr::run),
    ("false", nothing::fail),
    ("fgrep", grep::fgrep),
    ("find", find::run),
    ("findmnt", devices::findmnt),
    ("fold", fold::run),
    ("frontend", frontend::run),
    ("getcap", getcap::run),
    ("getconf", nothing::getconf),
    ("getenforce", selinux::enforcing),
    ("getent", getent::run),
    ("getfacl", getfacl::run),
    ("getopt", getopt::run),
    ("gpasswd", gpasswd::run),
    ("grep", grep::grep),
    ("groupadd", groupadd::run),
    ("groupdel", groupdel::run),
    ("groupmod", groupmod::run),
    ("grpck", grpck::run),
    ("grpconv", grpconv::run),
    ("gzip", gzip::run),
    ("head", head::run),
    ("hostname", hostname::run),
    ("id", id::run),
    ("install", install::run),
    ("ionice", wrapper::ionice),
    ("ischroot", surroundings::ischroot),
    ("join", join::run),
    ("ld-linux-aarch64.so.1", ld_so::aarch64),
    ("ld-linux-x86-64.so.2", ld_so::x86_64),
    ("ldconfig", ldconfig::run),
    ("ldconfig.real", ldconfig::run),
    ("linux-update-symlinks", linux_update_symlinks::run),
    ("linux-version", linux_version::run),
    ("ln", ln::run),
    ("logger", nothing::logger),
    ("ls", ls::run),
    ("lsblk", devices::lsblk),
    ("lsmod", lsmod::run),
    ("mandb", nothing::mandb),
    ("mawk", awk::run),
    ("md5sum", checksum::md5),
    ("mkdir", mkdir::run),
    ("mkfifo", mknod::mkfifo),
    ("mknod", mknod::mknod),
    ("mktemp", mktemp::run),
    ("modinfo", modinfo::run),
    ("modprobe", modprobe::run),
    ("mountpoint", surroundings::mountpoint),
    ("mv", mv::run),
    ("nawk", awk::run),
    ("nice", wrapper::nice),
    ("nl", nl::run),
    ("nohup", wrapper::nohup),
    ("nproc", nothing::nproc),
    ("od", od::run),
    ("openssl", openssl::run),
    ("pam-auth-update", pam_auth_update::run),
    ("passwd", passwd::run),
    ("paste", paste::run),
    ("perl", perl::run),
    ("pgrep", surroundings::no_process),
    ("pidof", surroundings::no_process),
    ("pkill", surroundings::no_process),
    ("printenv", printenv::run),
    ("printf", printf::run),
    ("pwck", pwck::run),
    ("pwconv", pwconv::run),
    ("pwd", pwd::run),
    ("py3clean", python::py3clean),
    ("py3compile", python::py3compile),
    ("pypy3compile", python::pypy3compile),
    ("python3", python::run),
    ("readlink", readlink::run),
    ("realpath", realpath::run),
    ("restorecon", selinux::restore),
    ("rev", rev::run),
    ("rm", rm::run),
    ("rmdir", rmdir::run),
    ("run-parts", run_parts::run),
    ("runlevel", runlevel::run),
    ("sed", sed::run),
    ("selinuxenabled", selinux::enabled),
    ("seq", seq::run),
    ("sestatus", selinux::status),
    ("setcap", setcap::run),
    ("setfacl", setfacl::run),
    ("setpriv", wrapper::setpriv),
    ("setsid", wrapper::setsid),
    ("sh", sh::run),
    ("sha1sum", checksum::sha1),
    ("sha224sum", checksum::sha224),
    ("sha256sum", checksum::sha256),
    ("sha384sum", checksum::sha384),
    ("sha512sum", checksum::sha512),
    ("sleep", nothing::sleep),
    ("sort", sort::run),
    ("split", split::run),
    ("ss", devices::ss),
    ("ssh-keygen", ssh_keygen::run),
    ("start-stop-daemon", surroundings::start_stop_daemon),
    ("stat", stat::run),
    ("stdbuf", wrapper::stdbuf),
    ("stty", surroundings::stty),
    ("sync", nothing::sync),
    ("systemctl", systemctl::run),
    ("systemd-machine-id-setup", machine_id::setup),
    ("systemd-sysusers", systemd_sysusers::run),
    ("systemd-tmpfiles", systemd_tmpfiles::run),
    ("tac", tac::run),
    ("tail", tail::run),
    ("tee", tee::run),
    ("test", test::run),
    ("timeout", wrapper::timeout),
    ("touch", touch::run),
    ("tr", tr::run),
    ("true", nothing::succeed),
    ("truncate", truncate::run),
    ("tsort", tsort::run),
    ("tty", surroundings::tty),
    ("ucfq", ucfq::run),
    ("uname", uname::run),
    ("uniq", uniq::run),
    ("unxz", xz::run),
    ("update-alternatives", update_alternatives::run),
    ("update-rc.d", update_rc_d::run),
    ("useradd", useradd::run),
    ("userdel", userdel::run),
    ("usermod", usermod::run),
    ("vgcfgbackup", devices::vgcfgbackup),
    ("wc", wc::run),
    ("xargs", xargs::run),
    ("xz", xz::run),
    ("xzcat", xz::run),
    ("zstd", zstd::run),
];

/// The program of this name.
pub fn find(name: &[u8]) -> Option<Command> {
    let name = if python::is_interpreter(name) { b"python3" } else { name };
    let index = COMMANDS.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok()?;
    Some(COMMANDS[index].1)
}

/// All names, in byte order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
