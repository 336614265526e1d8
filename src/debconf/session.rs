//! One run of debconf's protocol: lines of a configuration script in, replies out.

use super::{Databases, Templates, database::Text, element};
use crate::tree::Tree;

const ESCAPED: &str = "1";
const BAD_PARAMETERS: &str = "10";
const SYNTAX: &str = "20";
const INVISIBLE: &str = "30";
const INTERNAL: &str = "100";

/// Priorities from the one that is asked last to the one that always is.
const PRIORITIES: [&[u8]; 4] = [b"low", b"medium", b"high", b"critical"];

/// What the environment says about asking.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// `DEBIAN_PRIORITY`; without it the answer to `debconf/priority` counts.
    pub priority: Option<Text>,
    /// Whether `DEBCONF_NONINTERACTIVE_SEEN` is `true`: questions count as asked.
    pub mark_seen: bool,
}

/// A conversation with one or several scripts of a package, over the databases.
#[derive(Debug)]
pub struct Session {
    databases: Databases,
    owner: Text,
    preferences: Preferences,
    script: Script,
}

/// What belongs to the script that is talking.
#[derive(Debug, Default)]
struct Script {
    /// The script unescapes replies and escapes what it sends.
    escape: bool,
    /// Questions that `GO` will answer, and whether they are then seen.
    asked: Vec<(Text, bool)>,
    /// Questions to be marked as seen at the end.
    seen: Vec<Text>,
    stopped: bool,
    /// The beginning of a line that has not ended.
    input: Text,
    replies: Text,
}

