//! `file_contexts.homedirs` as libsemanage's `genhomedircon.c` makes it: the template once for everybody's home, then once for
//! each account that `seusers` names.

use std::collections::BTreeMap;

use super::{Context, Error, Login, Symbols, users::DEFAULT};

const HEADER: &str = "#\n#\n# User-specific file contexts, generated via libsemanage\n\
    # use semanage command to manage system users to change the file_context\n#\n#\n";
/// A home's name, and an account's number, where no account is meant.
const ANY_NAME: &[u8] = b"[^/]+";
const ANY_ID: &[u8] = b"[0-9]+";
/// What the head of the part for everybody calls its user, whoever that is.
const ANY_USER: &str = "user_u";
/// Of a user that `users_extra` doesn't name.
const DEFAULT_PREFIX: &[u8] = b"user";

/// An account as `passwd(5)` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: Vec<u8>,
    pub uid: u32,
    pub home: Vec<u8>,
}

/// What homes there are, from outside the policy.
#[derive(Clone, Debug, Default)]
pub struct Homes {
    /// Folders of homes, in byte order.
    pub folders: Vec<Vec<u8>>,
    pub accounts: Vec<Account>,
}

/// What a template's words stand for in one part of the file.
struct Part<'a> {
    home: Vec<u8>,
    name: &'a [u8],
    uid: Vec<u8>,
    /// The policy's user, its prefix and its level.
    user: &'a [u8],
    prefix: &'a [u8],
    level: &'a [u8],
}

struct Maker<'a> {
    template: Vec<&'a [u8]>,
    symbols: &'a Symbols,
    prefixes: &'a BTreeMap<Vec<u8>, Vec<u8>>,
    out: Vec<u8>,
}

/// The file's text; `template` is `homedir_template`, `prefixes` those of `users_extra`.
pub fn homedirs(
    template: &[u8],
    logins: &[Login],
    prefixes: &BTreeMap<Vec<u8>, Vec<u8>>,
    symbols: &Symbols,
    homes: &Homes,
) -> Result<Vec<u8>, Error> {
    let template: Vec<&[u8]> = template.split(|&b| b == b'\n').filter(|line| !line.is_empty()).collect();
    if template.is_empty() {
        return Ok(Vec::new());
    }
    let mut maker = Maker { template, symbols, prefixes, out: HEADER.as_bytes().to_vec() };
    let default = logins.iter().find(|login| login.name == DEFAULT);
    let default = default.ok_or(Error::Undeclared { kind: "login", name: "__default__".to_owned() })?;
    let mut everybody = maker.part(default, ANY_NAME, ANY_ID, b"")?;
    for folder in &homes.folders {
        everybody.home = [folder.as_slice(), b"/", ANY_NAME].concat();
        maker.home(ANY_USER.as_bytes(), &everybody)?;
        maker.home_root(folder);
    }
    maker.account(&everybody)?;
    maker.accounts(logins, homes)?;
    Ok(maker.out)
}

