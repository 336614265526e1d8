//! pam-auth-update: the files `/etc/pam.d/common-*` from the profiles that packages bring.
//!
//! It asks debconf which profiles are wanted, as the real one does, and gets the answers that are there: those of a preseed, or
//! the profiles' own defaults.

use crate::{
    debconf::unescape,
    shell::{Fatal, Machine, Process, Status, files::show},
};
use profile::Profiles;

mod current;
mod profile;
mod stack;

/// Where profiles, the files made of them, and the memory of what was made are.
#[derive(Clone, Debug)]
struct Places {
    profiles: Vec<u8>,
    files: Vec<u8>,
    memory: Vec<u8>,
}

/// The files `common-*`: what each is called, and the type that its lines begin with.
const TYPES: [(&str, &str); 5] = [
    ("auth", "auth"),
    ("account", "account"),
    ("password", "password"),
    ("session", "session"),
    ("session-noninteractive", "session"),
];

/// Templates as packages ship them.
const TEMPLATES: &str = "/usr/share/pam/common-";

const PROFILES: &str = "libpam-runtime/profiles";
const CONFLICTS: &str = "libpam-runtime/conflicts";
const OVERRIDE: &str = "libpam-runtime/override";
const NONE_CHOSEN: &str = "libpam-runtime/no_profiles_chosen";
const TITLE: &str = "libpam-runtime/title";
const QUESTIONS: &str = "/var/lib/dpkg/info/libpam-runtime.templates";

/// Questions that get no other answer however often they are asked.
const ROUNDS: usize = 100;

const MODIFIED: &[u8] = b"\npam-auth-update: Local modifications to /etc/pam.d/common-*, not updating.\n\
    pam-auth-update: Run pam-auth-update --force to override.\n\n";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    if process.machine.debconf.is_none() {
        let frontend = b"/usr/share/debconf/frontend".to_vec();
        let argv = [frontend].into_iter().chain(process.argv.iter().cloned()).collect();
        return process.run(argv);
    }
    let request = match Request::parse(process)? {
        Ok(request) => request,
        Err(complaint) => return process.fail(&complaint),
    };
    match update(process, &request)? {
        Ok(()) => Ok(Status::SUCCESS),
        Err(complaint) => process.fail(&complaint),
    }
}

/// What the arguments ask for.
#[derive(Debug)]
struct Request {
    places: Places,
    /// What was changed by hand is overwritten.
    force: bool,
    /// A package asks: only profiles that are new are shown.
    package: bool,
    remove: Vec<String>,
    disable: Vec<String>,
    enable: Vec<String>,
}

impl Request {
    fn parse(process: &Process<'_>) -> Result<Result<Self, String>, Fatal> {
        let mut arguments = process.arguments().into_iter().peekable();
        let mut request = Self {
            places: Places {
                profiles: b"/usr/share/pam-configs".to_vec(),
                files: b"/etc/pam.d".to_vec(),
                memory: b"/var/lib/pam".to_vec(),
            },
            force: false,
            package: false,
            remove: Vec::new(),
            disable: Vec::new(),
            enable: Vec::new(),
        };
        while let Some(option) = arguments.next() {
            let names = match option.as_slice() {
                b"--force" => {
                    request.force = true;
                    continue;
                }
                b"--package" => {
                    request.package = true;
                    continue;
                }
                b"--root" => {
                    let Some(root) = arguments.next() else { return Ok(Err("--root: no folder".to_owned())) };
                    let Places { profiles, files, memory } = &mut request.places;
                    for place in [profiles, files, memory] {
                        place.splice(..0, root.iter().copied());
                    }
                    continue;
                }
                b"--remove" => &mut request.remove,
                b"--disable" => &mut request.disable,
                b"--enable" => &mut request.enable,
                other => return Err(process.not_modelled(format!("argument `{}`", show(other)))),
            };
            while let Some(name) = arguments.next_if(|next| !next.starts_with(b"--")) {
                names.push(String::from_utf8_lossy(&name).into_owned());
                request.package = true;
            }
        }
        Ok(Ok(request))
    }
}

/// One command to debconf; what it answers after its number.
fn ask(process: &mut Process<'_>, line: &str) -> String {
    let Machine { tree, debconf, .. } = &mut *process.machine;
    let reply = debconf.as_mut().map(|session| session.reply(tree, line.as_bytes())).unwrap_or_default();
    let text = reply.splitn(2, |&byte| byte == b' ').nth(1).unwrap_or_default();
    String::from_utf8_lossy(&unescape(text)).into_owned()
}

