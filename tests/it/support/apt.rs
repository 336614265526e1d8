//! apt with a state of its own: an empty root, sources of the test's choice, and what it would install.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use icos::{deb::release, resolve::universe::Origin};

use super::judge::{judge, run};

/// A configuration in a folder, with its indexes fetched.
pub struct Apt {
    folder: tempfile::TempDir,
    native: String,
}

/// An index as apt has it, in apt's order.
pub struct AptIndex {
    pub origin: Origin,
    pub architecture: String,
    pub text: Vec<u8>,
}

/// `name version architecture` of each package, sorted; or apt's complaint.
pub type Answer = Result<Vec<String>, String>;

impl Apt {
    /// With these lines of a sources list. `None` when apt is not installed and this is not CI.
    pub fn new(sources: &str, architectures: &[&str]) -> Option<Self> {
        let apt = Self::configured(architectures)?;
        apt.write("sources.list", sources);
        apt.append(&format!(
            "Dir::Etc::sourcelist \"{0}/sources.list\"; Dir::Etc::sourceparts \"{0}/log\";\n",
            apt.path()
        ));
        let (code, output, errors) = apt.run("apt-get", &["update"]);
        assert_eq!(code, 0, "{output}{errors}");
        Some(apt)
    }

    /// With the sources of this machine. `None` when apt is not installed or its mirror cannot be reached, and this is not CI.
    #[expect(clippy::disallowed_methods, reason = "CI says by a variable that nothing may be skipped")]
    #[expect(clippy::print_stderr, reason = "a skip must be seen")]
    pub fn of_host(architectures: &[&str]) -> Option<Self> {
        let apt = Self::configured(architectures)?;
        apt.append(
            "Dir::Etc::sourcelist \"/etc/apt/sources.list\"; Dir::Etc::sourceparts \"/etc/apt/sources.list.d\";\n",
        );
        let (code, _, errors) = apt.run("apt-get", &["--error-on=any", "update"]);
        if code == 0 && !apt.indexes().is_empty() {
            return Some(apt);
        }
        // A mirror that is being updated has now and then no sound index of a suite that changes; the release itself is enough.
        eprintln!("the release alone, since not all suites can be had: {errors}");
        apt.write("sources.list", &Self::release_of_host()?);
        apt.append(&format!(
            "Dir::Etc::sourcelist \"{0}/sources.list\"; Dir::Etc::sourceparts \"{0}/log\";\n",
            apt.path()
        ));
        let (code, output, errors) = apt.run("apt-get", &["--error-on=any", "update"]);
        if code == 0 && !apt.indexes().is_empty() {
            return Some(apt);
        }
        assert!(std::env::var_os("CI").is_none(), "{output}{errors}");
        eprintln!("skipped: this machine's apt sources cannot be read: {errors}");
        None
    }

