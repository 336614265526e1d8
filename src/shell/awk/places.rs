//! Reading and assigning variables, elements and fields.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use super::{
    Expression, Place, Variable, known,
    run::{Run, Stop},
    value::Value,
};

/// An array, shared with the functions that it is passed to.
pub(super) type Array = Rc<RefCell<BTreeMap<Rc<[u8]>, Value>>>;

/// Elements in one array.
const MAX_ELEMENTS: usize = 1 << 22;

/// What a variable holds.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Scalar(Value),
    Array(Array),
}

impl Slot {
    pub(super) fn new(array: bool) -> Self {
        if array { Self::Array(Array::default()) } else { Self::Scalar(Value::Nothing) }
    }
}

/// A place whose subscripts have been evaluated.
pub(super) enum Target {
    Variable(Variable),
    Field(usize),
    Element(Array, Rc<[u8]>),
}

impl Run<'_, '_, '_> {
    fn slot(&mut self, variable: Variable) -> &mut Slot {
        match variable {
            Variable::Global(index) => &mut self.globals[index],
            Variable::Local(index) => {
                let base = self.frame;
                &mut self.locals[base + index]
            }
        }
    }

    pub(super) fn array(&mut self, variable: Variable) -> Result<Array, Stop> {
        match self.slot(variable) {
            Slot::Array(array) => Ok(Rc::clone(array)),
            Slot::Scalar(_) => Err(Stop::Error("illegal reference to a variable as an array".to_owned())),
        }
    }

    pub(super) fn slot_clone(&mut self, variable: Variable) -> Slot {
        self.slot(variable).clone()
    }

    pub(super) fn target(&mut self, place: &Place) -> Result<Target, Stop> {
        Ok(match place {
            Place::Variable(variable) => Target::Variable(*variable),
            Place::Field(index) => {
                let index = self.evaluate(index)?.number();
                if index.is_nan() || index < 0.0 {
                    return Err(Stop::Error(format!("negative field index ${index}")));
                }
                Target::Field(index as usize)
            }
            Place::Element(array, keys) => {
                let array = self.array(*array)?;
                Target::Element(array, self.key(keys)?)
            }
        })
    }

    /// The key that one or several subscripts make.
    pub(super) fn key(&mut self, keys: &[Expression]) -> Result<Rc<[u8]>, Stop> {
        if let [single] = keys {
            let value = self.evaluate(single)?;
            return Ok(self.text_of(&value));
        }
        let mut parts = Vec::new();
        for key in keys {
            let value = self.evaluate(key)?;
            parts.push(self.text_of(&value));
        }
        let between = self.known_text(known::SUBSEP);
        Ok(parts.join(&*between).into())
    }

    pub(super) fn get(&mut self, target: &Target) -> Result<Value, Stop> {
        match target {
            Target::Variable(Variable::Global(known::NF)) => Ok(Value::Number(self.record.count()? as f64)),
            Target::Variable(variable) => match self.slot(*variable) {
                Slot::Scalar(value) => Ok(value.clone()),
                Slot::Array(_) => Err(Stop::Error("illegal reference to array".to_owned())),
            },
            Target::Field(0) => {
                let (between, conversion) = (self.known_text(known::OFS), self.known_text(known::CONVFMT));
                Ok(self.record.whole(&between, &conversion))
            }
            Target::Field(index) => Ok(self.record.field(*index)?),
            Target::Element(array, key) => {
                let mut array = array.borrow_mut();
                if array.len() >= MAX_ELEMENTS {
                    return Err(Stop::Fatal(crate::shell::Fatal::Limit {
                        what: "elements",
                        limit: MAX_ELEMENTS as u64,
                    }));
                }
                Ok(array.entry(Rc::clone(key)).or_insert(Value::Nothing).clone())
            }
        }
    }

    pub(super) fn set(&mut self, target: &Target, value: Value) -> Result<(), Stop> {
        if let Value::Text(text) = &value {
            self.process.machine.text(text.len())?;
        }
        match target {
            Target::Variable(Variable::Global(known::NF)) => {
                let count = value.number();
                if count < 0.0 {
                    return Err(Stop::Error(format!("negative value assigned to NF: {count}")));
                }
                self.record.set_count(count as usize)?;
            }
            Target::Variable(variable) => {
                if let Variable::Global(known::OFS) = variable {
                    // The record is made with what was between its fields.
                    self.get(&Target::Field(0))?;
                }
                match self.slot(*variable) {
                    Slot::Scalar(slot) => *slot = value,
                    Slot::Array(_) => return Err(Stop::Error("illegal reference to array".to_owned())),
                }
            }
            Target::Field(0) => {
                let text = self.text_of(&value);
                self.set_record(text)?;
                self.record.keep(value);
            }
            Target::Field(index) => self.record.set_field(*index, value)?,
            Target::Element(array, key) => {
                let mut array = array.borrow_mut();
                if array.len() >= MAX_ELEMENTS {
                    return Err(Stop::Fatal(crate::shell::Fatal::Limit {
                        what: "elements",
                        limit: MAX_ELEMENTS as u64,
                    }));
                }
                array.insert(Rc::clone(key), value);
            }
        }
        Ok(())
    }

    /// A variable that awk knows.
    pub(super) fn known(&self, index: usize) -> Value {
        match &self.globals[index] {
            Slot::Scalar(value) => value.clone(),
            Slot::Array(_) => Value::Nothing,
        }
    }

    pub(super) fn set_known(&mut self, index: usize, value: Value) {
        self.globals[index] = Slot::Scalar(value);
    }

    pub(super) fn known_text(&self, index: usize) -> Rc<[u8]> {
        self.known(index).bytes(b"%.6g")
    }

    /// A value as text, by `CONVFMT`.
    pub(super) fn text_of(&self, value: &Value) -> Rc<[u8]> {
        match value {
            Value::Number(_) => value.bytes(&self.known_text(known::CONVFMT)),
            value => value.bytes(b""),
        }
    }
}
