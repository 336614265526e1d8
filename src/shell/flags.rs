//! The shell's options: `set -e` and its like.

/// One option: its letter and its long name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShellOption {
    pub(super) letter: u8,
    pub(super) name: &'static str,
}

/// In the order in which `set -o` lists them and `$-` shows their letters.
pub(super) const OPTIONS: [ShellOption; 17] = [
    ShellOption { letter: b'e', name: "errexit" },
    ShellOption { letter: b'f', name: "noglob" },
    ShellOption { letter: b'I', name: "ignoreeof" },
    ShellOption { letter: b'i', name: "interactive" },
    ShellOption { letter: b'm', name: "monitor" },
    ShellOption { letter: b'n', name: "noexec" },
    ShellOption { letter: b's', name: "stdin" },
    ShellOption { letter: b'x', name: "xtrace" },
    ShellOption { letter: b'v', name: "verbose" },
    ShellOption { letter: b'V', name: "vi" },
    ShellOption { letter: b'E', name: "emacs" },
    ShellOption { letter: b'C', name: "noclobber" },
    ShellOption { letter: b'a', name: "allexport" },
    ShellOption { letter: b'b', name: "notify" },
    ShellOption { letter: b'u', name: "nounset" },
    ShellOption { letter: 0, name: "nolog" },
    ShellOption { letter: 0, name: "debug" },
];

/// Which options are on: one bit for each of [`OPTIONS`], and bash's `pipefail`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    bits: u32,
    pub(super) pipefail: bool,
}

impl Options {
    fn get(self, letter: u8) -> bool {
        OPTIONS.iter().position(|option| option.letter == letter).is_some_and(|index| self.bits & (1 << index) != 0)
    }

    pub(super) fn is_on(self, index: usize) -> bool {
        self.bits & (1 << index) != 0
    }

    pub(super) fn set(&mut self, index: usize, on: bool) {
        if on {
            self.bits |= 1 << index;
        } else {
            self.bits &= !(1 << index);
        }
    }

    /// Sets the option of this letter; `false` when there is none.
    pub(super) fn set_letter(&mut self, letter: u8, on: bool) -> bool {
        let index = OPTIONS.iter().position(|option| option.letter == letter && letter != 0);
        if let Some(index) = index {
            self.set(index, on);
        }
        index.is_some()
    }

    pub(super) fn errexit(self) -> bool {
        self.bits & 1 != 0
    }

    pub(super) fn noglob(self) -> bool {
        self.bits & 2 != 0
    }

    pub(super) fn noexec(self) -> bool {
        self.get(b'n')
    }

    pub(super) fn xtrace(self) -> bool {
        self.get(b'x')
    }

    pub(super) fn noclobber(self) -> bool {
        self.get(b'C')
    }

    pub(super) fn allexport(self) -> bool {
        self.get(b'a')
    }

    pub(super) fn nounset(self) -> bool {
        self.get(b'u')
    }

    /// `$-`
    pub(super) fn letters(self) -> Vec<u8> {
        (0..OPTIONS.len())
            .filter(|&index| self.is_on(index) && OPTIONS[index].letter != 0)
            .map(|i| OPTIONS[i].letter)
            .collect()
    }
}
