//! The named suite that asks which share of packages has only commands that are built in, on a first installation.
//!
//! ```text
//! python3 tests/oracle/control-corpus.py CORPUS SOURCE...          # SOURCE: folders of .debs, or the root of a system
//! ICOS_CORPUS=CORPUS cargo test --test it corpus -- --ignored --nocapture
//! ```
//!
//! Nothing is run: each script is followed with the arguments that dpkg gives it (`preinst install`, `postinst configure ""`,
//! `config configure ""`). A program counts as there when it is built in, or when a package ships it as a shell script, which
//! icos interprets. Two shares are printed. The strict one counts every program that some way through the script comes to.
//! For the other, a way is left out that is only gone when a program is there (`command -v`, `[ -x ... ]`) which neither
//! the package, nor what it depends on, nor an essential package ships, or when a program is missing which one of them
//! ships: such a way is not taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use icos::shell::{
    commands,
    reach::{Guards, Question, Reached, reach},
};

const SCRIPTS: [(&str, &[&[u8]]); 3] =
    [("preinst", &[b"install"]), ("postinst", &[b"configure", b""]), ("config", &[b"configure", b""])];

/// Folders of `PATH`, as they are in a list of files.
const FOLDERS: [&str; 6] = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];

/// Links that no package ships, because its postinst makes them with update-alternatives: name, what it leads to.
const ALTERNATIVES: [(&str, &str); 1] = [("usr/bin/which", "-> which.debianutils")];

#[derive(Default)]
struct Corpus {
    folder: PathBuf,
    /// Of each path: the kind of program, and the packages that ship it.
    programs: BTreeMap<String, (String, BTreeSet<String>)>,
    /// Names that a package depends on, alternatives and all; and the essential packages.
    depends: BTreeMap<String, BTreeSet<String>>,
    essential: BTreeSet<String>,
}

impl Corpus {
    fn load(folder: PathBuf) -> Self {
        let mut corpus = Self { folder, ..Self::default() };
        let table = fs_err::read_to_string(corpus.folder.join("programs.tsv")).expect("a table of programs");
        for line in table.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            let &[path, package, kind] = fields.as_slice() else { panic!("not three columns: {line}") };
            let (_, packages) =
                corpus.programs.entry(path.to_owned()).or_insert_with(|| (kind.to_owned(), BTreeSet::new()));
            packages.insert(package.to_owned());
        }
        for (link, target) in ALTERNATIVES {
            let owner = corpus.programs.get(&target.replace("-> ", "usr/bin/")).map(|(_, by)| by.clone());
            corpus.programs.entry(link.to_owned()).or_insert((target.to_owned(), owner.unwrap_or_default()));
        }
        for package in corpus.packages() {
            let control = fs_err::read(corpus.path(&package, "control")).expect("a control file");
            let control = String::from_utf8_lossy(&control).into_owned();
            let fields = |name: &str| {
                control.lines().filter_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned)).next()
            };
            let needs = [fields("Depends"), fields("Pre-Depends")].into_iter().flatten().collect::<Vec<_>>().join(",");
            let names = needs.split([',', '|']).filter_map(|one| one.trim().split([' ', ':', '(']).next());
            let names = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
            if fields("Essential").is_some_and(|value| value == "yes") {
                corpus.essential.insert(package.clone());
            }
            corpus.depends.insert(package, names);
        }
        corpus
    }

    fn packages(&self) -> Vec<String> {
        let entries = fs_err::read_dir(self.folder.join("packages")).expect("a folder of packages");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn path(&self, package: &str, file: &str) -> PathBuf {
        self.folder.join("packages").join(package).join(file)
    }

    /// The package, what it depends on, and what is always there.
    fn closure(&self, package: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<_> = self.essential.iter().cloned().chain([package.to_owned()]).collect();
        while let Some(name) = todo.pop() {
            if found.insert(name.clone()) {
                todo.extend(self.depends.get(&name).into_iter().flatten().cloned());
            }
        }
        found
    }

    /// Where a program may be: all paths of a name.
    fn places(&self, name: &str) -> Vec<String> {
        match name.strip_prefix('/') {
            Some(path) => vec![path.to_owned()],
            None => FOLDERS.iter().map(|folder| format!("{folder}/{name}")).collect(),
        }
    }

    /// The kind of a program and the path at the end of its links.
    fn real(&self, path: &str) -> Option<(String, String)> {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let (kind, _) = self.programs.get(&path)?;
            let Some(target) = kind.strip_prefix("-> ") else { return Some((kind.clone(), path)) };
            path = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => joined(Path::new(&path).parent()?, target),
            };
        }
        None
    }

    fn is_there(&self, name: &str) -> bool {
        let built_in = |path: &str| commands::find(path.rsplit('/').next().unwrap_or(path).as_bytes()).is_some();
        let interpreted = |kind: &str| matches!(kind, "sh" | "dash" | "bash" | "text");
        let real: Vec<_> = self.places(name).iter().filter_map(|path| self.real(path)).collect();
        built_in(name) || real.iter().any(|(kind, path)| interpreted(kind) || built_in(path))
    }

    /// Whether a program comes with one of these packages, or nobody can know.
    fn comes_with(&self, name: &str, packages: &BTreeSet<String>) -> bool {
        self.places(name).iter().filter_map(|path| self.programs.get(path)).any(|(_, by)| !by.is_disjoint(packages))
    }
}