fn list(text: &str) -> Vec<String> {
    text.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The work itself; inside is what the real program would die of.
fn update(process: &mut Process<'_>, request: &Request) -> Result<Result<(), String>, Fatal> {
    for line in ["VERSION 2.0", "CAPB backup escape"] {
        ask(process, line);
    }
    let profiles = match Profiles::read(process, &request.places.profiles)? {
        Ok(profiles) => profiles,
        Err(complaint) => return Ok(Err(complaint)),
    };
    ask(process, &format!("X_LOADTEMPLATEFILE {QUESTIONS} libpam-runtime"));
    let sorted: Vec<String> = profiles.sorted().into_iter().filter(|name| !request.remove.contains(name)).collect();
    ask(process, &format!("SUBST {PROFILES} profile_names {}", sorted.join(", ")));
    let titles: Vec<&str> = sorted.iter().map(|name| profiles.field(name, "Name")).collect();
    ask(process, &format!("SUBST {PROFILES} profiles {}", titles.join(", ")));

    let changes = current::changes(process, &request.places)?;
    let known = match &changes {
        Some(changes) => changes.modules.iter().filter(|name| !request.remove.contains(name)).cloned().collect(),
        None => list(&ask(process, &format!("GET {PROFILES}"))),
    };
    let mut seen: Vec<String> = memory(process, &request.places).lines().map(str::to_owned).collect();
    seen.extend(request.disable.iter().cloned());
    let mut enabled: Vec<String> = known.into_iter().filter(|name| profiles.has(name)).collect();
    enabled.extend(sorted.iter().filter(|name| request.enable.contains(name)).cloned());
    enabled.retain(|name| !request.disable.contains(name));
    let mut priority = if request.package { "medium" } else { "high" };
    if enabled.is_empty() {
        // No profile at all is a mistake: then the defaults hold, even those that have been turned down.
        seen.clear();
        if !request.force {
            priority = "high";
        }
    }
    let is_new = |name: &&String| !seen.contains(name);
    enabled.extend(sorted.iter().filter(is_new).filter(|name| profiles.field(name, "Default") == "yes").cloned());
    let enabled = profiles.in_order(enabled);
    let show_again = sorted.iter().any(|name| is_new(&name)) || !request.package;
    ask(process, &format!("SETTITLE {TITLE}"));

    let mut force = request.force;
    if changes.is_none() && !force {
        ask(process, &format!("INPUT high {OVERRIDE}"));
        ask(process, "GO");
        force = ask(process, &format!("GET {OVERRIDE}")) == "true";
    }
    if changes.is_none() && !force {
        process.write(2, MODIFIED)?;
        return Ok(Ok(()));
    }
    let chosen = choose(process, &profiles, enabled, priority, show_again)?;
    let text: String = sorted.iter().map(|name| format!("{name}\n")).collect();
    let seen_file = [request.places.memory.as_slice(), b"/seen"].concat();
    if let Err(error) = process.write_file(&seen_file, text.into_bytes()) {
        return Ok(Err(format!("open({}) failed: {}", show(&seen_file), error.errno)));
    }
    if let Err(complaint) = stack::write(process, &profiles, &chosen, &request.places, changes, force)? {
        return Ok(Err(complaint));
    }
    Ok(Ok(()))
}

fn memory(process: &mut Process<'_>, places: &Places) -> String {
    let path = [places.memory.as_slice(), b"/seen"].concat();
    process.read_file(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Asks which profiles are wanted, until no two of them are at odds.
fn choose(
    process: &mut Process<'_>,
    profiles: &Profiles,
    mut enabled: Vec<String>,
    priority: &str,
    show_again: bool,
) -> Result<Vec<String>, Fatal> {
    for _ in 0..ROUNDS {
        if show_again {
            ask(process, &format!("FSET {PROFILES} seen false"));
        }
        ask(process, &format!("SET {PROFILES} {}", enabled.join(", ")));
        ask(process, &format!("INPUT {priority} {PROFILES}"));
        ask(process, "GO");
        enabled = list(&ask(process, &format!("GET {PROFILES}")));
        let conflicts = resolve_conflicts(profiles, &mut enabled);
        if !conflicts.is_empty() {
            ask(process, &format!("SUBST {CONFLICTS} conflicts {}", conflicts.join("\\n")));
            ask(process, &format!("INPUT high {CONFLICTS}"));
        }
        ask(process, &format!("SET {PROFILES} {}", enabled.join(", ")));
        if enabled.is_empty() {
            ask(process, &format!("INPUT high {NONE_CHOSEN}"));
            ask(process, &format!("FSET {PROFILES} seen false"));
        } else if conflicts.is_empty() {
            return Ok(enabled);
        }
    }
    Err(process.not_modelled("a system without any PAM profile"))
}

/// Takes out the lower of two profiles that are at odds; returns the titles of the pairs.
fn resolve_conflicts(profiles: &Profiles, enabled: &mut Vec<String>) -> Vec<String> {
    let mut conflicts = Vec::new();
    let mut index = 0;
    while let Some(name) = enabled.get(index).cloned() {
        for other in (0..enabled.len()).rev() {
            if profiles.conflict(&name, &enabled[other]) {
                let other = enabled.remove(other);
                conflicts.push(format!("{}, {}", profiles.field(&name, "Name"), profiles.field(&other, "Name")));
            }
        }
        index += 1;
    }
    conflicts
}
