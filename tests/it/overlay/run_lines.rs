//! Lines as Dockerfiles of images have them, on a small real system: icos plays them as `script` steps on its tree, the real
//! programs play them in a chroot of the system that dpkg made, and the two must be alike.

use std::path::Path;

use icos::{
    epoch::Epoch,
    shell::{Limits, Machine},
    tar,
};

use super::{Beside, script};
use crate::support::judge::{judge, run};

/// Said by both. What real programs leave behind that images don't have (backups, locks, logs) the comparison knows.
const LINES: &str = r#"
echo "tzdata tzdata/Areas select Europe" | debconf-set-selections
printf '%s\n' "tzdata tzdata/Zones/Europe select Zurich" | debconf-set-selections
DEBIAN_FRONTEND=noninteractive dpkg-reconfigure tzdata
dpkg-reconfigure -f noninteractive adduser libc-bin
mkdir -p /boot/config /boot/efi /boot/grub
find /etc -type d -exec chmod 0755 {} \; && \
    find /etc -type f -not -path "/etc/hostname" -not -path "/etc/hosts" -not -path "/etc/resolv.conf" -exec chmod 0644 {} \;
chmod 0755 /etc/init.d/* /etc/cron.daily/*
chmod 0640 /etc/shadow /etc/gshadow && chgrp shadow /etc/shadow /etc/gshadow
sed -i '/pam_motd.so/d' /etc/pam.d/login
sed -e 's/.*PASS_MAX_DAYS.*/PASS_MAX_DAYS 99999/' -i /etc/login.defs
sed -i -e "s/ *systemd//g" /etc/nsswitch.conf
ln -sf /run/ic-node/nftables-ruleset/nftables.conf /etc/nftables.conf
ln -s -f bash /usr/bin/sh
echo "UTC" > /etc/timezone && ln -sf /usr/share/zoneinfo/UTC /etc/localtime
mkdir -p /root/.ssh && chmod 0700 /root/.ssh
mkdir -p /var/lib/ic/backup /var/lib/ic/crypto /var/lib/ic/data /mnt/var_old /mnt/var_new
for SERVICE in /lib/systemd/system/getty@.service /lib/systemd/system/systemd-networkd.service; do
    if [ -f "$SERVICE" -a ! -L "$SERVICE" ] && ! echo "$SERVICE" | grep -Eq '@\.service$'; then
        if grep -q '^\[Install\]' "$SERVICE"; then systemctl enable "${SERVICE#/lib/systemd/system/}"; fi
    fi
done
systemctl enable systemd-networkd-wait-online
systemctl disable apt-daily.service apt-daily.timer apt-daily-upgrade.service apt-daily-upgrade.timer
systemctl mask tmp.mount
addgroup --system nonconfidential && addgroup --system vsock
addgroup ic-http-adapter && \
    adduser --system --disabled-password --shell /usr/sbin/nologin -c "IC Canister HTTP Adapter" ic-http-adapter && \
    adduser ic-http-adapter ic-http-adapter
adduser --system --disabled-password --home /var/lib/ic --group --no-create-home -c "IC replica" ic-replica && \
    adduser ic-replica backup && adduser ic-replica nonconfidential && adduser ic-replica vsock
chsh -s /bin/bash backup
usermod -d /var/lib/backup backup && mkdir -p /var/lib/backup && chown backup:backup /var/lib/backup
adduser --system --disabled-password --home /var/lib/admin --shell /bin/bash admin && \
    chown admin:staff /var/lib/admin && adduser admin backup && adduser admin systemd-journal