fn joined(folder: &Path, target: &str) -> String {
    let mut parts: Vec<_> = folder.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name.to_owned()),
        }
    }
    parts.join("/")
}

/// What a script lacks, counted both ways.
#[derive(Clone, Debug, Default)]
struct Lacks {
    strict: BTreeSet<String>,
    taken: BTreeSet<String>,
}

impl Lacks {
    fn add(&mut self, what: String) {
        self.strict.insert(what.clone());
        self.taken.insert(what);
    }

    fn join(&mut self, other: Self) {
        self.strict.extend(other.strict);
        self.taken.extend(other.taken);
    }
}

/// The name of the program that a script is for.
fn interpreter(source: &[u8]) -> String {
    let Some(rest) = source.strip_prefix(b"#!") else {
        return if source.starts_with(b"\x7fELF") { "ELF" } else { "none" }.to_owned();
    };
    let line = String::from_utf8_lossy(rest.split(|&b| b == b'\n').next().unwrap_or_default()).into_owned();
    let word = line.split_whitespace().next().unwrap_or_default();
    word.rsplit('/').next().unwrap_or_default().to_owned()
}

fn follow(corpus: &Corpus, package: &str, script: &str, source: &[u8], arguments: &[&[u8]]) -> Reached {
    let file = |path: &[u8]| {
        let path = String::from_utf8_lossy(path).into_owned();
        fs_err::read(corpus.folder.join("files").join(path.trim_start_matches('/'))).ok().map(Bytes::from)
    };
    let variables: [(&[u8], Option<&[u8]>); 12] = [
        (b"DEBCONF_REDIR", None),
        (b"DEBIAN_FRONTEND", Some(b"noninteractive")),
        // Only frontend starts such a script, and then there is one.
        (b"DEBIAN_HAS_FRONTEND", Some(b"1")),
        (b"DPKG_ADMINDIR", Some(b"/var/lib/dpkg")),
        (b"DPKG_MAINTSCRIPT_ARCH", None),
        (b"DPKG_MAINTSCRIPT_NAME", Some(script.as_bytes())),
        (b"DPKG_MAINTSCRIPT_PACKAGE", Some(package.as_bytes())),
        (b"DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", Some(b"1")),
        (b"DPKG_ROOT", Some(b"")),
        (b"DPKG_RUNNING_VERSION", None),
        (b"HOME", None),
        (b"PATH", None),
    ];
    reach(&Question { source, bash: interpreter(source) == "bash", arguments, variables: &variables, file: &file })
}

fn lacks(corpus: &Corpus, package: &str, reached: &Reached) -> Lacks {
    let mut lacks = Lacks::default();
    let there = corpus.closure(package);
    let taken = |guards: &Guards| {
        guards.iter().all(|guard| corpus.comes_with(&String::from_utf8_lossy(&guard.program), &there) == guard.there)
    };
    for (name, ways) in &reached.programs {
        let name = String::from_utf8_lossy(name).into_owned();
        if corpus.is_there(&name) {
            continue;
        }
        lacks.strict.insert(name.clone());
        if ways.iter().any(taken) {
            lacks.taken.insert(name);
        }
    }
    if !reached.dynamic.is_empty() {
        lacks.add("(a name made when it runs)".to_owned());
    }
    for path in &reached.unread {
        lacks.add(format!("(file {})", String::from_utf8_lossy(path)));
    }
    if let Some(fault) = &reached.fault {
        lacks.add(format!("(fault {})", fault.split_once(": ").map_or(fault.as_str(), |(_, reason)| reason)));
    }
    lacks
}