/// A reply's words, or the status and text of a refusal.
type Reply = Result<Vec<Text>, (&'static str, Text)>;

impl Session {
    /// Starts a conversation; questions that scripts make will belong to `owner`.
    pub fn new(databases: Databases, owner: &[u8], preferences: Preferences) -> Self {
        Self { databases, owner: owner.to_vec(), preferences, script: Script::default() }
    }

    /// Loads a package's templates.
    pub fn load(&mut self, templates: &Templates) {
        self.databases.load(templates, &self.owner);
    }

    /// Ends the conversation with the script that was talking; the next one begins afresh.
    pub fn next_script(&mut self) {
        self.finish();
        self.script = Script::default();
    }

    pub fn into_databases(mut self) -> Databases {
        self.finish();
        self.databases
    }

    /// Takes what a script writes. `STOP` ends the conversation: nothing after it is heard.
    pub fn write(&mut self, tree: &Tree, bytes: &[u8]) {
        self.script.input.extend_from_slice(bytes);
        while let Some(newline) = memchr::memchr(b'\n', &self.script.input) {
            let rest = self.script.input.split_off(newline + 1);
            let mut line = std::mem::replace(&mut self.script.input, rest);
            line.pop();
            if self.script.stopped {
                continue;
            }
            let reply = self.reply(tree, &line);
            self.script.stopped = reply.is_empty();
            self.script.replies.extend_from_slice(&reply);
            self.script.replies.push(b'\n');
        }
    }

    /// Replies that the script has not read yet, to be drained by its reads.
    pub fn replies(&mut self) -> &mut Text {
        &mut self.script.replies
    }

    /// The reply to one line; empty for `STOP`.
    pub fn reply(&mut self, tree: &Tree, line: &[u8]) -> Text {
        let words = if self.script.escape { unescape_words(line) } else { words(line) };
        let Some((command, arguments)) = words.split_first() else {
            return [b"20 Bad line \"", line, b"\" received from confmodule."].concat();
        };
        let command = command.to_ascii_lowercase();
        if command == b"stop" {
            self.finish();
            return Text::new();
        }
        let reply = match self.run(tree, &command, arguments) {
            Some(Ok(words)) => words.join(b" ".as_slice()),
            Some(Err((status, text))) => [status.as_bytes(), b" ", &text].concat(),
            None => [
                b"20 Unsupported command \"".as_slice(),
                &command,
                b"\" (full line was \"",
                line,
                b"\") received from confmodule.",
            ]
            .concat(),
        };
        reply.split(|&b| b == b'\n').next().unwrap_or_default().to_vec()
    }

    fn finish(&mut self) {
        for question in std::mem::take(&mut self.script.seen) {
            self.databases.set_flag(&question, b"seen", b"true");
        }
    }

    /// `None` for a command that debconf doesn't have.
    // table: one arm a command of the protocol
    fn run(&mut self, tree: &Tree, command: &[u8], arguments: &[Text]) -> Option<Reply> {
        let count = arguments.len();
        let argument = |index: usize| arguments.get(index).map_or(b"".as_slice(), Vec::as_slice);
        let rest = |from: usize| arguments.get(from..).unwrap_or_default().join(b" ".as_slice());
        Some(match (command, count) {
            (b"version", 0..=1) => version(arguments.first()),
            (b"capb", _) => {
                self.script.escape = arguments.iter().any(|word| word == b"escape");
                Ok(vec![b"0".to_vec(), b"multiselect".to_vec(), b"escape".to_vec(), Text::new()])
            }
            (b"title" | b"beginblock" | b"endblock", _) | (b"info", 0) => success(""),
            (b"settitle" | b"info", 1) => self.known(argument(0)).map(|_| vec![b"0".to_vec()]),
            (b"input", 2) => self.input(argument(0), argument(1)),
            (b"clear", 0) => {
                self.script.asked.clear();
                success("")
            }
            (b"go", 0) => self.go(),
            (b"get", 1) => self.get(argument(0)),
            (b"set", 1..) => self.set(argument(0), &rest(1)),
            (b"reset", 1) => self.reset(argument(0)),
            (b"subst", 2..) => self.substitute(argument(0), argument(1), &rest(2)),
            (b"register", 2) => self.register(argument(0), argument(1)),
            (b"unregister", 1) => self.unregister(argument(0)),
            (b"purge", 0) => {
                for question in self.databases.questions() {
                    self.databases.remove_owner(&question, &self.owner);
                }
                success("")
            }
            (b"metaget", 2) => self.metaget(argument(0), argument(1)),
            (b"fget", 2) => {
                self.known(argument(0)).map(|question| vec![b"0".to_vec(), self.databases.flag(question, argument(1))])
            }
            (b"fset", 3..) => self.set_flag(argument(0), argument(1), rest(2)),
            (b"progress", 1..) => self.progress(arguments),
            (b"data", 3..) => self.data(argument(0), argument(1), &rest(2)),
            (b"visible", 2) => self.known(argument(1)).map(|_| vec![b"0".to_vec(), b"false".to_vec()]),
            (b"exist", 1) => success(if self.databases.exists(argument(0)) { "true" } else { "false" }),
            (b"x_loadtemplatefile", 1..=2) => self.load_file(tree, argument(0), arguments.get(1)),
            (
                b"version"
                | b"settitle"
                | b"info"
                | b"input"
                | b"clear"
                | b"go"
                | b"get"
                | b"set"
                | b"reset"
                | b"subst"
                | b"register"
                | b"unregister"
                | b"purge"
                | b"metaget"
                | b"fget"
                | b"fset"
                | b"progress"
                | b"data"
                | b"visible"
                | b"exist"
                | b"x_loadtemplatefile",
                _,
            ) => Err((SYNTAX, b"Incorrect number of arguments".to_vec())),
            _ => return None,
        })
    }

    /// The question, if there is one of this name.
    fn known<'a>(&self, question: &'a [u8]) -> Result<&'a [u8], (&'static str, Text)> {
        if self.databases.exists(question) {
            return Ok(question);
        }
        Err((BAD_PARAMETERS, [question, b" doesn't exist"].concat()))
    }

    fn input(&mut self, priority: &[u8], question: &[u8]) -> Reply {
        if !self.databases.exists(question) {
            return Err((BAD_PARAMETERS, [b"\"", question, b"\" doesn't exist"].concat()));
        }
        let Some(rank) = PRIORITIES.iter().position(|known| *known == priority) else {
            return Err((SYNTAX, [b"\"", priority, b"\" is not a valid priority"].concat()));
        };
        let error = self.databases.kind(question) == b"error";
        let visible = error || (rank >= self.least_rank() && self.databases.flag(question, b"seen") != b"true");
        if element::answer(&self.databases, question).is_some()
            && !self.script.asked.iter().any(|(asked, _)| asked == question)
        {
            self.script.asked.push((question.to_vec(), visible && self.preferences.mark_seen));
        }
        Ok(vec![INVISIBLE.into(), b"question skipped".to_vec()])
    }

    /// The rank from which questions are asked.
    fn least_rank(&self) -> usize {
        let priority = self.preferences.priority.clone().unwrap_or_else(|| self.databases.value(b"debconf/priority"));
        let high = 2;
        PRIORITIES.iter().position(|known| *known == priority).unwrap_or(high)
    }

    fn go(&mut self) -> Reply {
        for (question, mark) in std::mem::take(&mut self.script.asked) {
            if let Some(answer) = element::answer(&self.databases, &question) {
                self.databases.set_field(&question, b"value", &answer);
            }
            if mark {
                self.script.seen.push(question);
            }
        }
        success("ok")
    }

    fn get(&self, question: &[u8]) -> Reply {
        let value = self.databases.value(self.known(question)?);
        Ok(self.data_reply(value))
    }

    fn data_reply(&self, value: Text) -> Vec<Text> {
        if self.script.escape { vec![ESCAPED.into(), escape(&value)] } else { vec![b"0".to_vec(), value] }
    }

    fn set(&mut self, question: &[u8], value: &[u8]) -> Reply {
        self.known(question)?;
        self.databases.set_field(question, b"value", value);
        success("value set")
    }

    fn reset(&mut self, question: &[u8]) -> Reply {
        self.known(question)?;
        let default = self.databases.template_field(question, b"default");
        self.databases.set_field(question, b"value", &default);
        self.databases.set_flag(question, b"seen", b"false");
        success("")
    }

    fn substitute(&mut self, question: &[u8], variable: &[u8], value: &[u8]) -> Reply {
        self.known(question)?;
        if let Some(item) = self.databases.item_mut(question) {
            item.variables.insert(variable.to_vec(), value.to_vec());
        }
        success("")
    }

    fn register(&mut self, template: &[u8], question: &[u8]) -> Reply {
        if !self.databases.exists(template) {
            return Err((BAD_PARAMETERS, [b"No such template, \"", template, b"\""].concat()));
        }
        let kind = self.databases.kind(template);
        if kind.is_empty() {
            return Err((INTERNAL, b"Internal error making question".to_vec()));
        }
        self.databases.add_question(question, &self.owner, &kind, template);
        self.databases.set_template(question, template);
        success("")
    }

    fn unregister(&mut self, question: &[u8]) -> Reply {
        self.known(question)?;
        if self.script.asked.iter().any(|(asked, _)| asked == question) {
            return Err((BAD_PARAMETERS, [question, b" is busy, cannot unregister right now"].concat()));
        }
        self.databases.remove_owner(question, &self.owner);
        success("")
    }

    fn metaget(&self, question: &[u8], field: &[u8]) -> Reply {
        self.known(question)?;
        let field = field.to_ascii_lowercase();
        let own = self.databases.item(question).and_then(|item| item.fields.get(&field).cloned());
        let text = || own.clone().unwrap_or_else(|| self.databases.template_field(question, &field));
        let plain = field.split(|&b| b == b'-').next().unwrap_or(&field);
        let value = match field.as_slice() {
            b"value" => self.databases.value(question),
            b"name" => question.to_vec(),
            b"owners" => {
                let owners = self.databases.item(question).map(|item| item.owners.iter());
                owners.into_iter().flatten().map(Vec::as_slice).collect::<Vec<_>>().join(b", ".as_slice())
            }
            _ if matches!(plain, b"description" | b"extended_description" | b"choices") => {
                self.databases.expand(question, &text())
            }
            _ => text(),
        };
        Ok(self.data_reply(value))
    }

    fn set_flag(&mut self, question: &[u8], flag: &[u8], value: Text) -> Reply {
        self.known(question)?;
        if flag == b"seen" {
            self.script.seen.retain(|seen| seen != question);
        }
        self.databases.set_flag(question, flag, &value);
        Ok(vec![b"0".to_vec(), value])
    }

    fn progress(&self, arguments: &[Text]) -> Reply {
        let count = arguments.len() - 1;
        match (arguments[0].to_ascii_lowercase().as_slice(), count) {
            (b"start", 3) => self.known(&arguments[3]).and_then(|_| success("OK")),
            (b"info", 1) => self.known(&arguments[1]).and_then(|_| success("OK")),
            (b"set" | b"step", 1) | (b"stop", 0) => success("OK"),
            (b"start" | b"info" | b"set" | b"step" | b"stop", _) => {
                Err((SYNTAX, b"Incorrect number of arguments".to_vec()))
            }
            _ => Err((SYNTAX, b"Unknown subcommand".to_vec())),
        }
    }

    fn data(&mut self, template: &[u8], field: &[u8], value: &[u8]) -> Reply {
        let value = unescape_data(value);
        match (self.databases.template(template).is_some(), field) {
            (false, b"type") => self.databases.new_template(template, &self.owner, &value),
            (false, _) => {
                let text = [b"Template data field '", field, b"' received before type field"].concat();
                return Err((BAD_PARAMETERS, text));
            }
            (true, b"type") => return Err((BAD_PARAMETERS, b"Template type already set".to_vec())),
            (true, _) => {
                if let Some(item) = self.databases.template_mut(template) {
                    item.fields.insert(field.to_vec(), value);
                }
            }
        }
        success("")
    }

    fn load_file(&mut self, tree: &Tree, path: &[u8], owner: Option<&Text>) -> Reply {
        let failed = |reason: String| [b"failed to open ", path, b": ", reason.as_bytes()].concat();
        let bytes = tree.read(path).map_err(|error| (BAD_PARAMETERS, failed(error.errno.to_string())))?;
        let templates = Templates::parse(&bytes).map_err(|error| (INTERNAL, error.to_string().into_bytes()))?;
        self.databases.load(&templates, owner.unwrap_or(&self.owner));
        success("")
    }
}

