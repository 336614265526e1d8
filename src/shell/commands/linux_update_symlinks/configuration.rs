//! `/etc/kernel-img.conf`: whether links are wanted, and where.

use super::super::super::{Fatal, Process};

const PATH: &str = "/etc/kernel-img.conf";

/// Parameters of programs that no longer are, which nobody is told about.
const IGNORED: [&[u8]; 8] = [
    b"do_bootloader",
    b"do_initrd",
    b"clobber_modules",
    b"force_build_link",
    b"relink_build_link",
    b"relink_src_link",
    b"silent_modules",
    b"warn_reboot",
];

pub(super) struct Configuration {
    pub(super) do_symlinks: bool,
    pub(super) folder: Vec<u8>,
}

pub(super) fn read(process: &mut Process<'_>) -> Result<Configuration, Fatal> {
    let (mut do_symlinks, mut in_boot, mut no_symlinks) = (true, false, false);
    let mut folder = b"/".to_vec();
    let text = process.machine.tree.read(PATH.as_bytes()).unwrap_or_default();
    for (index, line) in text.split(|&b| b == b'\n').enumerate() {
        let line = line.split(|&b| b == b'#').next().unwrap_or_default();
        if line.trim_ascii().is_empty() {
            continue;
        }
        let problem = match setting(line) {
            None => Some("ignoring line with syntax error".to_owned()),
            Some((name, value)) => {
                let shown = String::from_utf8_lossy(&name).into_owned();
                match name.as_slice() {
                    b"do_symlinks" | b"link_in_boot" | b"no_symlinks" => {
                        let field = match name.as_slice() {
                            b"do_symlinks" => &mut do_symlinks,
                            b"link_in_boot" => &mut in_boot,
                            _ => &mut no_symlinks,
                        };
                        let known = truth(value);
                        known.inspect(|value| *field = *value);
                        known.is_none().then(|| format!("ignoring invalid value for {shown}"))
                    }
                    b"image_dest" => {
                        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
                        folder = value[..end].to_vec();
                        let excess = !value[end..].trim_ascii().is_empty();
                        excess.then(|| format!("ignoring excess values for {shown}"))
                    }
                    name if IGNORED.contains(&name) => None,
                    _ => Some(format!("ignoring unknown parameter {shown}")),
                }
            }
        };
        if let Some(problem) = problem {
            process.write(2, format!("{PATH}:{}: W: {problem}\n", index + 1).as_bytes())?;
        }
    }
    if no_symlinks {
        let line = format!("{PATH}: W: ignoring no_symlinks; only symlinks are supported\n");
        process.write(2, line.as_bytes())?;
    }
    if in_boot {
        folder = b"/boot".to_vec();
    }
    while folder.last() == Some(&b'/') {
        folder.pop();
    }
    folder.push(b'/');
    Ok(Configuration { do_symlinks, folder })
}

/// A name in small letters, and what is behind `=`.
fn setting(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').filter(|&end| end > 0)?;
    let value = line[end..].trim_ascii_start().strip_prefix(b"=")?;
    Some((line[..end].to_ascii_lowercase(), value.trim_ascii_start()))
}

fn truth(value: &[u8]) -> Option<bool> {
    match value.trim_ascii_end().to_ascii_lowercase().as_slice() {
        b"no" | b"false" | b"0" => Some(false),
        b"yes" | b"true" | b"1" => Some(true),
        _ => None,
    }
}