#[derive(Default)]
struct Count {
    all: usize,
    strict: usize,
    taken: usize,
}

impl Count {
    fn add(&mut self, lacks: &Lacks) {
        self.all += 1;
        self.strict += usize::from(lacks.strict.is_empty());
        self.taken += usize::from(lacks.taken.is_empty());
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |part: usize| 100.0 * part as f64 / self.all.max(1) as f64;
        let (strict, taken) = (share(self.strict), share(self.taken));
        write!(
            formatter,
            "{:6}  strict {:6} ({strict:.1} %)  ways taken {:6} ({taken:.1} %)",
            self.all, self.strict, self.taken
        )
    }
}

/// Missing commands: packages that lack nothing else, and all that lack it.
fn wanted(sets: &[(String, BTreeSet<String>)]) -> String {
    let mut counts: BTreeMap<&str, (usize, Vec<&str>)> = BTreeMap::new();
    for (package, set) in sets {
        for name in set {
            let count = counts.entry(name).or_default();
            count.0 += 1;
            if set.len() == 1 {
                count.1.push(package);
            }
        }
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by(|(a, x), (b, y)| (y.1.len(), y.0, a).cmp(&(x.1.len(), x.0, b)));
    let line = |(name, (all, alone)): &(&str, (usize, Vec<&str>))| {
        let some = alone.iter().take(4).copied().collect::<Vec<_>>().join(" ");
        format!("{:5} {all:5}  {name}    {some}\n", alone.len())
    };
    rows.iter().take(80).map(line).collect()
}

#[test]
#[ignore = "a named suite, told by a variable what to read"]
fn share_of_packages_with_all_commands() {
    #[expect(clippy::disallowed_methods, reason = "a suite that is started by hand is told its folder by a variable")]
    let corpus = Corpus::load(std::env::var_os("ICOS_CORPUS").map(PathBuf::from).expect("ICOS_CORPUS names a folder"));
    let (mut packages, mut scripts) = (Count::default(), Count::default());
    let mut interpreters: BTreeMap<String, Count> = BTreeMap::new();
    let (mut faults, mut dynamic) = (Vec::new(), Vec::new());
    let mut sets = Vec::new();
    for package in corpus.packages() {
        let mut whole = None;
        for (script, arguments) in SCRIPTS {
            let Ok(source) = fs_err::read(corpus.path(&package, script)) else { continue };
            let name = interpreter(&source);
            let mut lacking = Lacks::default();
            if matches!(name.as_str(), "sh" | "dash" | "bash" | "none") {
                let reached = follow(&corpus, &package, script, &source, arguments);
                faults.extend(reached.fault.iter().map(|fault| format!("{package}.{script}: {fault}")));
                if !reached.dynamic.is_empty() {
                    dynamic.push(format!("{package}.{script}: lines {:?}", reached.dynamic));
                }
                lacking = lacks(&corpus, &package, &reached);
            } else {
                lacking.add(format!("(a {script} for {name})"));
            }
            scripts.add(&lacking);
            interpreters.entry(name).or_default().add(&lacking);
            whole.get_or_insert_with(Lacks::default).join(lacking);
        }
        if let Some(lacking) = whole {
            packages.add(&lacking);
            sets.push((package, lacking));
        }
    }
    println!("packages {packages}\nscripts  {scripts}");
    for (name, count) in &interpreters {
        println!("{name:8} {count}");
    }
    println!("names only made when it runs\n{}", dynamic.join("\n"));
    println!("scripts that can't be read {}\n{}", faults.len(), faults.join("\n"));
    let of = |take: fn(&Lacks) -> &BTreeSet<String>| -> Vec<_> {
        sets.iter().map(|(package, lacking)| (package.clone(), take(lacking).clone())).collect()
    };
    println!("\nmissing on ways taken: alone, in all\n{}", wanted(&of(|lacking| &lacking.taken)));
    println!("missing, strictly: alone, in all\n{}", wanted(&of(|lacking| &lacking.strict)));
    assert!(packages.all > 0, "no package has a script");
}
