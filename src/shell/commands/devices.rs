//! What programs say of a machine without devices, mounts and sockets: `blkid`, `findmnt`, `lsblk`, `ss`, `vgcfgbackup`. An
//! image that is built has none of them.

use super::super::{Fatal, Process, Status, options};

/// No device holds anything that is looked for.
pub(super) fn blkid(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &[
        "cache-file c=",
        "no-encoding d",
        "garbage-collect g",
        "output o=",
        "list-filesystems k",
        "match-tag s=",
        "match-token t=",
        "list-one l",
        "label L=",
        "uuid U=",
        "probe p",
        "info i",
        "size S=",
        "offset O=",
        "usages u=",
        "match-types n=",
    ];
    let arguments = options::parse(process, table)?;
    if arguments.has("list-filesystems") {
        return Err(process.not_modelled("the list of file systems"));
    }
    if let Some(file) = arguments.operands.iter().find(|file| is_file(process, file)) {
        return Err(process.not_modelled(format!("the file `{}`", file.escape_ascii())));
    }
    Ok(if arguments.has("garbage-collect") { Status::SUCCESS } else { Status(2) })
}

fn is_file(process: &Process<'_>, path: &[u8]) -> bool {
    process.lookup(path).is_ok_and(|id| process.inode(id).is_file())
}

/// Nothing is mounted.
pub(super) fn findmnt(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &[
        "noheadings n",
        "output o=",
        "target T=",
        "mountpoint M=",
        "source S=",
        "types t=",
        "options O=",
        "first-only f",
        "evaluate e",
        "raw r",
        "list l",
        "pairs P",
        "kernel k",
        "mtab m",
        "nofsroot v",
        "invert i",
        "uniq u",
        "bytes b",
        "canonicalize c",
        "direction d=",
        "submounts R",
        "all A",
        "real",
    ];
    options::parse(process, table)?;
    Ok(Status::FAILURE)
}

pub(super) fn lsblk(process: &mut Process<'_>) -> Result<Status, Fatal> {
    process.complain("failed to access sysfs directory: /sys/dev/block: No such file or directory")?;
    Ok(Status::FAILURE)
}

/// No socket is open: of a table of TCP sockets there is only the head.
pub(super) fn ss(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["numeric n", "listening l", "tcp t", "no-header H"])?;
    if !arguments.has("tcp") {
        return Err(process.not_modelled("other sockets than TCP's"));
    }
    if !arguments.has("no-header") {
        process.out(b"State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n")?;
    }
    Ok(Status::SUCCESS)
}

/// There is no volume group whose metadata could be saved.
pub(super) fn vgcfgbackup(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["quiet q", "verbose v"])?;
    if !arguments.operands.is_empty() {
        return Err(process.not_modelled("a volume group"));
    }
    Ok(Status::SUCCESS)
}
