//! adduser and addgroup of Debian's adduser 3.134: users and groups by the rules of `/etc/adduser.conf`.
//!
//! They choose numbers, homes and shells, and have groupadd, useradd, usermod, gpasswd and chfn of the tree write them.

mod config;
mod home;
mod ids;
mod names;
mod normal;
mod system;

use config::{Config, Pool};

use crate::shell::{
    Fatal, Process, Status,
    accounts::number,
    options::{self, Arguments},
    stop::{Stop, finish, show},
    userdb::{Kind, UserDb, pinned},
};

const OPTIONS: &[&str] = &[
    "add-extra-groups add_extra_groups",
    "allow-all-names",
    "allow-bad-names allow-badname force-badname",
    "comment gecos=",
    "conf c=",
    "debug",
    "disabled-login",
    "disabled-password",
    "firstgid=",
    "firstuid=",
    "gid=",
    "group",
    "home=",
    "ingroup=",
    "lastgid=",
    "lastuid=",
    "no-create-home",
    "quiet q",
    "shell=",
    "system",
    "uid=",
    "verbose",
];

/// One call: what was asked and what the configuration says.
struct Call {
    arguments: Arguments,
    config: Config,
    uids: Pool,
    gids: Pool,
    verbose: bool,
    name: Vec<u8>,
    /// Numbers that options give.
    uid: Option<u32>,
    gid: Option<u32>,
}

/// The range that numbers are taken from.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: u32,
    last: u32,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = add(process).map_err(|stop| match stop {
        Stop::Exit(status, message) if !message.is_empty() => {
            Stop::Exit(status, format!("{}: {message}", show(process.name())))
        }
        stop => stop,
    });
    finish(process, result)
}

fn add(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    if arguments.has("debug") {
        return Err(process.not_modelled("option `--debug`").into());
    }
    process.environment.insert(b"PATH".to_vec(), b"/bin:/usr/bin:/sbin:/usr/sbin".to_vec());
    process.environment.insert(b"IFS".to_vec(), b" \t\n".to_vec());
    let verbose = arguments.last_of(&["quiet", "verbose"]) != Some("quiet");
    for (name, value) in [("VERBOSE", i32::from(verbose)), ("DEBUG", i32::from(verbose))] {
        process.environment.insert(name.as_bytes().to_vec(), value.to_string().into_bytes());
    }
    let by_name = process.name() == b"addgroup";
    let system = arguments.has("system");
    let (name, group) = match arguments.operands.as_slice() {
        [name] if !name.is_empty() => (name.clone(), None),
        [user, group] if !user.is_empty() => (user.clone(), Some(group.clone())),
        _ => return Err(die("Only one or two names allowed.")),
    };
    if let Some(group) = group {
        if (system && !by_name) || arguments.has("group") {
            return Err(die("Specify only one name in this mode."));
        }
        if by_name {
            return Err(die("addgroup with two arguments is an unspecified operation."));
        }
        return add_to_group(process, verbose, &name, &group);
    }
    let adds_group = by_name || (arguments.has("group") && !system);
    check_options(process, &arguments, by_name, verbose)?;
    let files: Vec<Vec<u8>> = arguments.options.iter().filter(|(o, _)| *o == "conf").map(|(_, v)| v.clone()).collect();
    let config = config::read(process, &files, verbose)?;
    let uids = config::pool(process, config.text("uid_pool"), true, verbose)?;
    let gids = config::pool(process, config.text("gid_pool"), false, verbose)?;
    let call = Call {
        uid: id(process, &arguments, "uid")?,
        gid: id(process, &arguments, "gid")?,
        arguments,
        config,
        uids,
        gids,
        verbose,
        name,
    };
    names::check(process, &call)?;
    let call = pinned_call(process, call, adds_group)?;
    match (adds_group, system) {
        (true, true) => add_system_group(process, &call),
        (true, false) => add_group(process, &call),
        (false, true) => system::add(process, call),
        (false, false) => normal::add(process, call),
    }
}

/// A pinned account gets its number whatever the options say.
fn pinned_call(process: &Process<'_>, mut call: Call, adds_group: bool) -> Result<Call, Fatal> {
    let kind = if adds_group { Kind::Group } else { Kind::User };
    if kind.pins(&process.machine.ids).is_empty() {
        return Ok(call);
    }
    let db = UserDb::read(process, b"")?;
    if pinned(process, &db, kind, &call.name)?.is_some() {
        *if adds_group { &mut call.gid } else { &mut call.uid } = None;
    }
    Ok(call)
}

