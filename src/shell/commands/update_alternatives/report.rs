//! What `--display`, `--query`, `--list` and `--get-selections` print.

use super::{Group, Links, Mode, Stop};

fn line(links: &mut Links<'_, '_>, parts: &[&[u8]]) -> Result<(), Stop> {
    let mut text = parts.concat();
    text.push(b'\n');
    Ok(links.process.out(&text)?)
}

pub(super) fn list(links: &mut Links<'_, '_>, group: &Group) -> Result<(), Stop> {
    group.choices.iter().try_for_each(|choice| line(links, &[&choice.path]))
}

pub(super) fn query(links: &mut Links<'_, '_>, name: &[u8], group: &Group, current: Option<&[u8]>) -> Result<(), Stop> {
    line(links, &[b"Name: ", name])?;
    line(links, &[b"Link: ", &group.link])?;
    if !group.slaves.is_empty() {
        line(links, &[b"Slaves:"])?;
    }
    for slave in &group.slaves {
        line(links, &[b" ", &slave.name, b" ", &slave.link])?;
    }
    line(links, &[b"Status: ", mode(group)])?;
    if let Some(best) = group.best(current) {
        line(links, &[b"Best: ", &best.path])?;
    }
    line(links, &[b"Value: ", current.unwrap_or(b"none")])?;
    for choice in &group.choices {
        line(links, &[])?;
        line(links, &[b"Alternative: ", &choice.path])?;
        line(links, &[b"Priority: ", choice.priority.to_string().as_bytes()])?;
        if !group.slaves.is_empty() {
            line(links, &[b"Slaves:"])?;
        }
        for slave in &group.slaves {
            if let Some(file) = choice.file(&slave.name) {
                line(links, &[b" ", &slave.name, b" ", file])?;
            }
        }
    }
    Ok(())
}

pub(super) fn display(
    links: &mut Links<'_, '_>,
    name: &[u8],
    group: &Group,
    current: Option<&[u8]>,
) -> Result<(), Stop> {
    line(links, &[name, b" - ", mode(group), b" mode"])?;
    match group.best(current) {
        Some(best) => line(links, &[b"  link best version is ", &best.path])?,
        None => line(links, &[b"  link best version not available"])?,
    }
    match current {
        Some(current) => line(links, &[b"  link currently points to ", current])?,
        None => line(links, &[b"  link currently absent"])?,
    }
    line(links, &[b"  link ", name, b" is ", &group.link])?;
    for slave in &group.slaves {
        line(links, &[b"  slave ", &slave.name, b" is ", &slave.link])?;
    }
    for choice in &group.choices {
        line(links, &[&choice.path, b" - priority ", choice.priority.to_string().as_bytes()])?;
        for slave in &group.slaves {
            if let Some(file) = choice.file(&slave.name) {
                line(links, &[b"  slave ", &slave.name, b": ", file])?;
            }
        }
    }
    Ok(())
}

pub(super) fn selections(links: &mut Links<'_, '_>) -> Result<(), Stop> {
    for (name, group) in links.groups()? {
        let current = links.current(&name)?.unwrap_or_default();
        let name = pad(&name, 30);
        let mode = pad(mode(&group), 8);
        line(links, &[&name, b" ", &mode, b" ", &current])?;
    }
    Ok(())
}

fn mode(group: &Group) -> &'static [u8] {
    if group.mode == Mode::Auto { b"auto" } else { b"manual" }
}

fn pad(text: &[u8], width: usize) -> Vec<u8> {
    let mut padded = text.to_vec();
    padded.resize(width.max(text.len()), b' ');
    padded
}
