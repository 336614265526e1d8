//! What long work says while it runs; the edge decides how it looks.

/// Something that happened. Stages follow one another; what is done inside one may be told from any thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A stage begins; `total` is what its [`Event::Advance`]s will add up to, 0 when that is not known.
    Stage {
        name: &'static str,
        unit: Unit,
        total: u64,
    },
    Advance(u64),
    /// Worth a line even when there is no progress bar.
    Note(&'a str),
    /// A warning for the user, who should see it even when quiet.
    Warning(&'a str),
}

/// What a stage counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Packages,
}

/// Where the bytes that were just done go, from any thread.
pub type Advance<'a> = &'a (dyn Fn(u64) + Sync);

/// Where events go.
pub type Progress<'a> = &'a (dyn Fn(Event<'_>) + Sync);