/// What ends adduser: `NAME: message`, the name being put before it by [`run`], and status 1.
fn die(message: &str) -> Stop {
    Stop::Exit(1, format!("{message}\n"))
}

fn warn(process: &mut Process<'_>, message: &str) -> Result<(), Fatal> {
    process.complain(message)
}

fn id(process: &Process<'_>, arguments: &Arguments, option: &str) -> Result<Option<u32>, Fatal> {
    let Some(text) = arguments.value(option) else { return Ok(None) };
    match number(text).filter(|_| !text.is_empty()) {
        Some(id) => Ok(Some(id)),
        None => Err(process.not_modelled(format!("`--{option} {}`", show(text)))),
    }
}

fn check_options(process: &mut Process<'_>, arguments: &Arguments, addgroup: bool, verbose: bool) -> Result<(), Stop> {
    let groups = ["group", "ingroup", "gid"].iter().filter(|option| arguments.has(option)).count();
    if (!addgroup || arguments.has("system")) && groups > 1 {
        return Err(die("The --group, --ingroup, and --gid options are mutually exclusive."));
    }
    let Some(home) = arguments.value("home") else { return Ok(()) };
    if !home.starts_with(b"/") {
        return Err(die("The home dir must be an absolute path."));
    }
    let (there, text) = (process.is_dir(home), show(home));
    if verbose && !arguments.has("no-create-home") && there {
        warn(process, &format!("Warning: The home dir {text} you specified already exists."))?;
    }
    if verbose && arguments.has("no-create-home") && !there {
        let why = "No such file or directory";
        warn(process, &format!("Warning: The home dir {text} you specified can't be accessed: {why}"))?;
    }
    Ok(())
}

fn say(process: &mut Process<'_>, verbose: bool, line: &str) -> Result<(), Fatal> {
    if verbose { process.out(format!("{line}\n").as_bytes()) } else { Ok(()) }
}

/// Runs a tool of the tree, found where the real adduser looks; its failure is adduser's.
fn call(process: &mut Process<'_>, tool: &str, arguments: &[&[u8]]) -> Result<(), Stop> {
    let runs = |path: &str| {
        process.machine.tree.find(path.as_bytes()).is_some_and(|inode| inode.is_file() && inode.stat.mode & 0o111 != 0)
    };
    let folders = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];
    let Some(path) = folders.iter().map(|folder| format!("{folder}/{tool}")).find(|path| runs(path)) else {
        return Err(die(&format!("Could not find program named `{tool}' in $PATH.")));
    };
    let mut argv = vec![path.into_bytes()];
    argv.extend(arguments.iter().map(|argument| argument.to_vec()));
    let line = show(&argv.join(&b' '));
    match process.run(argv)? {
        Status(0) => Ok(()),
        Status(status) => Err(die(&format!("`{line}' returned error code {status}. Exiting."))),
    }
}

fn add_system_group(process: &mut Process<'_>, call_: &Call) -> Result<Status, Stop> {
    let db = UserDb::read(process, b"")?;
    let (name, text) = (&call_.name, show(&call_.name));
    if let Some(group) = db.groups.get(name) {
        let range = call_.config.range(process, "system_gid")?;
        if (range.first..=range.last).contains(&group.gid) {
            if call_.verbose {
                warn(process, &format!("The group `{text}' already exists as a system group. Exiting."))?;
            }
            return Ok(Status::SUCCESS);
        }
        let message = match call_.gid {
            Some(gid) if gid != group.gid => "but has a different GID",
            _ => "and is not a system group",
        };
        return Err(die(&format!("The group `{text}' already exists{}. Exiting.", join(message))));
    }
    let range = call_.range(process, "system_gid")?;
    make_group(process, call_, &db, range, "SYS_GID")
}

/// The real messages put a comma before `but` and a blank before `and`.
fn join(message: &str) -> String {
    if message.starts_with("but") { format!(", {message}") } else { format!(" {message}") }
}

fn add_group(process: &mut Process<'_>, call_: &Call) -> Result<Status, Stop> {
    let db = UserDb::read(process, b"")?;
    if db.groups.get(&call_.name).is_some() {
        return Err(die(&format!("The group `{}' already exists.", show(&call_.name))));
    }
    let range = call_.range(process, "gid")?;
    make_group(process, call_, &db, range, "GID")
}

