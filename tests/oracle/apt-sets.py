#!/usr/bin/python3
"""What apt would install for each of many sets of packages: apt-sets.py APT_CONFIG [OPTION=VALUE...] < SETS

A set is a line of names; the answer is a line of JSON, {"out": ["name version architecture", ...]} or {"err": reason}.
One cache serves all sets, each of which is resolved in a child process. The steps are those of `apt-get install`: every
name is marked, then every name with what it depends on, then the problem resolver runs, then what is marked for nothing
is dropped. `?essential` stands for the packages of the native architecture that are.
"""
import json
import os
import sys

os.environ["APT_CONFIG"] = sys.argv[1]
import apt_pkg

apt_pkg.init_config()
apt_pkg.init_system()
for option in sys.argv[2:]:
    apt_pkg.config.set(*option.split("=", 1))
apt_pkg.config.set("pkgCacheGen::ForceEssential", "")
CACHE = apt_pkg.Cache(None)
DEPENDS = apt_pkg.DepCache(CACHE)
DEPENDS.init()
REAL = [p for p in CACHE.packages if p.has_versions]
NATIVE = apt_pkg.config["APT::Architecture"]


def package(name):
    try:
        found = CACHE[name]
    except KeyError:
        raise ValueError("unknown " + name)
    if DEPENDS.get_candidate_ver(found):
        return found
    # A name without versions stands for its only provider.
    owners = [owner for _, _, owner in found.provides_list]
    owners = {v.parent_pkg.name: v.parent_pkg for v in owners if DEPENDS.get_candidate_ver(v.parent_pkg) == v}
    if len(owners) != 1:
        raise ValueError("virtual " + name)
    return list(owners.values())[0]


def chosen(words):
    packages = []
    for word in words:
        if word == "?essential":
            packages += sorted((p for p in REAL if p.essential and p.architecture == NATIVE), key=lambda p: p.id)
        else:
            packages.append(package(word))
    return list({p.id: p for p in packages}.values())


def without_garbage():
    marked = [p for p in REAL if DEPENDS.marked_install(p)]
    for p in sorted(marked, key=lambda p: p.name):
        if DEPENDS.is_garbage(p):
            DEPENDS.mark_delete(p)
    return [p for p in marked if DEPENDS.marked_install(p)]


def resolve(words):
    packages = chosen(words)
    fixer = apt_pkg.ProblemResolver(DEPENDS)
    for p in packages:
        fixer.clear(p)
        fixer.protect(p)
        DEPENDS.mark_install(p, False)
    for p in packages:
        DEPENDS.mark_install(p, True)
    try:
        fixer.resolve(True)
    except apt_pkg.Error as error:
        raise ValueError(str(error))
    if DEPENDS.broken_count:
        raise ValueError("broken")
    versions = (DEPENDS.get_candidate_ver(p) for p in without_garbage())
    return sorted("%s %s %s" % (v.parent_pkg.name, v.ver_str, v.arch) for v in versions)


for line in sys.stdin:
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    try:
        answer = {"out": resolve(line.split()), "err": None}
    except ValueError as error:
        answer = {"out": [], "err": str(error)}
    print(json.dumps(answer), flush=True)
    os._exit(0)
