#!/usr/bin/env python3
"""Collects maintainer scripts of packages that are on this machine, for the suite tests/it/corpus.rs.

    python3 tests/oracle/control-corpus.py CORPUS SOURCE...

A SOURCE is a folder in which .debs are looked for, to any depth (a store, apt's archives, the pool of a mirror on disk), or
the root of an installed Debian system, `/` for instance. Nothing is asked of the network: the sample is what the sources
hold, and the suite's shares are shares of that sample.

CORPUS gets

    packages/NAME/{control,preinst,postinst,config}    of each package, whether it has scripts or not
    files/PATH                                         what scripts read with `.`
    programs.tsv                                       path, package and kind of each program

where a kind is `elf`, the name of the interpreter on the first line, `-> TARGET` for a symbolic link, or `text`. A package
that is already there is not read again, so the collection can be resumed; of several versions the first one counts.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

SCRIPTS = ("preinst", "postinst", "config")
PROGRAMS = ("bin/", "sbin/", "usr/", "lib/", "etc/")
SOURCED = re.compile(rb"(?:^|[\s;&|(])(?:\.|source)\s+[\"']?/([\w./+-]+)", re.MULTILINE)


def kind(head):
    """What an executable file is, by its first bytes."""
    if head.startswith(b"\x7fELF"):
        return "elf"
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n")[0].split()
        names = [word.rsplit(b"/", 1)[-1].decode(errors="replace") for word in words]
        if names[:1] == ["env"]:
            names = [name for name in names[1:] if not name.startswith("-")]
        return names[0] if names else "text"
    return "text"


class Corpus:
    def __init__(self, folder):
        self.folder = folder
        self.wanted = set()

    def package(self, name):
        return self.folder / "packages" / name

    def begin(self, name, texts):
        """Writes a package's control files; whether they were not there."""
        for text in (text for script, text in texts.items() if script in SCRIPTS):
            self.wanted.update(path.decode() for path in SOURCED.findall(text))
        if (self.package(name) / "control").exists():
            return
        self.package(name).mkdir(parents=True, exist_ok=True)
        for script in (*SCRIPTS, "control"):
            if script in texts:
                (self.package(name) / script).write_bytes(texts[script])

    def end(self, name, programs):
        lines = "".join(f"{path}\t{name}\t{what}\n" for path, what in sorted(programs.items()))
        (self.package(name) / "programs").write_text(lines)

    def done(self, name):
        return (self.package(name) / "programs").exists()

    def keep(self, path, content):
        """A file that scripts read with `.`."""
        self.wanted.update(found.decode() for found in SOURCED.findall(content))
        file = self.folder / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def members(deb, which):
    """The files of a package's control or data member, in order."""
    with subprocess.Popen(["dpkg-deb", which, deb], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                yield archive, member
        process.stdout.read()


class Deb:
    def __init__(self, path):
        self.path = path
        self.name = subprocess.run(["dpkg-deb", "-f", path, "Package"], capture_output=True, text=True).stdout.strip()

    def texts(self):
        found = {}
        for archive, member in members(self.path, "--ctrl-tarfile"):
            path = member.name.removeprefix("./")
            if path in (*SCRIPTS, "control"):
                found[path] = archive.extractfile(member).read()
        return found

    def programs(self, corpus):
        found = {}
        for archive, member in members(self.path, "--fsys-tarfile"):
            path = member.name.removeprefix("./")
            if member.issym() and path.startswith(PROGRAMS):
                found[path] = f"-> {member.linkname}"
            elif member.isfile() and (path in corpus.wanted or member.mode & 0o111 and path.startswith(PROGRAMS)):
                head = archive.extractfile(member).read(1 << 16)
                if path in corpus.wanted:
                    corpus.keep(path, head)
                if member.mode & 0o111:
                    found[path] = kind(head)
        return found


class Installed:
    def __init__(self, root, name, architecture, stanza):
        self.root, self.name, self.stanza = root, name, stanza
        info = root / "var/lib/dpkg/info"
        self.stem = info / (f"{name}:{architecture}" if (info / f"{name}:{architecture}.list").exists() else name)

    def texts(self):
        found = {s: p.read_bytes() for s in SCRIPTS if (p := pathlib.Path(f"{self.stem}.{s}")).exists()}
        return {**found, "control": self.stanza + b"\n"}

    def programs(self, corpus):
        found = {}
        for line in pathlib.Path(f"{self.stem}.list").read_text().splitlines():
            path, file = line.lstrip("/"), self.root / line.lstrip("/")
            if file.is_symlink() and path.startswith(PROGRAMS):
                found[path] = f"-> {file.readlink()}"
            elif file.is_file() and (path in corpus.wanted or file.stat().st_mode & 0o111 and path.startswith(PROGRAMS)):
                with file.open("rb") as opened:
                    head = opened.read(1 << 16)
                if path in corpus.wanted:
                    corpus.keep(path, head)
                if file.stat().st_mode & 0o111:
                    found[path] = kind(head)
        return found


def installed(root):
    for stanza in (root / "var/lib/dpkg/status").read_bytes().split(b"\n\n"):
        lines = [line for line in stanza.split(b"\n") if b": " in line and line[:1] != b" "]
        fields = {key.decode(): value.decode() for key, value in (line.split(b": ", 1) for line in lines)}
        if fields.get("Status", "").endswith(" installed"):
            yield Installed(root, fields["Package"], fields["Architecture"], stanza)


def packages(sources):
    seen = set()
    for source in sources:
        on_disk = (source / "var/lib/dpkg/status").exists()
        for package in installed(source) if on_disk else map(Deb, sorted(source.rglob("*.deb"))):
            if package.name and package.name not in seen:
                seen.add(package.name)
                yield package


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    corpus, sources = Corpus(pathlib.Path(sys.argv[1])), [pathlib.Path(source) for source in sys.argv[2:]]
    known = list(packages(sources))
    # What scripts read is known only when all have been seen.
    for package in known:
        corpus.begin(package.name, package.texts())
    before = -1
    again = False
    while before < len(corpus.wanted):
        # And those files read others.
        before = len(corpus.wanted)
        for package in known:
            if corpus.done(package.name) and not again:
                continue
            try:
                corpus.end(package.name, package.programs(corpus))
            except tarfile.TarError as error:
                print(f"{package.name}: {error}", file=sys.stderr)
                shutil.rmtree(corpus.package(package.name))
        again = True
    tables = sorted((corpus.folder / "packages").glob("*/programs"))
    (corpus.folder / "programs.tsv").write_text("".join(table.read_text() for table in tables))
    with_scripts = sum(any((t.parent / s).exists() for s in SCRIPTS) for t in tables)
    print(f"{len(tables)} packages, {with_scripts} with scripts")


if __name__ == "__main__":
    main()