fn make_group(process: &mut Process<'_>, call_: &Call, db: &UserDb, range: Range, kind: &str) -> Result<Status, Stop> {
    let (name, text) = (&call_.name, show(&call_.name));
    if let Some(gid) = call_.gid.filter(|gid| db.group_by_id(*gid).is_some()) {
        return Err(die(&format!("The GID `{gid}' is already in use.")));
    }
    let reserved = call_.reserved(process, db, Kind::Group)?;
    let gid = match call_.gid.or_else(|| ids::gid(process.machine, db, range, reserved)) {
        Some(gid) => gid,
        None => {
            let Range { first, last } = range;
            warn(process, &format!("No GID is available in the range {first}-{last} (FIRST_{kind} - LAST_{kind})."))?;
            return Err(die(&format!("The group `{text}' was not created.")));
        }
    };
    say(process, call_.verbose, &format!("Adding group `{text}' (GID {gid}) ..."))?;
    call(process, "groupadd", &[b"-g", gid.to_string().as_bytes(), name])?;
    say(process, call_.verbose, "Done.")?;
    Ok(Status::SUCCESS)
}

fn add_to_group(process: &mut Process<'_>, verbose: bool, user: &[u8], group: &[u8]) -> Result<Status, Stop> {
    let db = UserDb::read(process, b"")?;
    let (user_text, group_text) = (show(user), show(group));
    if db.users.get(user).is_none() {
        return Err(die(&format!("The user `{user_text}' does not exist.")));
    }
    let Some(line) = db.groups.get(group) else {
        return Err(die(&format!("The group `{group_text}' does not exist.")));
    };
    if line.members.iter().any(|member| member == user) {
        if verbose {
            warn(process, &format!("The user `{user_text}' is already a member of `{group_text}'."))?;
        }
        return Ok(Status::SUCCESS);
    }
    say(process, verbose, &format!("Adding user `{user_text}' to group `{group_text}' ..."))?;
    call(process, "usermod", &[b"-a", b"-G", group, user])?;
    say(process, verbose, "Done.")?;
    Ok(Status::SUCCESS)
}

impl Call {
    /// The number that is pinned to the name, or reserved for it by a pool.
    fn reserved(&self, process: &Process<'_>, db: &UserDb, kind: Kind) -> Result<Option<u32>, Fatal> {
        let pool = if kind == Kind::User { &self.uids } else { &self.gids };
        Ok(pinned(process, db, kind, &self.name)?.or_else(|| pool.id(&self.name)))
    }

    /// The range of `kind`, as options and the configuration have it.
    fn range(&self, process: &Process<'_>, kind: &str) -> Result<Range, Stop> {
        let configured = self.config.range(process, kind)?;
        let which = if kind.ends_with("uid") { ["firstuid", "lastuid"] } else { ["firstgid", "lastgid"] };
        // An option of 0 counts as none.
        let option = |name| Ok::<_, Fatal>(id(process, &self.arguments, name)?.filter(|id| *id != 0));
        Ok(Range {
            first: option(which[0])?.unwrap_or(configured.first),
            last: option(which[1])?.unwrap_or(configured.last),
        })
    }

    /// Sets the comment, part by part when it has commas.
    fn comment(&self, process: &mut Process<'_>) -> Result<(), Stop> {
        let given = self.arguments.value("comment").map(<[u8]>::to_vec);
        let Some(comment) = given.or_else(|| self.uids.comment(&self.name)) else { return Ok(()) };
        if !comment.contains(&b',') {
            return call(process, "chfn", &[b"-f", &comment, &self.name]);
        }
        let parts: Vec<&[u8]> = comment.split(|&b| b == b',').collect();
        // Trailing empty parts are not there, as Perl's split has it.
        let count = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
        let part = |index: usize| parts.get(index).filter(|_| index < count).copied();
        call(process, "chfn", &[b"-f", part(0).unwrap_or_default(), b"-r", part(1).unwrap_or_default(), &self.name])?;
        for (index, option) in [(2, b"-w"), (3, b"-h"), (4, b"-o")] {
            if let Some(part) = part(index) {
                call(process, "chfn", &[option, part, &self.name])?;
            }
        }
        Ok(())
    }
}
