//! What people write: base.toml, image.toml, overlay.toml.
#![no_main]

use icos::manifest::{base::Base, image::Image, overlay::Overlay};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Base::parse("base.toml", "a", text);
    let _ = Image::parse("image.toml", "a", text);
    let _ = Overlay::parse("overlay.toml", text);
});