impl<'a> Maker<'a> {
    fn part(&self, login: &'a Login, name: &'a [u8], uid: &[u8], home: &[u8]) -> Result<Part<'a>, Error> {
        let user = self.symbols.user(&login.user)?;
        let prefix = self.prefixes.get(&login.user).map_or(DEFAULT_PREFIX, Vec::as_slice);
        let odd = |why: &str| Error::line(&login.line(), why);
        // The role of a home's label is then the prefix.
        if prefix == b"object_r" || user.roles.iter().any(|role| role == prefix) {
            return Err(odd("a prefix that is a role of its user"));
        }
        let level = user.default_level.as_deref().ok_or_else(|| odd("a user without one plain level"))?;
        Ok(Part { home: home.to_vec(), name, uid: uid.to_vec(), user: &login.user, prefix, level })
    }

    /// One part for each login that is an account, the last first.
    fn accounts(&mut self, logins: &'a [Login], homes: &'a Homes) -> Result<(), Error> {
        let mut logins: Vec<&Login> = logins.iter().filter(|login| login.name != DEFAULT).collect();
        logins.sort_by(|a, b| b.name.cmp(&a.name));
        for login in logins {
            if login.name.starts_with(b"%") {
                return Err(Error::line(&login.line(), "a login that is a group"));
            }
            let Some(account) = homes.accounts.iter().find(|account| account.name == login.name) else { continue };
            let home = without_slashes(&account.home);
            if home == b"/" {
                continue;
            }
            let part = self.part(login, &account.name, account.uid.to_string().as_bytes(), home)?;
            self.home(&account.name, &part)?;
            self.account(&part)?;
        }
        Ok(())
    }

    fn lines(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<&'a [u8]> {
        self.template.iter().copied().filter(|line| wanted(line)).collect()
    }

    fn home(&mut self, title: &[u8], part: &Part<'_>) -> Result<(), Error> {
        self.out.extend([b"\n\n#\n# Home Context for user ", title, b"\n#\n\n"].concat());
        for line in self.lines(|line| line.starts_with(b"HOME_DIR")) {
            self.labelled(replace(&replace(line, b"HOME_DIR", &part.home), b"ROLE", part.prefix), part)?;
        }
        Ok(())
    }

    /// Lines about the folder of homes keep their labels.
    fn home_root(&mut self, folder: &[u8]) {
        for line in self.lines(|line| line.starts_with(b"HOME_ROOT")) {
            let line = replace(line, b"HOME_ROOT", folder);
            let (_, label) = split(&line);
            if label == b"<<none>>" || Context::parse(label).is_some_and(|context| self.is_known(&context)) {
                self.out.extend([line.as_slice(), b"\n"].concat());
            }
        }
    }

    /// Lines about what an account has outside its home: those with the new words, then those with the old one.
    fn account(&mut self, part: &Part<'_>) -> Result<(), Error> {
        let is_new = |line: &[u8]| [b"%{USERNAME}".as_slice(), b"%{USERID}"].iter().any(|word| has(line, word));
        for line in self.lines(is_new) {
            let line = replace(&replace(line, b"%{USERNAME}", part.name), b"%{USERID}", &part.uid);
            self.labelled(replace(&line, b"ROLE", part.prefix), part)?;
        }
        for line in self.lines(|line| !is_new(line) && has(line, b"USER")) {
            self.labelled(replace(&replace(line, b"USER", part.name), b"ROLE", part.prefix), part)?;
        }
        Ok(())
    }

    /// Writes a line with the label's user and level put in; not one whose type there isn't.
    fn labelled(&mut self, line: Vec<u8>, part: &Part<'_>) -> Result<(), Error> {
        let (before, label) = split(&line);
        if label != b"<<none>>" {
            let mut context = Context::parse(label).ok_or_else(|| Error::line(&line, "no label"))?;
            context.user = part.user.to_vec();
            context.range = part.level.to_vec();
            if self.is_known(&context) {
                self.out.extend([before, &context.text(), b"\n"].concat());
            }
        } else {
            self.out.extend([line.as_slice(), b"\n"].concat());
        }
        Ok(())
    }

    fn is_known(&self, context: &Context) -> bool {
        self.symbols.types.contains_key(&context.type_) && self.symbols.users.contains_key(&context.user)
    }
}

/// A line up to its last field, and that.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii_end();
    line.split_at(line.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1))
}

fn has(line: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(line, word).is_some()
}

fn replace(line: &[u8], word: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(line, word) {
        out.extend_from_slice(&line[from..at]);
        out.extend_from_slice(with);
        from = at + word.len();
    }
    out.extend_from_slice(&line[from..]);
    out
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| b != b'/').map_or(1, |last| last + 1);
    &path[..end.min(path.len())]
}

#[cfg(test)]
mod tests {
    use super::{super::User, *};