usermod -p '!!' systemd-network
echo "root:\$6\$salt\$abcdefghijk" | chpasswd -e
passwd -d daemon
chmod +s /usr/bin/chage
find /usr/lib -name "*.pyc" -exec rm -f {} +
find /usr/share -type f -name "*.gz" -not -path "/usr/share/doc/*" | sort | head -n 3 | xargs -r ls > /dev/null
rm -rf /var/cache/apt/* /var/lib/apt/lists/* /var/log/* /tmp/* && truncate --size 0 /etc/machine-id
for f in a b c; do echo "$f" | tr a-z A-Z; done > /etc/letters
install -m 0755 -d /opt/ic/bin /opt/ic/share && cp -r /etc/skel /opt/ic/share/skel
awk -F: '$3 < 3 { print $1 }' /etc/passwd > /opt/ic/share/users
cat > /etc/ic.conf <<END
name=$(basename /opt/ic)
kernel=$(ls /boot | grep -c vmlinuz || true)
END
chown -R root:root /opt && chmod -R go-w /opt
"#;

/// Beside the required packages.
const PACKAGES: &[&str] = &["adduser", "apt", "mawk", "passwd", "systemd", "udev"];

/// The .debs of a store that a system consists of, under the names that dpkg's order goes by.
fn debs(store: &Path, folder: &Path, status: &str) {
    fs_err::create_dir(folder).expect("made");
    let stanzas: Vec<&str> = status.split("\n\n").collect();
    for entry in fs_err::read_dir(store.join("debs")).expect("a store") {
        let path = entry.expect("there").path();
        let mut dpkg = judge("dpkg-deb").expect("asked for before");
        let (_, control, _) = run(dpkg.arg("-W").arg("--showformat=${Package} ${Version} ${Architecture}").arg(&path));
        // What is no package is an index.
        if let [name, version, architecture] = control.split(' ').collect::<Vec<_>>()[..] {
            let lines = [format!("Package: {name}\n"), format!("Version: {version}\n")];
            if !stanzas.iter().any(|stanza| lines.iter().all(|line| stanza.contains(line.as_str()))) {
                continue;
            }
            let version = version.split_once(':').map_or(version, |(_, rest)| rest);
            fs_err::hard_link(&path, folder.join(format!("{name}_{version}_{architecture}.deb"))).expect("linked");
        }
    }
}

#[test]
fn lines_of_dockerfiles_do_what_they_do_for_real() {
    let (Some(mut python), Some(mut compare)) = (judge("python3"), judge("python3")) else { return };
    if !rustix::process::geteuid().is_root() || judge("dpkg-deb").is_none() {
        eprintln!("skipped: dpkg installs packages for root alone");
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let path = |name: &str| scratch.path().join(name);
    // Kept from run to run, for the packages' sake.
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("run-lines");
    let root = env!("CARGO_MANIFEST_DIR");
    #[expect(clippy::disallowed_methods, reason = "the program under test")]
    let mut icos = std::process::Command::new(env!("CARGO_BIN_EXE_icos"));
    icos.args(["--project", root, "rootfs", "--base", "debian-bookworm", "--required"]).args(PACKAGES);
    let (code, _, errors) = run(icos.arg("-o").arg(path("before.tar")).env("ICOS_STORE", &store));
    assert_eq!(code, 0, "{errors}");

    let before = tar::read_tree(&fs_err::read(path("before.tar")).expect("written").into()).expect("a tree");
    let status = String::from_utf8_lossy(&before.read(b"/var/lib/dpkg/status").expect("there")).into_owned();
    let limits = Limits::SCRIPT;
    let mut machine = Machine::new(before, Epoch::from_variable(None).expect("0"), "amd64", limits);
    Beside::new(&[], &script(LINES)).apply(&mut machine).unwrap_or_else(|error| panic!("{error}"));
    let after = tar::archive(&machine.tree).expect("an archive").bytes(1 << 31).expect("in memory");
    fs_err::write(path("ours.tar"), after).expect("written");

    debs(&store, &path("debs"), &status);
    fs_err::write(path("lines"), LINES).expect("written");
    let judge = Path::new(root).join("tests/oracle/dpkg-judge.py");
    let (code, output, errors) =
        run(python.arg(&judge).arg("make").args([path("debs"), path("real.tar"), path("lines")]));
    assert_eq!(code, 0, "{output}{errors}");
    let (code, output, errors) =
        run(compare.arg(&judge).arg("compare").args([path("real.tar"), path("ours.tar")]).arg("--all"));
    assert_eq!((code, errors.as_str()), (0, ""), "{output}");
}
