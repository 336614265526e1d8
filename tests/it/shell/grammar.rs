//! Scripts from bytes: every byte is a choice in a grammar, so that whatever decides about bytes decides about scripts. They call
//! nothing but built-in commands and `cat`, name only files of the folder they run in, and end.

/// Nested commands beyond which only simple ones come.
const DEPTH: u32 = 4;

/// Choices, read one after the other; after the end the first one is taken.
struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
    depth: u32,
    /// Inside a function, which must not call itself.
    inside: bool,
}

/// The script that `bytes` stand for.
pub fn script(bytes: &[u8]) -> String {
    let mut choices = Choices { bytes: bytes.iter(), depth: 0, inside: false };
    let mut text = "n=0; x=; y='a b'\n".to_owned();
    while choices.bytes.len() > 0 && text.len() < 4000 {
        text += &choices.command();
        text.push('\n');
    }
    text
}

impl Choices<'_> {
    fn below(&mut self, bound: u8) -> u8 {
        self.bytes.next().map_or(0, |byte| byte % bound)
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[usize::from(self.below(of.len() as u8))]
    }

    fn list(&mut self) -> String {
        let count = self.below(3) + 1;
        (0..count).map(|_| self.command()).collect::<Vec<_>>().join("; ")
    }

    fn command(&mut self) -> String {
        self.depth += 1;
        let kind = if self.depth > DEPTH { 0 } else { self.below(16) };
        let text = match kind {
            0..=3 => self.simple(),
            4 => format!("if {}; then {}; else {}; fi", self.list(), self.list(), self.list()),
            5 => format!("if {}; then {}; fi", self.command(), self.list()),
            6 => self.case(),
            7 => format!("for x in {}; do {}; done", self.words(), self.list()),
            8 => {
                let body = self.list();
                format!("n=0; while [ $n -lt 3 ]; do n=$((n+1)); {body}; [ $n -lt 9 ] || break; done")
            }
            9 => format!("( {} )", self.list()),
            10 => format!("{{ {}; }}", self.list()),
            11 => format!("{} | cat", self.braced()),
            12 => {
                let sign = self.pick(&["&&", "||"]);
                format!("{} {sign} {}", self.braced(), self.braced())
            }
            13 => format!("! {}", self.braced()),
            14 if !self.inside => {
                self.inside = true;
                let body = self.list();
                self.inside = false;
                format!("f() {{ {body}; }}; f {}", self.words())
            }
            15 => format!("cat <<E\n{} {}\nE\n", self.word(), self.word()),
            _ => self.simple(),
        };
        self.depth -= 1;
        text
    }

    /// A command that may stand on either side of an operator.
    fn braced(&mut self) -> String {
        format!("{{ {}\n}}", self.command())
    }

    fn case(&mut self) -> String {
        let (word, first, second) = (self.word(), self.pattern(), self.pattern());
        format!("case {word} in {first}) {};; {second}|z) {};; esac", self.list(), self.list())
    }

    fn pattern(&mut self) -> &'static str {
        self.pick(&["*", "a*", "?", "''", "[a-c]*", "a\\ b", "'a b'", "$x", "\"$y\"", "[!a]", "*b"])
    }

    fn simple(&mut self) -> String {
        let text = match self.below(20) {
            0..=3 => format!("echo {}", self.words()),
            4 => format!("printf '%s|' {}", self.words()),
            5 | 6 => format!("{}={}", self.pick(&["x", "y", "v"]), self.word()),
            7 => format!("x={} echo \"$x\"", self.word()),
            8 => self.pick(&["true", "false", ":", "set -e", "set +e", "set -u", "set -f", "set +f"]).to_owned(),
            9 => format!("[ {} {} {} ]", self.word(), self.pick(&["=", "!=", "-eq", "-lt"]), self.word()),
            10 => format!("[ {} {} ]", self.pick(&["-n", "-z", "-e", "-f", "!"]), self.word()),
            11 => format!("set -- {}", self.words()),
            12 => self.pick(&["shift", "shift 2", "unset x", "unset y v", "break", "continue", "return 3"]).to_owned(),
            13 => format!("eval \"{}\"", self.pick(&["x=1", "echo $x", "false", "echo '$y'", "(exit 4)", "set -- $y"])),
            14 => format!("trap 'echo {}' EXIT", self.pick(&["bye", "$?", "$x"])),
            15 => format!("read {} <<E\n{}\nE\n", self.pick(&["x", "x y", "-r x", "v x y"]), self.word()),
            16 => format!("IFS={}", self.pick(&["' '", ":", "", "' :'", "a"])),
            17 => format!("(exit {})", self.pick(&["0", "1", "7", "200"])),
            18 => format!("echo {} > {}", self.word(), self.pick(&["a", "b", "ab"])),
            _ => format!("export v={}", self.word()),
        };
        let redirection = if text.ends_with('\n') { 0 } else { self.below(12) };
        match redirection {
            10 => format!("{text} > c"),
            11 => format!("{text} 2>&1"),
            _ => text,
        }
    }

    fn words(&mut self) -> String {
        let count = self.below(4);
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn word(&mut self) -> String {
        let mut text = self.part();
        if self.below(3) == 2 {
            text += &self.part();
        }
        text
    }

    fn part(&mut self) -> String {
        const PLAIN: [&str; 26] = [
            "a",
            "b:c",
            "1",
            "$x",
            "\"$y\"",
            "$y",
            "'$x *'",
            "*",
            "a*",
            "\"$@\"",
            "$*",
            "$#",
            "$?",
            "\\*",
            "\"\"",
            "${x:-d e}",
            "\"${x:-$y}\"",
            "${y#a}",
            "${y%%b*}",
            "${#y}",
            "${x:+set}",
            "${y-u}",
            "\"a\\$b\"",
            "${v:=w}",
            "${1:-one}",
            "~",
        ];
        match self.below(31) {
            choice @ 0..26 => PLAIN[usize::from(choice)].to_owned(),
            26 | 27 => {
                format!("$(({}{}{}))", self.number(), self.pick(&["+", "-", "*", "<", "&&", "=="]), self.number())
            }
            28 if self.depth <= DEPTH => format!("$({})", self.command()),
            29 if self.depth <= DEPTH => format!("\"$({})\"", self.command()),
            _ => "c".to_owned(),
        }
    }

    fn number(&mut self) -> &'static str {
        self.pick(&["0", "1", "7", "n", "$n", "-3", "(2)", "010"])
    }
}
