//! mkfontscale as mkfontdir calls it: which file of a folder holds which bitmap font, and which encodings there are.

use std::{collections::BTreeMap, io::Read};

use crate::{
    shell::{Fatal, Process, Status, files::join, files::names, files::show, options},
    x11_fonts::{self, Font},
};

/// Bytes that a font may have.
const LIMIT: u64 = 1 << 28;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["b", "s", "l", "e="])?;
    if !["b", "s", "l"].iter().all(|option| arguments.has(option)) {
        return Err(process.not_modelled("looking into scalable fonts"));
    }
    let encodings = arguments.options.iter().filter(|(option, _)| *option == "e").map(|(_, folder)| folder.clone());
    let mut lines = Vec::new();
    let mut has_encodings = false;
    for folder in encodings {
        has_encodings = true;
        if !process.is_dir(&folder) {
            process.write(2, b"opendir: No such file or directory\n")?;
            return Ok(Status::FAILURE);
        }
        lines.extend(encoding_lines(process, &folder)?);
    }
    lines.sort();
    for folder in &arguments.operands {
        let Some(fonts) = fonts(process, folder)? else { return Ok(Status::FAILURE) };
        let fonts: Vec<String> = fonts.into_iter().map(|(file, name)| format!("{file} {name}")).collect();
        write(process, &join(folder, b"fonts.dir"), &fonts)?;
        let list = join(folder, b"encodings.dir");
        if has_encodings {
            write(process, &list, &lines)?;
        } else {
            let list = process.absolute(&list);
            let _ = process.machine.tree.unlink(&list);
        }
    }
    Ok(Status::SUCCESS)
}

fn write(process: &mut Process<'_>, path: &[u8], lines: &[String]) -> Result<(), Fatal> {
    let mut text = format!("{}\n", lines.len());
    lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    super::glib::replace(process, path, text.into_bytes())
}

/// A file's bytes, decompressed.
fn read(process: &mut Process<'_>, path: &[u8]) -> Result<Option<Vec<u8>>, Fatal> {
    let Ok(bytes) = process.read_file(path) else { return Ok(None) };
    match bytes.as_ref() {
        [0x1f, 0x8b, ..] => {
            let mut plain = Vec::new();
            let read = flate2::read::MultiGzDecoder::new(bytes.as_ref()).take(LIMIT).read_to_end(&mut plain);
            read.map_err(|error| process.not_modelled(format!("{}, which is damaged ({error}),", show(path))))?;
            Ok(Some(plain))
        }
        [b'B', b'Z', b'h', ..] => Err(process.not_modelled("what is not compressed by gzip")),
        plain => Ok(Some(plain.to_vec())),
    }
}

/// `NAME FILE` for each name of an encoding.
fn encoding_lines(process: &mut Process<'_>, folder: &[u8]) -> Result<Vec<String>, Fatal> {
    let mut lines = Vec::new();
    for file in names(process, folder).unwrap_or_default() {
        let path = join(folder, &file);
        let Some(bytes) = read(process, &path)? else { continue };
        let names = x11_fonts::encoding_names(&bytes);
        lines.extend(names.into_iter().map(|name| format!("{name} {}", show(&path))));
    }
    Ok(lines)
}

/// Names of fonts by file: bitmap fonts, and what `fonts.scale` has.
fn fonts(process: &mut Process<'_>, folder: &[u8]) -> Result<Option<BTreeMap<String, String>>, Fatal> {
    let Some(files) = names(process, folder) else { return Ok(None) };
    let mut fonts = BTreeMap::new();
    let mut add = |process: &Process<'_>, file: &str, name: &str| {
        if fonts.values().any(|other| other == name) {
            return Err(process.not_modelled(format!("the font {name} in more than one file")));
        }
        fonts.insert(file.to_owned(), name.to_owned());
        Ok(())
    };
    if let Ok(scalable) = process.read_file(&join(folder, b"fonts.scale")) {
        for line in String::from_utf8_lossy(&scalable).lines().skip(1) {
            if let Some((file, name)) = line.split_once(' ') {
                add(process, file, name.trim_start())?;
            }
        }
    }
    for file in files {
        let path = join(folder, &file);
        if !process.lookup(&path).is_ok_and(|id| process.inode(id).is_file()) {
            continue;
        }
        let Some(bytes) = read(process, &path)? else { continue };
        match x11_fonts::identify(&bytes) {
            Ok(Font::Bitmap(name)) => add(process, &show(&file), &name)?,
            Ok(Font::Scalable | Font::Other) => {}
            Err(error) => return Err(process.not_modelled(format!("{}, {error},", show(&path)))),
        }
    }
    Ok(Some(fonts))
}
