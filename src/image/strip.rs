//! What a partition leaves out of the tree that it is filled from.

use crate::{
    shell::{Fatal, extended::Extended},
    tree::{PathError, Tree, TreePath},
};

/// Why nothing could be left out.
#[derive(Debug, thiserror::Error)]
pub enum StripFault {
    #[error("`{0}` is no extended regular expression: {1}")]
    Expression(String, String),
    #[error("`{0}` matches no path")]
    Nothing(String),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error(transparent)]
    Path(#[from] PathError),
}

/// Empties folders.
pub(super) fn folders(tree: &mut Tree, folders: &[String]) -> Result<(), PathError> {
    for folder in folders {
        let (id, real) = tree.resolve(folder.as_bytes())?;
        let names: Vec<_> = tree.get(id).entries().into_iter().flat_map(|entries| entries.keys().cloned()).collect();
        for name in names {
            tree.remove_all(real.join(&name).as_bytes())?;
        }
    }
    Ok(())
}

/// Removes every path that one of the expressions matches as a whole.
pub(super) fn matching(tree: &mut Tree, expressions: &[String]) -> Result<(), StripFault> {
    let compile = |text: &String| Extended::whole(text).map_err(|why| StripFault::Expression(text.clone(), why));
    let compiled = expressions.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    let mut used = vec![false; compiled.len()];
    let mut gone: Vec<TreePath> = Vec::new();
    for visit in tree.walk() {
        let mut matches = false;
        for (expression, used) in compiled.iter().zip(&mut used) {
            if expression.is_match(visit.path.as_bytes())? {
                (matches, *used) = (true, true);
            }
        }
        if matches && !visit.path.is_root() {
            gone.push(visit.path);
        }
    }
    if let Some((text, _)) = expressions.iter().zip(used).find(|(_, used)| !used) {
        return Err(StripFault::Nothing(text.clone()));
    }
    // What is in a folder comes after it, so from the end on.
    for path in gone.iter().rev() {
        tree.remove_all(path.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{dump, parse_dump};

    #[test]
    fn leaves_out() {
        let before = "/ directory 0755 0:0 0\n/boot directory 0755 0:0 0\n/boot/grub directory 0755 0:0 0\n\
                      /boot/x symlink 0777 0:0 0 y\n/fw directory 0755 0:0 0\n/fw/a\\x20b.bin symlink 0777 0:0 0 y\n\
                      /fw/a.bin symlink 0777 0:0 0 y\n";
        let check = |expressions: &[&str], expect: Result<&[&str], &str>| {
            let mut tree = parse_dump(before).expect("a tree");
            let expressions: Vec<_> = expressions.iter().map(|text| (*text).to_owned()).collect();
            let got = matching(&mut tree, &expressions).map_err(|fault| fault.to_string());
            let paths = dump(&tree).lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect();
            let expect = expect.map(|paths| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
            assert_eq!(got.map(|()| paths), expect.map_err(str::to_owned), "{expressions:?}");
        };
        check(&["/boot/.+"], Ok(&["/", "/boot", "/fw", "/fw/a\\x20b.bin", "/fw/a.bin"]));
        check(&["/fw/a b\\.bin", "/boot"], Ok(&["/", "/fw", "/fw/a.bin"]));
        check(&["/fw/[^/]* [^/]*"], Ok(&["/", "/boot", "/boot/grub", "/boot/x", "/fw", "/fw/a.bin"]));
        check(&["boot"], Err("`boot` matches no path"));
        check(&["("], Err("`(` is no extended regular expression: Unmatched ( or \\("));
    }
}
