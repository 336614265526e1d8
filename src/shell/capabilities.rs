//! A file's capabilities: the text that tools take and show (cap_from_text(3)), and the attribute `security.capability`
//! (linux/capability.h).

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

pub(super) const ATTRIBUTE: &[u8] = b"security.capability";

const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;
const EFFECTIVE: u32 = 1;
const ALL: u64 = (1 << NAMES.len()) - 1;

/// Sets of capabilities, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    effective: u64,
    permitted: u64,
    inheritable: u64,
}

/// Clauses such as `cap_net_raw,cap_net_admin=ep` or `cap_net_raw+ep`.
pub(super) fn parse(text: &str) -> Option<Capabilities> {
    let mut sets = Capabilities::default();
    for clause in text.split_ascii_whitespace() {
        let at = clause.find(['=', '+', '-'])?;
        let (names, mut rest) = (&clause[..at], &clause[at..]);
        // No name means every capability, but only before `=`.
        let bits = match names {
            "" if !rest.starts_with('=') => return None,
            "" => ALL,
            names => names.split(',').try_fold(0, |bits, name| Some(bits | bit(name)?))?,
        };
        while let Some(operator) = rest.chars().next() {
            let end = rest[1..].find(['=', '+', '-']).map_or(rest.len(), |at| at + 1);
            let flags = &rest[1..end];
            rest = &rest[end..];
            if !flags.chars().all(|flag| "eip".contains(flag)) {
                return None;
            }
            for (flag, set) in [('e', &mut sets.effective), ('i', &mut sets.inheritable), ('p', &mut sets.permitted)] {
                match (operator, flags.contains(flag)) {
                    ('-', true) | ('=', false) => *set &= !bits,
                    ('-', false) | ('+', false) => {}
                    _ => *set |= bits,
                }
            }
        }
    }
    Some(sets)
}

fn bit(name: &str) -> Option<u64> {
    if name.eq_ignore_ascii_case("all") {
        return Some(ALL);
    }
    Some(1 << NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?)
}

impl Capabilities {
    /// The attribute; `None` for sets that a file can't have: it has all effective or none.
    pub(super) fn encode(self) -> Option<Vec<u8>> {
        let flag = match self.effective {
            0 => 0,
            effective if effective == self.permitted | self.inheritable => EFFECTIVE,
            _ => return None,
        };
        let mut value = (REVISION_2 | flag).to_le_bytes().to_vec();
        for half in 0..2 {
            for bits in [self.permitted, self.inheritable] {
                value.extend_from_slice(&bits.to_le_bytes()[4 * half..4 * half + 4]);
            }
        }
        Some(value)
    }

    /// The sets of an attribute that is one.
    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let word = |index: usize| Some(u32::from_le_bytes(*value.get(4 * index..)?.first_chunk()?));
        let magic = word(0)?;
        if !matches!((magic & !EFFECTIVE, value.len()), (REVISION_2, 20) | (REVISION_3, 24)) {
            return None;
        }
        let set = |first: usize| Some(u64::from(word(first)?) | u64::from(word(first + 2)?) << 32);
        let (permitted, inheritable) = (set(1)?, set(2)?);
        let effective = if magic & EFFECTIVE == 0 { 0 } else { permitted | inheritable };
        Some(Self { effective, permitted, inheritable })
    }

    /// As libcap shows them: what most have, and behind it what others have more or less.
    pub(super) fn text(self) -> String {
        let state = |index: usize| {
            let has = |set: u64| (set >> index & 1) as usize;
            has(self.effective) | has(self.permitted) << 1 | has(self.inheritable) << 2
        };
        let mut counts = [0; 8];
        (0..NAMES.len()).for_each(|index| counts[state(index)] += 1);
        let usual = (0..8).rev().max_by_key(|&combination| counts[combination]).unwrap_or(0);
        let mut text = if usual == 0 { String::new() } else { format!("={}", flags(usual)) };
        for combination in (0..8).rev().filter(|&combination| combination != usual && counts[combination] > 0) {
            let names: Vec<&str> = (0..NAMES.len()).filter(|&i| state(i) == combination).map(|i| NAMES[i]).collect();
            let (more, less) = (combination & !usual, !combination & usual);
            let operator = if text.is_empty() { '=' } else { '+' };
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&names.join(","));
            if more > 0 {
                text.push(operator);
                text.push_str(&flags(more));
            }
            if less > 0 {
                text.push('-');
                text.push_str(&flags(less));
            }
        }
        if text.is_empty() { "=".to_owned() } else { text }
    }
}

fn flags(combination: usize) -> String {
    [(1, 'e'), (4, 'i'), (2, 'p')].into_iter().filter(|(bit, _)| combination & bit != 0).map(|(_, flag)| flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes() {
        // getfattr -e hex -n security.capability /usr/bin/ping, on a system where dpkg ran the same command
        let ping = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let sets = parse("cap_net_raw+ep").expect("known");
        assert_eq!(sets.encode().as_deref(), Some(ping.as_slice()));
        assert_eq!(Capabilities::decode(&ping), Some(sets));
        assert_eq!(Capabilities::decode(&ping[1..]), None);
        assert_eq!(parse("cap_net_raw=pe"), parse("CAP_NET_RAW+ep"));
        assert_eq!(parse("cap_net_raw=ep-e"), parse("cap_net_raw=p"));
        assert_eq!(parse("cap_net_raw=p cap_bpf=e").and_then(Capabilities::encode), None);
        assert_eq!(parse("cap_flying+ep"), None);
        assert_eq!(parse("cap_bpf+x"), None);
        assert_eq!(parse("+p"), None);
    }
}