fn success(text: &str) -> Reply {
    let status = b"0".to_vec();
    Ok(if text.is_empty() { vec![status] } else { vec![status, text.into()] })
}

fn version(wanted: Option<&Text>) -> Reply {
    const OURS: u64 = 2;
    if let Some(wanted) = wanted {
        let digits: String = wanted.iter().take_while(|b| b.is_ascii_digit()).map(|&b| char::from(b)).collect();
        let major = digits.parse().unwrap_or(0);
        let refuse = |text: &[u8]| Err((INVISIBLE, [text, b" (", wanted, b")"].concat()));
        if major < OURS {
            return refuse(b"Version too low");
        }
        if major > OURS {
            return refuse(b"Version too high");
        }
    }
    success("2.0")
}

fn words(line: &[u8]) -> Vec<Text> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Words of an escaped line: `\n` is a newline, any other escaped byte is itself.
fn unescape_words(line: &[u8]) -> Vec<Text> {
    let mut words = Vec::new();
    let mut word = Text::new();
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' {
            match bytes.next() {
                Some(b'n') => word.push(b'\n'),
                Some(other) => word.push(other),
                None => word.push(b'\\'),
            }
        } else if byte.is_ascii_whitespace() {
            while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
            words.push(std::mem::take(&mut word));
        } else {
            word.push(byte);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Escapes a text for the protocol's `escape` capability.
pub fn escape(text: &[u8]) -> Text {
    let mut out = Text::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => out.push(byte),
        }
    }
    out
}

