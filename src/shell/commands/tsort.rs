//! tsort: an order that fits pairs of earlier and later.

use std::collections::{BTreeMap, VecDeque};

use crate::shell::{Fatal, Process, Status, files::show, options::parse};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &[])?;
    if arguments.operands.len() > 1 {
        return process.wrong_operands(&arguments.operands, 1);
    }
    let path = arguments.operands.first().cloned().unwrap_or_else(|| b"-".to_vec());
    let Some(text) = process.read_operand(&path)? else { return Ok(Status::FAILURE) };
    let words: Vec<&[u8]> = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    if words.len() % 2 == 1 {
        return process.fail(&format!("{}: input contains an odd number of tokens", show(&path)));
    }
    let mut items: BTreeMap<&[u8], Item<'_>> = BTreeMap::new();
    for pair in words.chunks(2) {
        let (earlier, later) = (pair[0], pair[1]);
        items.entry(earlier).or_default();
        items.entry(later).or_default();
        if earlier != later {
            items.entry(later).or_default().waits += 1;
            items.entry(earlier).or_default().before.push(later);
        }
    }
    // Who waits for nobody comes in order of names; who is freed comes after, the last pair's first.
    let mut ready: VecDeque<&[u8]> = items.iter().filter(|(_, item)| item.waits == 0).map(|(name, _)| *name).collect();
    let mut out = Vec::new();
    let mut left = items.len();
    while let Some(name) = ready.pop_front() {
        out.extend_from_slice(name);
        out.push(b'\n');
        left -= 1;
        let later = items.get_mut(name).map(|item| std::mem::take(&mut item.before)).unwrap_or_default();
        for name in later.into_iter().rev() {
            let item = items.entry(name).or_default();
            item.waits -= 1;
            if item.waits == 0 {
                ready.push_back(name);
            }
        }
    }
    if left > 0 {
        return Err(process.not_modelled("an input with a loop"));
    }
    process.out(&out)?;
    Ok(Status::SUCCESS)
}

#[derive(Default)]
struct Item<'t> {
    waits: u32,
    before: Vec<&'t [u8]>,
}