    const TEMPLATE: &str = "HOME_DIR/.+\tsystem_u:object_r:home_t:s0\nHOME_DIR/\\.x\t--\tsystem_u:object_r:ROLE_x_t:s0\n\
        HOME_ROOT\t-d\tsystem_u:object_r:root_t:s0\n/run/user/%{USERID}\tsystem_u:object_r:home_t:s0\n\
        /run/%{USERNAME}/n\t<<none>>\n/tmp/a-USER\tsystem_u:object_r:home_t:s0\n";

    fn made(logins: &str, homes: &Homes) -> Result<String, String> {
        let user = |level: &str| User {
            roles: vec![b"r_r".to_vec()],
            default_level: (!level.is_empty()).then(|| level.as_bytes().to_vec()),
        };
        let types = ["home_t", "root_t", "staff_x_t"].map(|name| (name.as_bytes().to_vec(), name.as_bytes().to_vec()));
        let users = [("u", "s0"), ("v", "s1"), ("system_u", "s0"), ("flat", ""), ("odd", "s0")];
        let users = users.map(|(name, level)| (name.as_bytes().to_vec(), user(level)));
        let symbols = Symbols { types: types.into(), users: users.into() };
        let prefixes = [(b"v".to_vec(), b"staff".to_vec()), (b"odd".to_vec(), b"r_r".to_vec())].into();
        let logins = super::super::seusers(logins.as_bytes()).expect("valid");
        let made = homedirs(TEMPLATE.as_bytes(), &logins, &prefixes, &symbols, homes);
        made.map(|text| String::from_utf8(text).expect("ASCII")).map_err(|error| error.to_string())
    }

    #[test]
    fn fills_the_template() {
        let account = |name: &str, uid, home: &str| Account { name: name.into(), uid, home: home.into() };
        let accounts = vec![account("root", 0, "/root/"), account("a", 7, "/srv/a"), account("nobody", 9, "/")];
        let homes = Homes { folders: vec![b"/home".to_vec()], accounts };
        let logins = "root:u:s0\na:v:s0\nnobody:u:s0\nabsent:u:s0\n__default__:u:s0\n";
        let part = |home: &str, name: &str, uid: &str, user: &str, level: &str, middle: &str| {
            format!(
                "{home}/.+\t{user}:object_r:home_t:{level}\n{middle}/run/user/{uid}\t{user}:object_r:home_t:{level}\n\
                 /run/{name}/n\t<<none>>\n/tmp/a-{name}\t{user}:object_r:home_t:{level}\n"
            )
        };
        let title = |name: &str| format!("\n\n#\n# Home Context for user {name}\n#\n\n");
        let root = "/home\t-d\tsystem_u:object_r:root_t:s0\n";
        let expect = [
            HEADER.to_owned(),
            title("user_u"),
            part("/home/[^/]+", "[^/]+", "[0-9]+", "u", "s0", root),
            title("root"),
            part("/root", "root", "0", "u", "s0", ""),
            title("a"),
            part("/srv/a", "a", "7", "v", "s1", "/srv/a/\\.x\t--\tv:object_r:staff_x_t:s1\n"),
        ];
        assert_eq!(made(logins, &homes).expect("made"), expect.concat());
    }

    #[test]
    fn refuses_what_it_can_not_tell() {
        let check = |logins: &str, expect: &str| assert_eq!(made(logins, &Homes::default()), Err(expect.to_owned()));
        check("root:u:s0\n", "the policy declares no login `__default__`");
        check("__default__:w:s0\n", "the policy declares no user `w`");
        check("__default__:flat:s0\n", "line `__default__:flat:s0-s0\n`: a user without one plain level");
        check("__default__:odd:s0\n", "line `__default__:odd:s0-s0\n`: a prefix that is a role of its user");
        check("%g:u:s0\n__default__:u:s0\n", "line `%g:u:s0-s0\n`: a login that is a group");
    }
}
