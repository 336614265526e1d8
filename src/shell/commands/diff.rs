//! diff: lines in which two files differ.

use crate::shell::{
    Fatal, Process, Status,
    diff::{Hunk, hunks},
    files::{base_name, join, show},
    options::parse,
    size::number,
    time::{Moment, format as format_time},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &["a text", "N new-file", "q brief", "s report-identical-files", "u", "U unified=", "L label="],
    )?;
    let [first, second] = arguments.operands.as_slice() else {
        let operands = arguments.operands.clone();
        process.wrong_operands(&operands, 2)?;
        return Ok(Status(2));
    };
    let mut paths = [first.clone(), second.clone()];
    // A file and a directory: the file of that name in it.
    for (side, other) in [(0, 1), (1, 0)] {
        if process.is_dir(&paths[side]) {
            if process.is_dir(&paths[other]) {
                return Err(process.not_modelled("comparing directories"));
            }
            paths[side] = join(&paths[side], base_name(&paths[other]));
        }
    }
    let mut texts = Vec::new();
    for path in &paths {
        match process.read_file(path) {
            Ok(text) => texts.push(text),
            Err(error) if arguments.has("N") && error.errno == crate::tree::Errno::NotFound => {
                texts.push(Default::default());
            }
            Err(error) => {
                process.complain(&format!("{}: {}", show(path), error.errno))?;
                return Ok(Status(2));
            }
        }
    }
    let (a, b) = (&texts[0], &texts[1]);
    if a == b {
        if arguments.has("s") {
            let text = format!("Files {} and {} are identical\n", show(&paths[0]), show(&paths[1]));
            process.out(text.as_bytes())?;
        }
        return Ok(Status::SUCCESS);
    }
    if arguments.has("q") {
        process.out(format!("Files {} and {} differ\n", show(&paths[0]), show(&paths[1])).as_bytes())?;
        return Ok(Status::FAILURE);
    }
    if (a.contains(&0) || b.contains(&0)) && !arguments.has("a") {
        process.out(format!("Binary files {} and {} differ\n", show(&paths[0]), show(&paths[1])).as_bytes())?;
        return Ok(Status(2));
    }
    let (a, b) = (split(a), split(b));
    let unified = arguments.has("u") || arguments.has("U");
    let context = if unified { number(arguments.value("U").unwrap_or(b"3")).unwrap_or(3) } else { 0 };
    let found = hunks(&a, &b, usize::try_from(context).unwrap_or(usize::MAX));
    let mut out = Vec::new();
    if unified {
        let labels: Vec<_> =
            arguments.options.iter().filter(|(option, _)| *option == "L").map(|(_, l)| show(l)).collect();
        for (index, (path, mark)) in paths.iter().zip(["---", "+++"]).enumerate() {
            let title = labels.get(index).cloned().unwrap_or_else(|| titled(process, path));
            out.extend_from_slice(format!("{mark} {title}\n").as_bytes());
        }
        found.iter().for_each(|hunk| put_unified(hunk, &a, &b, &mut out));
    } else {
        found.iter().for_each(|hunk| put_normal(hunk, &a, &b, &mut out));
    }
    process.out(&out)?;
    Ok(Status::FAILURE)
}

/// Lines with their ends.
fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&b| b == b'\n').collect()
}

fn titled(process: &Process<'_>, path: &[u8]) -> String {
    let mtime = process.lookup(path).map(|id| process.inode(id).stat.mtime).unwrap_or_default();
    let when = format_time(&Moment::new(mtime.seconds, mtime.nanoseconds), b"%Y-%m-%d %H:%M:%S.%N %z");
    format!("{}\t{}", show(path), String::from_utf8_lossy(&when.unwrap_or_default()))
}

fn put(mark: &str, line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(mark.as_bytes());
    out.extend_from_slice(line);
    if !line.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

fn put_normal(hunk: &Hunk, a: &[&[u8]], b: &[&[u8]], out: &mut Vec<u8>) {
    let range = |start: usize, end: usize| match end - start {
        0 => start.to_string(),
        1 => end.to_string(),
        _ => format!("{},{end}", start + 1),
    };
    let (old, new) = (&hunk.old, &hunk.new);
    let kind = match (old.is_empty(), new.is_empty()) {
        (true, _) => 'a',
        (_, true) => 'd',
        _ => 'c',
    };
    out.extend_from_slice(format!("{}{kind}{}\n", range(old.start, old.end), range(new.start, new.end)).as_bytes());
    a[old.clone()].iter().for_each(|line| put("< ", line, out));
    if kind == 'c' {
        out.extend_from_slice(b"---\n");
    }
    b[new.clone()].iter().for_each(|line| put("> ", line, out));
}

fn put_unified(hunk: &Hunk, a: &[&[u8]], b: &[&[u8]], out: &mut Vec<u8>) {
    let range = |range: &std::ops::Range<usize>| match range.len() {
        1 => (range.start + 1).to_string(),
        0 => format!("{},0", range.start),
        length => format!("{},{length}", range.start + 1),
    };
    out.extend_from_slice(format!("@@ -{} +{} @@\n", range(&hunk.old), range(&hunk.new)).as_bytes());
    let mut i = hunk.old.start;
    for change in &hunk.changes {
        while i < change.0.start {
            put(" ", a[i], out);
            i += 1;
        }
        a[change.0.clone()].iter().for_each(|line| put("-", line, out));
        b[change.1.clone()].iter().for_each(|line| put("+", line, out));
        i = change.0.end;
    }
    a[i..hunk.old.end].iter().for_each(|line| put(" ", line, out));
}
