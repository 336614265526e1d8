//! expand: tabs into blanks.

use crate::shell::{Fatal, Process, Status, files::show, options::parse, size::number};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, &["i initial", "t tabs="])?;
    let text = arguments.value("t").unwrap_or(b"8").to_vec();
    let stops: Option<Vec<u64>> = text.split(|b| matches!(b, b',' | b' ')).map(number).collect();
    let Some(stops) = stops.filter(|stops| stops[0] > 0 && stops.windows(2).all(|pair| pair[0] < pair[1])) else {
        return process.fail(&format!("tab size contains invalid character(s): '{}'", show(&text)));
    };
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        let mut out = Vec::new();
        let (mut column, mut initial) = (0, true);
        for &byte in &*text {
            match byte {
                b'\t' if initial || !arguments.has("i") => {
                    let stop = next_stop(&stops, column);
                    out.resize(out.len() + usize::try_from(stop - column).unwrap_or(1), b' ');
                    column = stop;
                }
                b'\n' => {
                    out.push(byte);
                    (column, initial) = (0, true);
                }
                byte => {
                    out.push(byte);
                    column += 1;
                    initial &= byte == b' ';
                }
            }
        }
        process.out(&out)?;
    }
    Ok(status)
}

/// One stop means every so many columns; behind the last of several, a tab is one blank.
fn next_stop(stops: &[u64], column: u64) -> u64 {
    match stops {
        [every] => (column / every + 1) * every,
        stops => stops.iter().copied().find(|stop| *stop > column).unwrap_or(column + 1),
    }
}
