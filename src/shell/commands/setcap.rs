//! setcap: file capabilities as the attribute `security.capability` (linux/capability.h, VFS_CAP_REVISION_2).

use crate::{
    shell::{Fatal, Process, Status},
    tree::Errno,
};

/// By their numbers.
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

const REVISION_2: u32 = 0x0200_0000;
const EFFECTIVE: u32 = 1;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = process.arguments();
    arguments.retain(|argument| argument != b"-q");
    if arguments.len() < 2 || !arguments.len().is_multiple_of(2) {
        return Err(process.not_modelled("anything but pairs of capabilities and files"));
    }
    for pair in arguments.chunks(2) {
        let Some(value) = attribute(&String::from_utf8_lossy(&pair[0])) else {
            return Err(process.not_modelled(format!("the capabilities `{}`", pair[0].escape_ascii())));
        };
        let path = process.absolute(&pair[1]);
        let found = process.machine.tree.lookup(&path).map_err(|error| error.errno);
        match found.and_then(|id| if process.machine.tree.get(id).is_file() { Ok(id) } else { Err(Errno::Invalid) }) {
            Ok(id) => {
                process.machine.tree.stat_mut(id).xattrs.insert((*b"security.capability").into(), value.into());
            }
            Err(errno) => {
                process
                    .complain(&format!("Failed to set capabilities on file `{}': {errno}", pair[1].escape_ascii()))?;
                return Ok(Status::FAILURE);
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// The attribute for clauses such as `cap_net_raw,cap_net_admin=ep` or `cap_net_raw+ep`.
fn attribute(text: &str) -> Option<Vec<u8>> {
    let (mut effective, mut permitted, mut inheritable) = (false, 0u64, 0u64);
    for clause in text.split_whitespace() {
        let at = clause.find(['=', '+'])?;
        let (names, flags) = (&clause[..at], &clause[at + 1..]);
        let mut bits = 0u64;
        for name in names.split(',') {
            bits |= 1 << NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        }
        for flag in flags.chars() {
            match flag {
                'e' => effective = true,
                'p' => permitted |= bits,
                'i' => inheritable |= bits,
                _ => return None,
            }
        }
    }
    let mut value = (REVISION_2 | if effective { EFFECTIVE } else { 0 }).to_le_bytes().to_vec();
    for half in 0..2 {
        for bits in [permitted, inheritable] {
            value.extend_from_slice(&bits.to_le_bytes()[4 * half..4 * half + 4]);
        }
    }
    (permitted | inheritable != 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes() {
        // getfattr -e hex -n security.capability /usr/bin/ping, on a system where dpkg ran the same command
        let ping = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(attribute("cap_net_raw+ep").as_deref(), Some(ping.as_slice()));
        assert_eq!(attribute("cap_net_raw=pe"), attribute("CAP_NET_RAW+ep"));
        assert_eq!(attribute("cap_net_raw-ep"), None);
        assert_eq!(attribute("cap_flying+ep"), None);
    }
}
