//! Assignments: `name=value` in all its forms.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Expander, Stop};
use crate::syntax::ir::{Assignment, Value as Written, Word};
use crate::vars::Value;

/// Array elements after expansion: an index where one was written, and the text.
pub type Elements = Vec<(Option<Rc<str>>, Rc<str>)>;

impl Expander<'_, '_> {
    /// Carries out an assignment; `scoped` hides the variable for one command instead.
    pub fn assign(&mut self, assignment: &Assignment, scoped: bool) -> Result<(), Stop> {
        let Assignment {
            name,
            index,
            append,
            value,
        } = assignment;
        match value {
            Written::Array(words) => {
                let elements = self.elements(words)?;
                self.assign_elements(name, *append, elements)
            }
            Written::Scalar(word) => {
                let text = self.assigned(word)?;
                if scoped {
                    let old = self.state.vars.text(name).filter(|_| *append);
                    let text = old.map_or(text.clone(), |old| format!("{old}{text}").into());
                    return Ok(self.state.vars.assign_in_scope(name, text)?);
                }
                let index = index
                    .as_ref()
                    .map(|word| self.index_for(name, word))
                    .transpose()?;
                self.assign_text(name, index.as_deref(), text, *append)
            }
        }
    }

    /// Assigns text, which is an expression if the variable is an integer.
    pub fn assign_text(
        &mut self,
        name: &str,
        index: Option<&str>,
        text: Rc<str>,
        append: bool,
    ) -> Result<(), Stop> {
        let integer = self
            .state
            .vars
            .get(name)
            .is_some_and(|variable| variable.integer);
        if integer {
            let mut value = self.evaluate(&text)?;
            if append {
                value = value.wrapping_add(self.evaluate(&self.state.text_or(name, "0"))?);
            }
            self.state
                .vars
                .set_element(name, index, value.to_string().into(), false)?;
        } else {
            if name == "RANDOM" {
                self.state.random = Some(text.parse().unwrap_or(0) % 0x7fff_ffff);
            }
            self.state.vars.set_element(name, index, text, append)?;
        }
        if self.state.options.allexport {
            self.state.vars.entry(name).exported = true;
        }
        Ok(())
    }

    /// The elements between the parentheses of an array assignment.
    pub fn elements(&mut self, words: &[(Option<Word>, Word)]) -> Result<Elements, Stop> {
        let mut elements = Elements::new();
        for (index, word) in words {
            match index {
                Some(index) => {
                    let index = self.single(index)?;
                    elements.push((Some(index), self.assigned(word)?));
                }
                None => {
                    let mut fields = Vec::new();
                    self.arguments(word, &mut fields)?;
                    elements.extend(fields.into_iter().map(|field| (None, field)));
                }
            }
        }
        Ok(elements)
    }

    /// Makes an array of elements; the kind of array is the variable's, if it has one.
    pub fn assign_elements(
        &mut self,
        name: &str,
        append: bool,
        elements: Elements,
    ) -> Result<(), Stop> {
        let old = self.state.vars.get(name);
        if old.is_some_and(|variable| variable.readonly) {
            return Err(format!("{name}: readonly variable").into());
        }
        let old = old.map_or(Value::Unset, |variable| variable.value.clone());
        if let Value::Keyed(keyed) = &old {
            let mut map = if append {
                (**keyed).clone()
            } else {
                BTreeMap::new()
            };
            let mut rest = elements.into_iter();
            while let Some((index, text)) = rest.next() {
                match index {
                    Some(key) => map.insert(key, text),
                    // `m=(key value key value)`
                    None => map.insert(text, rest.next().map_or("".into(), |(_, value)| value)),
                };
            }
            self.state.vars.entry(name).value = Value::Keyed(Rc::new(map));
            return Ok(());
        }
        let mut map = match &old {
            Value::Indexed(indexed) if append => (**indexed).clone(),
            Value::Text(text) if append => BTreeMap::from([(0, text.clone())]),
            _ => BTreeMap::new(),
        };
        let mut next = map.last_key_value().map_or(0, |(last, _)| last + 1);
        for (index, text) in elements {
            if let Some(index) = index {
                let value = self.evaluate(&index)?;
                next = u64::try_from(value)
                    .map_err(|_| format!("[{index}]={text}: bad array subscript"))?;
            }
            map.insert(next, text);
            next += 1;
        }
        self.state.vars.entry(name).value = Value::Indexed(Rc::new(map));
        Ok(())
    }
}