/// The text that [`escape`] was given.
pub fn unescape(text: &[u8]) -> Text {
    unescape_if(text, |_| true)
}

/// `DATA` knows three escapes; a backslash before anything else stays.
fn unescape_data(text: &[u8]) -> Text {
    unescape_if(text, |byte| matches!(byte, b'n' | b'"' | b'\\'))
}

fn unescape_if(text: &[u8], known: impl Fn(u8) -> bool) -> Text {
    let mut out = Text::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match bytes.peek() {
            Some(&next) if byte == b'\\' && next != b'\n' && known(next) => {
                out.push(if next == b'n' { b'\n' } else { next });
                bytes.next();
            }
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Stat, Timestamp};

    const TEMPLATES: &str = "Template: p/choice\nType: select\nChoices: one, two\nDefault: two\nDescription: ${what}?\n\n\
                             Template: p/flag\nType: boolean\nDefault: true\nDescription: Yes?\n\n\
                             Template: p/words\nType: text\nDescription: Words\n\n\
                             Template: p/secret\nType: password\nDescription: Secret\n";

    fn session() -> Session {
        let mut session = Session::new(Databases::default(), b"p", Preferences::default());
        session.load(&Templates::parse(TEMPLATES.as_bytes()).expect("valid"));
        session
    }

    fn talk(session: &mut Session, conversation: &[(&str, &str)]) {
        let tree = Tree::new(Stat::root(0o755, Timestamp::default()));
        for (line, expect) in conversation {
            let reply = session.reply(&tree, line.as_bytes());
            assert_eq!(String::from_utf8_lossy(&reply), *expect, "{line}");
        }
    }

    #[test]
    fn speaks_the_protocol() {
        let mut session = session();
        talk(
            &mut session,
            &[
                ("VERSION 2.0", "0 2.0"),
                ("VERSION 3", "30 Version too high (3)"),
                ("", "20 Bad line \"\" received from confmodule."),
                ("FROB x", "20 Unsupported command \"frob\" (full line was \"FROB x\") received from confmodule."),
                ("GET", "20 Incorrect number of arguments"),
                ("GET p/none", "10 p/none doesn't exist"),
                ("GET p/choice", "0 two"),
                ("INPUT high p/choice", "30 question skipped"),
                ("INPUT urgent p/choice", "20 \"urgent\" is not a valid priority"),
                ("GO", "0 ok"),
                ("FGET p/choice seen", "0 false"),
                ("SET p/choice nine", "0 value set"),
                ("INPUT high p/choice", "30 question skipped"),
                ("GO", "0 ok"),
                ("GET p/choice", "0 one"),
                ("SUBST p/choice what a thing", "0"),
                ("METAGET p/choice description", "0 a thing?"),
                ("METAGET p/choice owners", "0 p"),
                ("FSET p/choice seen true", "0 true"),
                ("REGISTER p/flag p/other", "0"),
                ("GET p/other", "0 true"),
                ("SET p/other a  b", "0 value set"),
                ("CAPB escape backup", "0 multiselect escape "),
                (r"SET p/other a\ \ b\nc", "0 value set"),
                ("GET p/other", r"1 a  b\nc"),
                ("UNREGISTER p/other", "0"),
                ("EXIST p/other", "0 false"),
                ("STOP", ""),
            ],
        );
    }

    #[test]
    fn files_are_those_of_debconf() {
        let mut session = session();
        talk(
            &mut session,
            &[("INPUT low p/words", "30 question skipped"), ("GO", "0 ok"), ("SET p/secret x", "0 value set")],
        );
        let mut tree = Tree::new(Stat::root(0o755, Timestamp::default()));
        let mut databases = session.into_databases();
        databases.write(&mut tree, Timestamp::default()).expect("written");
        let text = |path: &[u8]| String::from_utf8(tree.read(path).expect("there").to_vec()).expect("UTF-8");
        assert_eq!(
            text(b"/var/cache/debconf/config.dat"),
            "Name: p/choice\nTemplate: p/choice\nOwners: p\n\nName: p/flag\nTemplate: p/flag\nOwners: p\n\n\
             Name: p/words\nTemplate: p/words\nValue: \nOwners: p\n\n"
        );
        assert_eq!(
            text(b"/var/cache/debconf/passwords.dat"),
            "Name: p/secret\nTemplate: p/secret\nValue: x\nOwners: p\n\n"
        );
        assert!(text(b"/var/cache/debconf/templates.dat").starts_with(
            "Name: p/choice\nChoices: one, two\nDefault: two\nDescription: ${what}?\nType: select\nOwners: p/choice\n\n"
        ));
    }

    #[test]
    fn marks_what_it_asked() {
        let preferences = Preferences { priority: Some(b"high".to_vec()), mark_seen: true };
        let mut session = Session::new(Databases::default(), b"p", preferences);
        session.load(&Templates::parse(TEMPLATES.as_bytes()).expect("valid"));
        talk(
            &mut session,
            &[
                ("INPUT medium p/choice", "30 question skipped"),
                ("INPUT high p/flag", "30 question skipped"),
                ("GO", "0 ok"),
                ("STOP", ""),
                ("FGET p/choice seen", "0 false"),
                ("FGET p/flag seen", "0 true"),
            ],
        );
    }
}
