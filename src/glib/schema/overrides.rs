//! Vendors' overrides: key files whose groups are `schema` or `schema:desktop`.

use super::{Schemas, key::Key};
use crate::glib::{
    hash::Table,
    key_file,
    variant::{self, Value},
};

pub(super) fn set(schemas: &mut Schemas, text: &[u8]) -> Result<Vec<String>, String> {
    let file = key_file::parse(text).map_err(|fault| fault.to_string())?;
    let mut warnings = Vec::new();
    for (group, keys) in &file.groups {
        let mut parts = group.splitn(2, |&byte| byte == b':');
        let (id, desktop) = (parts.next().unwrap_or_default(), parts.next());
        // That the schema is not installed is nothing to speak of.
        let Some(schema) = schemas.schemas.get_mut(id) else { continue };
        for (name, text) in keys {
            if let Err(reason) = set_one(schema.keys.get_mut(name), desktop, text) {
                let (name, group) = (String::from_utf8_lossy(name), String::from_utf8_lossy(group));
                let what = format!("key “{name}” in schema “{group}”: {reason}; ignoring override for this key.");
                warnings.push(what);
            }
        }
    }
    Ok(warnings)
}

fn set_one(key: Option<&mut Key>, desktop: Option<&[u8]>, text: &[u8]) -> Result<(), String> {
    let Some(Key::Setting(setting)) = key else { return Err("no such key".to_owned()) };
    if desktop.is_some() && setting.l10n.is_some() {
        return Err("it is localized, and has one value for all desktops".to_owned());
    }
    let value: Value = variant::parse(&setting.kind, text).map_err(|fault| fault.to_string())?;
    if !setting.in_range(&value) {
        return Err("the value is outside the range given in the schema".to_owned());
    }
    if !setting.is_choice(&value) {
        return Err("the value is not in the list of valid choices".to_owned());
    }
    match desktop {
        Some(desktop) => setting.desktops.get_or_insert_with(Table::default).insert(desktop, value),
        None => setting.default = Some(value),
    }
    Ok(())
}
