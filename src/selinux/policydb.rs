//! The symbol tables of a module policy, as libsepol's `policydb.c` reads them: what a module names, up to its users.
//!
//! Everything is little-endian words, strings with their lengths first, and bitmaps. The tables stand one behind the other
//! without lengths in bytes, so that those before the wanted ones are read as well; what comes after the levels (categories,
//! rules, scopes) is not.

use std::collections::BTreeMap;

use zerocopy::{FromBytes, Immutable, KnownLayout, little_endian::U32, little_endian::U64};

use super::Error;

const MAGIC: u32 = 0xf97c_ff8d;
const SIGNATURE: &[u8] = b"SE Linux Module";
/// Versions whose tables have the form that is read here: from `MOD_POLICYDB_VERSION_CONSTRAINT_NAMES` to
/// `MOD_POLICYDB_VERSION_COND_XPERMS`.
const VERSIONS: std::ops::RangeInclusive<u32> = 17..=22;
const POLICY_BASE: u32 = 1;
const POLICY_MOD: u32 = 2;
/// `POLICYDB_CONFIG_MLS`.
const CONFIG_MLS: u32 = 1;
/// `SYM_NUM`: commons, classes, roles, types, users, booleans, levels, categories.
const SYMBOLS: u32 = 8;
/// `TYPEDATUM_PROPERTY_*`.
const ATTRIBUTE: u32 = 2;
const ALIAS: u32 = 4;
/// `CEXPR_*`.
const NOT: u32 = 1;
const AND: u32 = 2;
const OR: u32 = 3;
const ATTR: u32 = 4;
const NAMES: u32 = 5;
/// Bits in one map of a bitmap.
const MAP_BITS: u32 = 64;

#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Head {
    kind: U32,
    version: U32,
    config: U32,
    symbols: U32,
    object_contexts: U32,
}

/// `struct ebitmap` on disk, before its maps.
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct BitmapHead {
    map_bits: U32,
    high_bit: U32,
    maps: U32,
}

#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C, packed)]
struct Map {
    start: U32,
    bits: U64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    Base,
    Module,
}

/// A module policy's head and symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub kind: PolicyKind,
    /// The module's name; `base` for the base, which carries none.
    pub name: Vec<u8>,
    pub mls: bool,
    pub symbols: Symbols,
}

/// What a policy declares or requires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Types by name: themselves, or what they are aliases of.
    pub types: BTreeMap<Vec<u8>, Vec<u8>>,
    pub users: BTreeMap<Vec<u8>, User>,
}

/// A user of the policy; one that a module only requires has no roles and no levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    pub roles: Vec<Vec<u8>>,
    /// The default level's sensitivity; `None` when the level has categories, or the user is only required.
    pub default_level: Option<Vec<u8>>,
}

impl Symbols {
    /// Adds another module's: a declaration goes before what is only required.
    pub fn join(&mut self, other: Self) {
        for (name, target) in other.types {
            // A module that requires an alias holds it for a type.
            if name == target {
                self.types.entry(name).or_insert(target);
            } else {
                self.types.insert(name, target);
            }
        }
        for (name, user) in other.users {
            let known = self.users.entry(name).or_default();
            if known.roles.is_empty() && known.default_level.is_none() {
                *known = user;
            }
        }
    }

    /// The type that a name means: itself, or what it is an alias of.
    pub(super) fn type_(&self, name: &[u8]) -> Result<&Vec<u8>, Error> {
        let undeclared = || Error::Undeclared { kind: "type", name: name.escape_ascii().to_string() };
        self.types.get(name).ok_or_else(undeclared)
    }

    pub(super) fn user(&self, name: &[u8]) -> Result<&User, Error> {
        let undeclared = || Error::Undeclared { kind: "user", name: name.escape_ascii().to_string() };
        self.users.get(name).ok_or_else(undeclared)
    }
}

