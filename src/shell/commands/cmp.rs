//! cmp: compares two files byte by byte.

use crate::shell::{Fatal, Process, Status, files::show, options::parse, size::size};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["s quiet silent", "l verbose", "n bytes=", "b print-bytes", "i ignore-initial="])?;
    if arguments.has("b") || arguments.has("i") {
        return Err(process.not_modelled("options -b and -i"));
    }
    let (first, second) = match arguments.operands.as_slice() {
        [first] => (first.clone(), b"-".to_vec()),
        [first, second] => (first.clone(), second.clone()),
        operands => {
            let operands = operands.to_vec();
            process.wrong_operands(&operands, 2)?;
            return Ok(Status(2));
        }
    };
    let mut texts = Vec::new();
    for path in [&first, &second] {
        match process.read_file(path) {
            Ok(text) => texts.push(text),
            Err(error) => {
                if !arguments.has("s") {
                    process.complain(&format!("{}: {}", show(path), error.errno))?;
                }
                return Ok(Status(2));
            }
        }
    }
    let most = match arguments.value("n").map(size) {
        None => usize::MAX,
        Some(Some(count)) => usize::try_from(count).unwrap_or(usize::MAX),
        Some(None) => return Ok(Status(2)),
    };
    let (a, b) = (&texts[0][..most.min(texts[0].len())], &texts[1][..most.min(texts[1].len())]);
    if a == b {
        return Ok(Status::SUCCESS);
    }
    if arguments.has("s") {
        return Ok(Status::FAILURE);
    }
    let differing: Vec<usize> = (0..a.len().min(b.len())).filter(|at| a[*at] != b[*at]).collect();
    if arguments.has("l") {
        let width = a.len().max(b.len()).to_string().len();
        for at in &differing {
            process.out(format!("{:width$} {:3o} {:3o}\n", at + 1, a[*at], b[*at]).as_bytes())?;
        }
    } else if let Some(at) = differing.first() {
        let line = memchr::memchr_iter(b'\n', &a[..*at]).count() + 1;
        let unit = if process.translates() { "byte" } else { "char" };
        let text = format!("{} {} differ: {unit} {}, line {line}\n", show(&first), show(&second), at + 1);
        process.out(text.as_bytes())?;
        return Ok(Status::FAILURE);
    }
    if a.len() != b.len() {
        let (short, text) = if a.len() < b.len() { (&first, a) } else { (&second, b) };
        let message = match text.len() {
            0 => format!("EOF on {} which is empty", show(short)),
            length => {
                let lines = memchr::memchr_iter(b'\n', text).count();
                let place =
                    if text.ends_with(b"\n") { format!("line {lines}") } else { format!("in line {}", lines + 1) };
                let place = if arguments.has("l") { String::new() } else { format!(", {place}") };
                format!("EOF on {} after byte {length}{place}", show(short))
            }
        };
        process.complain(&message)?;
    }
    Ok(Status::FAILURE)
}
