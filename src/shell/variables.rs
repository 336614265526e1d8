//! The shell's variables: values, which of them are exported or read-only, and what functions have made local.

use std::{collections::BTreeMap, rc::Rc};

use super::{Environment, raw::Raw};

/// One variable; without a value it only carries its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) value: Option<Rc<[u8]>>,
    pub(super) exported: bool,
    pub(super) readonly: bool,
}

/// A variable that may not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: is read only", Raw(.0))]
pub(super) struct ReadOnly(pub(super) Vec<u8>);

/// All variables; a clone shares them until one of the two is changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    table: Rc<BTreeMap<Rc<[u8]>, Variable>>,
    /// What commands get, until an exported variable changes.
    environment: Option<Environment>,
}

impl Variables {
    /// Takes over an environment: every variable of it with a valid name, exported.
    pub(super) fn import(environment: &Environment) -> Self {
        let table = environment
            .iter()
            .filter(|(name, _)| super::parse::is_name(name))
            .map(|(name, value)| {
                let variable = Variable { value: Some(value.as_slice().into()), exported: true, readonly: false };
                (Rc::from(name.as_slice()), variable)
            })
            .collect();
        Self { table: Rc::new(table), environment: None }
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Rc<[u8]>> {
        self.table.get(name)?.value.as_ref()
    }

    pub(super) fn variable(&self, name: &[u8]) -> Option<&Variable> {
        self.table.get(name)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether the next change copies the table.
    pub(super) fn is_shared(&self) -> bool {
        Rc::strong_count(&self.table) > 1
    }

    /// How many variables [`Variables::environment`] would look at.
    pub(super) fn stale(&self) -> usize {
        if self.environment.is_some() { 0 } else { self.table.len() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Rc<[u8]>, &Variable)> {
        self.table.iter()
    }

    fn entry(&mut self, name: &[u8]) -> &mut Variable {
        let table = Rc::make_mut(&mut self.table);
        if !table.contains_key(name) {
            table.insert(name.into(), Variable::default());
        }
        table.get_mut(name).expect("the name is in the table")
    }

    pub(super) fn set(&mut self, name: &[u8], value: Rc<[u8]>) -> Result<(), ReadOnly> {
        let variable = self.entry(name);
        if variable.readonly {
            return Err(ReadOnly(name.to_vec()));
        }
        variable.value = Some(value);
        if variable.exported {
            self.environment = None;
        }
        Ok(())
    }

    pub(super) fn export(&mut self, name: &[u8]) {
        let variable = self.entry(name);
        if !variable.exported {
            variable.exported = true;
            self.environment = None;
        }
    }

    pub(super) fn set_readonly(&mut self, name: &[u8]) {
        self.entry(name).readonly = true;
    }

    pub(super) fn unset(&mut self, name: &[u8]) -> Result<(), ReadOnly> {
        match self.table.get(name) {
            None => return Ok(()),
            Some(variable) if variable.readonly => return Err(ReadOnly(name.to_vec())),
            Some(_) => {}
        }
        self.restore(name, None);
        Ok(())
    }

    /// Puts a variable back as it was, whatever it is now.
    pub(super) fn restore(&mut self, name: &[u8], old: Option<Variable>) {
        self.environment = None;
        let table = Rc::make_mut(&mut self.table);
        match old {
            Some(variable) => {
                table.insert(name.into(), variable);
            }
            None => {
                table.remove(name);
            }
        }
    }

    /// The exported variables.
    pub(super) fn environment(&mut self) -> Environment {
        if let Some(environment) = &self.environment {
            return environment.clone();
        }
        let environment: Environment = self
            .table
            .iter()
            .filter(|(_, variable)| variable.exported)
            .filter_map(|(name, variable)| Some((name.to_vec(), variable.value.as_ref()?.to_vec())))
            .collect();
        self.environment = Some(environment.clone());
        environment
    }
}
