//! The smallest ELF files that the loader and its tools take: headers, one segment, a dynamic section.

const DYNAMIC_AT: u64 = 0x200;

const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_STRSZ: u64 = 10;
const DT_SYMENT: u64 = 11;
const DT_SONAME: u64 = 14;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const DT_FLAGS_1: u64 = 0x6fff_fffb;

/// What a file says of itself.
#[derive(Clone, Debug)]
pub struct Elf {
    is_64: bool,
    machine: u16,
    kind: u16,
    interpreter: Option<String>,
    is_dynamic: bool,
    strings: Vec<u8>,
    entries: Vec<(u64, u64)>,
}

impl Elf {
    /// A library for a 64-bit machine.
    pub fn library(machine: u16) -> Self {
        Self {
            is_64: true,
            machine,
            kind: 3,
            interpreter: None,
            is_dynamic: true,
            strings: vec![0],
            entries: Vec::new(),
        }
    }

    pub fn program(machine: u16, interpreter: &str) -> Self {
        Self { interpreter: Some(interpreter.to_owned()), ..Self::library(machine) }
    }

    pub fn narrow(self) -> Self {
        Self { is_64: false, ..self }
    }

    /// `e_type`.
    pub fn kind(self, kind: u16) -> Self {
        Self { kind, ..self }
    }

    pub fn without_dynamic(self) -> Self {
        Self { is_dynamic: false, ..self }
    }

    fn string(mut self, tag: u64, text: &str) -> Self {
        self.entries.push((tag, self.strings.len() as u64));
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        self
    }

    pub fn soname(self, name: &str) -> Self {
        self.string(DT_SONAME, name)
    }

    pub fn needs(self, name: &str) -> Self {
        self.string(DT_NEEDED, name)
    }

    pub fn rpath(self, path: &str) -> Self {
        self.string(DT_RPATH, path)
    }

    pub fn runpath(self, path: &str) -> Self {
        self.string(DT_RUNPATH, path)
    }

    /// `DF_1_NODEFLIB`.
    pub fn no_default_folders(mut self) -> Self {
        self.entries.push((DT_FLAGS_1, 0x800));
        self
    }

    /// The same with a text in every string replaced by another.
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        let texts = String::from_utf8(std::mem::take(&mut self.strings)).expect("texts");
        let entries = std::mem::take(&mut self.entries);
        let text =
            |offset: u64| texts[usize::try_from(offset).expect("small")..].split('\0').next().unwrap_or_default();
        self.strings.push(0);
        for (tag, value) in entries {
            match tag {
                DT_FLAGS_1 => self.entries.push((tag, value)),
                _ => self = self.string(tag, &text(value).replace(from, to)),
            }
        }
        self
    }

    pub fn build(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let word = |out: &mut Vec<u8>, number: u64| {
            let bytes = number.to_le_bytes();
            out.extend_from_slice(if self.is_64 { &bytes } else { &bytes[..4] });
        };
        let (header, segment) = if self.is_64 { (64, 56) } else { (52, 32) };
        let interpreter = self.interpreter.clone().unwrap_or_default() + "\0";
        let dynamic_len = (self.entries.len() as u64 + 5) * if self.is_64 { 16 } else { 8 };
        // An empty table of symbols, then the strings.
        let symbols_at = DYNAMIC_AT + dynamic_len;
        let strings_at = symbols_at + 24;
        let interpreter_at = strings_at + self.strings.len() as u64;
        let total = (interpreter_at + interpreter.len() as u64).next_multiple_of(0x1000);
        let strings_len = self.strings.len() as u64;
        let tables = [(DT_STRTAB, strings_at), (DT_STRSZ, strings_len), (DT_SYMTAB, symbols_at), (DT_SYMENT, 24)];
        let mut dynamic = Vec::new();
        for (tag, value) in self.entries.iter().copied().chain(tables).chain([(0, 0)]) {
            word(&mut dynamic, tag);
            word(&mut dynamic, value);
        }
        // Type, flags, offset, length.
        let mut segments = vec![(1_u32, 6_u32, 0, total)];
        if self.interpreter.is_some() {
            segments.insert(0, (3, 4, interpreter_at, interpreter.len() as u64));
        }
        if self.is_dynamic {
            segments.push((2, 6, DYNAMIC_AT, dynamic.len() as u64));
        }

        out.extend_from_slice(&[0x7f, b'E', b'L', b'F', 1 + u8::from(self.is_64), 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(&self.kind.to_le_bytes());
        out.extend_from_slice(&self.machine.to_le_bytes());
        out.extend_from_slice(&1_u32.to_le_bytes());
        for number in [0, header, 0] {
            word(&mut out, number);
        }
        out.extend_from_slice(&0_u32.to_le_bytes());
        for number in [header, segment, segments.len() as u64, if self.is_64 { 64 } else { 40 }, 0, 0] {
            out.extend_from_slice(&u16::try_from(number).expect("small").to_le_bytes());
        }
        for (kind, flags, offset, len) in segments {
            out.extend_from_slice(&kind.to_le_bytes());
            if self.is_64 {
                out.extend_from_slice(&flags.to_le_bytes());
            }
            for number in [offset, offset, offset, len, len] {
                word(&mut out, number);
            }
            if !self.is_64 {
                out.extend_from_slice(&flags.to_le_bytes());
            }
            word(&mut out, if kind == 1 { 0x1000 } else { 8 });
        }
        let mut put = |at: u64, bytes: &[u8]| {
            out.resize(usize::try_from(at).expect("small"), 0);
            out.extend_from_slice(bytes);
        };
        put(DYNAMIC_AT, &dynamic);
        put(strings_at, &self.strings);
        put(interpreter_at, interpreter.as_bytes());
        put(total, &[]);
        out
    }
}
