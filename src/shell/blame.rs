//! Where a fatal error arose: the scripts that lead to it, the command, and what is wrong with that.

use super::Fatal;

impl Fatal {
    /// Files and lines from the script that was run to the place of the error.
    pub fn places(&self) -> Vec<(&[u8], usize)> {
        let mut places = Vec::new();
        let mut fatal = self;
        while let Self::At { script, line, source, .. } = fatal {
            places.push((script.as_slice(), *line));
            fatal = source;
        }
        places
    }

    /// The command that could not be done, with its arguments; empty when it was no command.
    pub fn command(&self) -> &[Vec<u8>] {
        let (mut command, mut fatal): (&[Vec<u8>], _) = (&[], self);
        while let Self::At { argv, source, .. } = fatal {
            (command, fatal) = (argv, source);
        }
        command
    }

    /// What is wrong, wherever that is.
    pub fn reason(&self) -> &Self {
        let mut fatal = self;
        while let Self::At { source, .. } = fatal {
            fatal = source;
        }
        fatal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_the_innermost_place() {
        let at = |script: &str, line, command: &str, source| Fatal::At {
            script: script.into(),
            line,
            argv: command.split(' ').map(Into::into).collect(),
            source: Box::new(source),
        };
        let lack = Fatal::UnknownCommand(b"/bin/perl".to_vec());
        let whole = at("/a", 3, "b -x", at("/b", 7, "perl -e 1", lack.clone()));
        assert_eq!(whole.places(), [(b"/a".as_slice(), 3), (b"/b", 7)]);
        assert_eq!(whole.command(), [b"perl".to_vec(), b"-e".to_vec(), b"1".to_vec()]);
        assert_eq!(whole.reason(), &lack);
        assert_eq!((lack.places().len(), lack.command().len(), lack.reason()), (0, 0, &lack));
    }
}