impl Policy {
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader { all: bytes, rest: bytes };
        if reader.word()? != MAGIC || reader.string()? != SIGNATURE {
            return Err(reader.bad("no module policy"));
        }
        let head: &Head = reader.take()?;
        let unsupported = |what, number: U32| Err(Error::Unsupported { what, number: number.get() });
        if !VERSIONS.contains(&head.version.get()) {
            return unsupported("version", head.version);
        }
        if head.symbols.get() != SYMBOLS {
            return unsupported("number of symbol tables", head.symbols);
        }
        let kind = match head.kind.get() {
            POLICY_BASE => PolicyKind::Base,
            POLICY_MOD => PolicyKind::Module,
            _ => return unsupported("kind", head.kind),
        };
        let mut name = b"base".to_vec();
        if kind == PolicyKind::Module {
            name = reader.string()?.to_vec();
            reader.string()?;
        }
        // Capabilities of the policy.
        reader.bitmap()?;
        let mls = head.config.get() & CONFIG_MLS != 0;
        Ok(Self { kind, name, mls, symbols: reader.symbols(kind)? })
    }
}

struct Reader<'a> {
    all: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bad(&self, what: &'static str) -> Error {
        Error::Malformed { what, offset: self.all.len() - self.rest.len() }
    }

    fn take<T: FromBytes + Immutable + KnownLayout>(&mut self) -> Result<&'a T, Error> {
        let (value, rest) = T::ref_from_prefix(self.rest).map_err(|_| self.bad("a truncated policy"))?;
        self.rest = rest;
        Ok(value)
    }

    fn word(&mut self) -> Result<u32, Error> {
        Ok(self.take::<U32>()?.get())
    }

    fn words<const N: usize>(&mut self) -> Result<[u32; N], Error> {
        Ok(self.take::<[U32; N]>()?.map(U32::get))
    }

    fn bytes(&mut self, length: u32) -> Result<&'a [u8], Error> {
        let (value, rest) = self.rest.split_at_checked(length as usize).ok_or(self.bad("a truncated policy"))?;
        self.rest = rest;
        Ok(value)
    }

    fn string(&mut self) -> Result<&'a [u8], Error> {
        let length = self.word()?;
        self.bytes(length)
    }

    /// The numbers of the bits that are set, the first being 0.
    fn bitmap(&mut self) -> Result<Vec<u32>, Error> {
        let head: &BitmapHead = self.take()?;
        if head.map_bits.get() != MAP_BITS {
            return Err(self.bad("a bitmap of odd maps"));
        }
        let mut set = Vec::new();
        for _ in 0..head.maps.get() {
            let map: &Map = self.take()?;
            let (start, bits) = (map.start.get(), map.bits.get());
            if start.checked_add(MAP_BITS).is_none_or(|end| end > head.high_bit.get()) {
                return Err(self.bad("a bitmap beyond its end"));
            }
            set.extend((0..MAP_BITS).filter(|bit| bits & (1 << bit) != 0).map(|bit| start + bit));
        }
        Ok(set)
    }

    /// `type_set_t`: types, types left out, flags.
    fn type_set(&mut self) -> Result<(), Error> {
        self.bitmap()?;
        self.bitmap()?;
        self.word()?;
        Ok(())
    }

    /// Reads one table of symbols; each begins with how many primary names and how many names it has.
    fn table(&mut self, mut entry: impl FnMut(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        let [_primary, names] = self.words()?;
        (0..names).try_for_each(|_| entry(self))
    }

    fn symbols(&mut self, kind: PolicyKind) -> Result<Symbols, Error> {
        self.table(Self::common)?;
        self.table(|reader| reader.class(kind))?;
        let mut roles = BTreeMap::new();
        self.table(|reader| {
            let (value, name) = reader.role()?;
            roles.insert(value, name.to_vec());
            Ok(())
        })?;
        let types = self.types()?;
        let mut found = Vec::new();
        self.table(|reader| {
            found.push(reader.user(&roles)?);
            Ok(())
        })?;
        self.table(Self::boolean)?;
        let mut sensitivities = BTreeMap::new();
        self.table(|reader| {
            sensitivities.extend(reader.sensitivity()?);
            Ok(())
        })?;
        let user = |(name, roles, level): (Vec<u8>, Vec<Vec<u8>>, Option<u32>)| {
            let default_level = level.and_then(|number| sensitivities.get(&number).cloned());
            (name, User { roles, default_level })
        };
        Ok(Symbols { types, users: found.into_iter().map(user).collect() })
    }

    fn permission(&mut self) -> Result<(), Error> {
        let [length, _value] = self.words()?;
        self.bytes(length)?;
        Ok(())
    }

    fn common(&mut self) -> Result<(), Error> {
        let [length, _value, _primary, permissions] = self.words()?;
        self.bytes(length)?;
        (0..permissions).try_for_each(|_| self.permission())
    }

    fn class(&mut self, kind: PolicyKind) -> Result<(), Error> {
        let [length, common, _value, _primary, permissions, constraints] = self.words()?;
        self.bytes(length)?;
        self.bytes(common)?;
        (0..permissions).try_for_each(|_| self.permission())?;
        (0..constraints).try_for_each(|_| self.constraint())?;
        if kind == PolicyKind::Base {
            let transitions = self.word()?;
            (0..transitions).try_for_each(|_| self.constraint())?;
            // Defaults of new objects: user, role, range, type.
            self.words::<4>()?;
        }
        Ok(())
    }

    fn constraint(&mut self) -> Result<(), Error> {
        let [_permissions, expressions] = self.words()?;
        for _ in 0..expressions {
            let [kind, _attribute, _operator] = self.words()?;
            match kind {
                NOT | AND | OR | ATTR => {}
                NAMES => {
                    self.bitmap()?;
                    self.type_set()?;
                }
                _ => return Err(self.bad("a constraint of no known kind")),
            }
        }
        Ok(())
    }

    fn role(&mut self) -> Result<(u32, &'a [u8]), Error> {
        let [length, value, _bounds] = self.words()?;
        let name = self.bytes(length)?;
        self.bitmap()?;
        self.type_set()?;
        let _flavor = self.word()?;
        self.bitmap()?;
        Ok((value, name))
    }

    /// An alias that a module declares for a type of its own shares the type's number; for another's it has its own, and the
    /// type's number stands where a type says that it is primary.
    fn types(&mut self) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Error> {
        let mut primary = BTreeMap::new();
        let mut found = Vec::new();
        self.table(|reader| {
            let [length, value, is_primary, properties, _bounds] = reader.words()?;
            reader.bitmap()?;
            let name = reader.bytes(length)?.to_vec();
            if properties & ATTRIBUTE != 0 {
                return Ok(());
            }
            let number = if properties & ALIAS != 0 { is_primary } else { value };
            if properties & ALIAS == 0 && is_primary != 0 {
                primary.insert(value, name.clone());
            }
            found.push((name, number));
            Ok(())
        })?;
        let mut types = BTreeMap::new();
        for (name, number) in found {
            let target = primary.get(&number).ok_or(self.bad("an alias of no type"))?;
            types.insert(name, target.clone());
        }
        Ok(types)
    }

    /// A user's name, roles, and the number of its default level's sensitivity.
    #[expect(clippy::type_complexity, reason = "the parts of a user before the names of levels are known")]
    fn user(&mut self, roles: &BTreeMap<u32, Vec<u8>>) -> Result<(Vec<u8>, Vec<Vec<u8>>, Option<u32>), Error> {
        let [length, _value, _bounds] = self.words()?;
        let name = self.bytes(length)?.to_vec();
        let set = self.bitmap()?;
        let _flags = self.word()?;
        self.level()?;
        self.level()?;
        let (sensitivity, has_categories) = self.level()?;
        let roles = set.iter().filter_map(|bit| roles.get(&(bit + 1)).cloned()).collect();
        Ok((name, roles, (sensitivity != 0 && !has_categories).then_some(sensitivity)))
    }

    /// `mls_semantic_level_t`: the number of a sensitivity, and whether there are ranges of categories.
    fn level(&mut self) -> Result<(u32, bool), Error> {
        let [sensitivity, ranges] = self.words()?;
        (0..ranges).try_for_each(|_| self.words::<2>().map(|_| ()))?;
        Ok((sensitivity, ranges != 0))
    }

    fn boolean(&mut self) -> Result<(), Error> {
        let [_value, _state, length] = self.words()?;
        self.bytes(length)?;
        let _flags = self.word()?;
        Ok(())
    }

    /// A sensitivity's number and name, unless it is an alias.
    fn sensitivity(&mut self) -> Result<Option<(u32, Vec<u8>)>, Error> {
        let [length, is_alias] = self.words()?;
        let name = self.bytes(length)?.to_vec();
        let number = self.word()?;
        self.bitmap()?;
        Ok((is_alias == 0).then_some((number, name)))
    }
}