    /// A sources list with the suites of this machine that are no pockets: `bookworm`, not `bookworm-security`.
    fn release_of_host() -> Option<String> {
        let mut apt = judge("apt-get")?;
        let (_, output, _) =
            run(apt.args(["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]));
        let lines: std::collections::BTreeSet<&str> =
            output.lines().filter(|line| line.split(' ').nth(1).is_some_and(|suite| !suite.contains('-'))).collect();
        Some(lines.iter().map(|line| format!("deb {line}\n")).collect())
    }

    fn configured(architectures: &[&str]) -> Option<Self> {
        judge("apt-get")?;
        let native = architectures[0];
        let apt = Self { folder: tempfile::tempdir().expect("a folder"), native: native.to_owned() };
        for folder in ["lists/partial", "archives/partial", "log"] {
            fs_err::create_dir_all(apt.folder.path().join(folder)).expect("writable");
        }
        apt.write("status", "");
        let list = architectures.iter().map(|name| format!("\"{name}\";")).collect::<String>();
        let home = apt.path();
        apt.append(&format!(
            "APT::Architecture \"{native}\"; APT::Architectures {{ {list} }}; APT::Sandbox::User \"\";\n\
             Dir::State \"{home}\"; Dir::State::lists \"{home}/lists\"; Dir::State::status \"{home}/status\";\n\
             Dir::Cache \"{home}\"; Dir::Log \"{home}/log\"; Dir::Etc::parts \"{home}/log\";\n\
             Dir::Etc::preferences \"{home}/preferences\"; Dir::Etc::preferencesparts \"{home}/log\";\n\
             Acquire::Languages \"none\"; APT::Update::Post-Invoke-Success \"\"; Debug::NoLocking \"1\";\n\
             APT::Install-Recommends \"false\"; pkgCacheGen::ForceEssential \"\"; Acquire::Retries \"3\";\n",
        ));
        Some(apt)
    }

    /// The text of apt_preferences(5).
    pub fn prefer(&self, preferences: &str) {
        self.write("preferences", preferences);
    }

    /// One set by `apt-get install`.
    pub fn install(&self, words: &[&str], recommends: bool) -> Answer {
        let recommends = format!("APT::Install-Recommends={recommends}");
        let mut arguments = vec!["-qq", "--print-uris", "-o", &recommends, "install"];
        let words = self.patterns(words);
        arguments.extend(words.iter().map(String::as_str));
        let (code, output, errors) = self.run("apt-get", &arguments);
        if code != 0 {
            return Err(format!("{output}{errors}"));
        }
        let files = output.lines().filter_map(|line| line.split_whitespace().nth(1)?.strip_suffix(".deb"));
        let mut packages: Vec<_> = files.map(|file| file.replace("%3a", ":").replace('_', " ")).collect();
        packages.sort();
        Ok(packages)
    }

    /// One set that may have files in it, by `apt-get --simulate install`: `name version architecture`, sorted.
    pub fn simulate(&self, words: &[&str]) -> Answer {
        let words = self.patterns(words);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let (code, output, errors) = self.run("apt-get", &[["-s", "install"].as_slice(), &words].concat());
        if code != 0 {
            return Err(format!("{output}{errors}"));
        }
        // Inst libssl3 (3.0.20-1 Debian:12/stable [amd64])
        let line = |line: &str| {
            let mut words =
                line.strip_prefix("Inst ")?.split([' ', '(', ')', '[', ']']).filter(|word| !word.is_empty());
            let (name, version) = (words.next()?, words.next()?);
            Some(format!("{} {version} {}", name.split(':').next()?, words.next_back()?))
        };
        let mut packages: Vec<_> = output.lines().filter_map(line).collect();
        packages.sort();
        Ok(packages)
    }

    /// apt's own `?essential` takes packages of all architectures, and these are against each other.
    fn patterns(&self, words: &[&str]) -> Vec<String> {
        let pattern = |word: &&str| match *word {
            "?essential" => format!("?essential?architecture({})", self.native),
            word => word.to_owned(),
        };
        words.iter().map(pattern).collect()
    }

    /// Fetches packages into a folder; `None` when their mirror does not give them and this is not CI.
    #[expect(clippy::disallowed_methods, reason = "CI says by a variable that nothing may be skipped")]
    #[expect(clippy::print_stderr, reason = "a skip must be seen")]
    pub fn download(&self, folder: &Path, names: &[&str]) -> Option<()> {
        let mut command = judge("apt-get").expect("it was there a moment ago");
        command.env("APT_CONFIG", self.config()).current_dir(folder).args(["-qq", "download"]).args(names);
        let (code, _, errors) = run(&mut command);
        if code == 0 {
            return Some(());
        }
        assert!(std::env::var_os("CI").is_none(), "{errors}");
        eprintln!("skipped: apt cannot download: {errors}");
        None
    }

    /// Many sets by one process, each a line of names.
    pub fn resolve(&self, sets: &[String], recommends: bool) -> Option<Vec<Answer>> {
        let mut python = judge("python3")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/apt-sets.py");
        python.arg(script).arg(self.config()).arg(format!("APT::Install-Recommends={recommends}"));
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
        let mut input = child.stdin.take().expect("piped");
        let text = sets.join("\n") + "\n";
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
        let output = child.wait_with_output().expect("python ends");
        writer.join().expect("no panic").expect("python reads");
        assert!(output.status.success(), "python3-apt is missing");
        let answers = String::from_utf8(output.stdout).expect("JSON");
        let answers: Vec<Answer> = answers.lines().map(answer).collect();
        assert_eq!(answers.len(), sets.len());
        Some(answers)
    }

    /// The indexes in the order in which apt reads them.
    pub fn indexes(&self) -> Vec<AptIndex> {
        let format = "$(FILENAME)|$(SUITE)|$(CODENAME)|$(COMPONENT)|$(ARCHITECTURE)|$(RELEASE)";
        let (code, output, errors) = self.run("apt-get", &["indextargets", "--format", format, "Identifier: Packages"]);
        assert_eq!(code, 0, "{errors}");
        output.lines().map(|line| self.index(&line.split('|').collect::<Vec<_>>())).collect()
    }

    fn index(&self, columns: &[&str]) -> AptIndex {
        let [file, suite, codename, component, architecture, folder] = *columns else { panic!("{columns:?}") };
        let (prefix, _) = file.rsplit_once(&format!("_{component}_binary-")).expect("apt's names");
        // Without a key apt takes the signed file for the plain one.
        let text =
            ["InRelease", "Release"].iter().find_map(|name| fs_err::read_to_string(format!("{prefix}_{name}")).ok());
        let text = text.expect("one of the two");
        let signed = text.split_once("\n\n").and_then(|(_, rest)| rest.split_once("-----BEGIN PGP SIGNATURE"));
        let text = signed.map_or(text.as_str(), |(text, _)| text);
        let release = release::parse(text).expect("a Release file");
        let origin = Origin {
            archive: prefix.to_owned(),
            suite: folder.to_owned(),
            component: component.to_owned(),
            path: format!("{component}/binary-{architecture}/Packages"),
            names: vec![suite.to_owned(), codename.to_owned()],
            not_automatic: release.not_automatic,
            but_automatic_upgrades: release.but_automatic_upgrades,
        };
        AptIndex { origin, architecture: architecture.to_owned(), text: fs_err::read(file).expect("readable") }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> (i32, String, String) {
        let mut command = judge(program).expect("it was there a moment ago");
        run(command.env("APT_CONFIG", self.config()).args(arguments))
    }

    fn path(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("apt.conf")
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.folder.path().join(name), text).expect("writable");
    }

    fn append(&self, text: &str) {
        let before = fs_err::read_to_string(self.config()).unwrap_or_default();
        self.write("apt.conf", &(before + text));
    }
}

fn answer(line: &str) -> Answer {
    let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
    match value["err"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => {
            let packages = value["out"].as_array().expect("a list").iter();
            Ok(packages.map(|package| package.as_str().expect("a text").to_owned()).collect())
        }
    }
}
