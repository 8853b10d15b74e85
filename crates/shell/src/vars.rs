//! Variables: text, indexed arrays, associative arrays, and the scopes of functions.
//!
//! Models variables.c of bash. Values special to the shell (`$?`, `$RANDOM`) are not here.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::quote;

/// The environment of a process.
pub(crate) type Env = Rc<BTreeMap<Rc<str>, Rc<str>>>;

/// A variable's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Declared but never assigned.
    Unset,
    /// Text.
    Text(Rc<str>),
    /// `name=(…)`
    Indexed(Rc<BTreeMap<u64, Rc<str>>>),
    /// `declare -A name`
    Keyed(Rc<BTreeMap<Rc<str>, Rc<str>>>),
}

/// A variable and its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// What it holds.
    pub value: Value,
    /// Given to children.
    pub exported: bool,
    /// Cannot be assigned.
    pub readonly: bool,
    /// `declare -i`: what is assigned is an arithmetic expression.
    pub integer: bool,
    /// `declare -l` (false) or `-u` (true).
    pub case: Option<bool>,
}

/// All variables of a shell. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Vars {
    map: Rc<BTreeMap<Rc<str>, Variable>>,
    /// What `local` hid, innermost function last.
    scopes: Vec<Vec<(Rc<str>, Option<Variable>)>>,
    env: Option<Env>,
}

impl Default for Variable {
    fn default() -> Self {
        Variable {
            value: Value::Unset,
            exported: false,
            readonly: false,
            integer: false,
            case: None,
        }
    }
}

impl Variable {
    /// The text a plain `$name` gives: of an array, element 0.
    pub fn text(&self) -> Option<Rc<str>> {
        match &self.value {
            Value::Unset => None,
            Value::Text(text) => Some(text.clone()),
            Value::Indexed(elements) => elements.get(&0).cloned(),
            Value::Keyed(elements) => elements.get("0").cloned(),
        }
    }
}

impl Variable {
    /// Its attributes as `declare` writes them: `ax`, or nothing.
    pub fn letters(&self) -> String {
        let mut letters = String::new();
        match self.value {
            Value::Indexed(_) => letters.push('a'),
            Value::Keyed(_) => letters.push('A'),
            Value::Unset | Value::Text(_) => {}
        }
        for (letter, on) in [
            ('i', self.integer),
            ('l', self.case == Some(false)),
            ('r', self.readonly),
            ('u', self.case == Some(true)),
            ('x', self.exported),
        ] {
            if on {
                letters.push(letter);
            }
        }
        letters
    }
}

/// The `declare` command that makes a variable what it is.
pub(crate) fn declaration(name: &str, variable: &Variable) -> String {
    let letters = variable.letters();
    let letters = if letters.is_empty() {
        "-".to_owned()
    } else {
        letters
    };
    let list = |pairs: Vec<String>| format!("({})", pairs.join(" "));
    let value = match &variable.value {
        Value::Unset => return format!("declare -{letters} {name}"),
        Value::Text(text) => quote::double(text),
        Value::Indexed(elements) => list(
            elements
                .iter()
                .map(|(k, v)| format!("[{k}]={}", quote::double(v)))
                .collect(),
        ),
        // bash leaves a blank behind each element of an associative array.
        Value::Keyed(elements) => {
            let pairs = elements
                .iter()
                .map(|(k, v)| format!("[{k}]={} ", quote::double(v)));
            format!("({})", pairs.collect::<String>())
        }
    };
    format!("declare -{letters} {name}={value}")
}

impl Vars {
    /// The variables a process starts with.
    pub fn from_env(env: &Env) -> Vars {
        let variable = |text: &Rc<str>| Variable {
            value: Value::Text(text.clone()),
            exported: true,
            ..Variable::default()
        };
        let map = env
            .iter()
            .map(|(name, text)| (name.clone(), variable(text)))
            .collect();
        Vars {
            map: Rc::new(map),
            scopes: Vec::new(),
            env: Some(env.clone()),
        }
    }

    /// The variable, declared or not.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.map.get(name)
    }

    /// Its text.
    pub fn text(&self, name: &str) -> Option<Rc<str>> {
        self.map.get(name).and_then(Variable::text)
    }

    /// Names and variables in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Rc<str>, &Variable)> {
        self.map.iter()
    }

    /// The variable to be changed, made if it is not there.
    pub fn entry(&mut self, name: &str) -> &mut Variable {
        self.env = None;
        Rc::make_mut(&mut self.map).entry(name.into()).or_default()
    }

    /// Assigns text.
    pub fn set(&mut self, name: &str, text: impl Into<Rc<str>>) -> Result<(), String> {
        self.set_element(name, None, text.into(), false)
    }

    /// Assigns text to a variable or one of its elements; `append` adds to what is there.
    pub fn set_element(
        &mut self,
        name: &str,
        index: Option<&str>,
        text: Rc<str>,
        append: bool,
    ) -> Result<(), String> {
        if let Some(variable) = self.map.get(name) {
            if variable.readonly {
                return Err(format!("{name}: readonly variable"));
            }
            if !variable.exported {
                // Nothing a child sees changes.
                let env = self.env.take();
                self.store(name, index, text, append);
                self.env = env;
                return Ok(());
            }
        }
        self.store(name, index, text, append);
        Ok(())
    }

    fn store(&mut self, name: &str, index: Option<&str>, text: Rc<str>, append: bool) {
        let variable = self.entry(name);
        let joined = |old: Option<&Rc<str>>| -> Rc<str> {
            match old {
                Some(old) if append => format!("{old}{text}").into(),
                _ => text.clone(),
            }
        };
        let cased = |text: Rc<str>, case: Option<bool>| -> Rc<str> {
            match case {
                Some(true) => text.to_uppercase().into(),
                Some(false) => text.to_lowercase().into(),
                None => text,
            }
        };
        let case = variable.case;
        match (&mut variable.value, index) {
            (Value::Keyed(elements), index) => {
                let key: Rc<str> = index.unwrap_or("0").into();
                let new = cased(joined(elements.get(&key)), case);
                Rc::make_mut(elements).insert(key, new);
            }
            (Value::Indexed(elements), index) => {
                let at = array_index(elements, index);
                let new = cased(joined(elements.get(&at)), case);
                Rc::make_mut(elements).insert(at, new);
            }
            (value, Some(index)) => {
                let mut elements = BTreeMap::new();
                if let Value::Text(old) = value {
                    elements.insert(0, old.clone());
                }
                let at = array_index(&elements, Some(index));
                let new = cased(joined(elements.get(&at)), case);
                elements.insert(at, new);
                *value = Value::Indexed(Rc::new(elements));
            }
            (value, None) => {
                let old = match value {
                    Value::Text(old) => Some(&*old),
                    _ => None,
                };
                let new = cased(joined(old), case);
                *value = Value::Text(new);
            }
        }
    }

    /// Removes a variable, or one element.
    pub fn unset(&mut self, name: &str, index: Option<&str>) -> Result<(), String> {
        let Some(variable) = self.map.get(name) else {
            return Ok(());
        };
        if variable.readonly {
            return Err(format!("{name}: cannot unset: readonly variable"));
        }
        self.env = None;
        let map = Rc::make_mut(&mut self.map);
        match (index, map.get_mut(name).map(|variable| &mut variable.value)) {
            (Some(index), Some(Value::Indexed(elements))) => {
                let at = array_index(elements, Some(index));
                Rc::make_mut(elements).remove(&at);
            }
            (Some(index), Some(Value::Keyed(elements))) => {
                Rc::make_mut(elements).remove(index);
            }
            _ => {
                map.remove(name);
            }
        }
        Ok(())
    }

    /// The exported variables.
    pub fn env(&mut self) -> Env {
        if let Some(env) = &self.env {
            return env.clone();
        }
        let exported = self.map.iter().filter(|(_, variable)| variable.exported);
        let env: Env = Rc::new(
            exported
                .filter_map(|(name, v)| v.text().map(|text| (name.clone(), text)))
                .collect(),
        );
        self.env = Some(env.clone());
        env
    }

    /// Opens the scope of a function.
    pub fn push_scope(&mut self) {
        self.scopes.push(Vec::new());
    }

    /// Leaves a function: what its locals hid comes back.
    pub fn pop_scope(&mut self) {
        for (name, hidden) in self.scopes.pop().unwrap_or_default().into_iter().rev() {
            self.env = None;
            let map = Rc::make_mut(&mut self.map);
            match hidden {
                Some(variable) => map.insert(name, variable),
                None => map.remove(&name),
            };
        }
    }

    /// How many functions are being run.
    pub fn depth(&self) -> usize {
        self.scopes.len()
    }

    /// Makes `name` local to the innermost function; false outside of functions.
    pub fn make_local(&mut self, name: &str) -> bool {
        let Some(scope) = self.scopes.last_mut() else {
            return false;
        };
        if scope.iter().any(|(own, _)| &**own == name) {
            return true;
        }
        let hidden = self.map.get(name).cloned();
        let exported = hidden.as_ref().is_some_and(|variable| variable.exported);
        scope.push((name.into(), hidden));
        self.env = None;
        let fresh = Variable {
            exported,
            ..Variable::default()
        };
        Rc::make_mut(&mut self.map).insert(name.into(), fresh);
        true
    }

    /// Hides a variable for one command (`A=1 command`) as if in a scope of its own.
    pub fn assign_in_scope(&mut self, name: &str, text: Rc<str>) -> Result<(), String> {
        if self.map.get(name).is_some_and(|variable| variable.readonly) {
            return Err(format!("{name}: readonly variable"));
        }
        self.make_local(name);
        let variable = self.entry(name);
        variable.value = Value::Text(text);
        variable.exported = true;
        Ok(())
    }
}

/// The place an index names; negative ones count from the end.
fn array_index(elements: &BTreeMap<u64, Rc<str>>, index: Option<&str>) -> u64 {
    let index: i64 = index.and_then(|text| text.parse().ok()).unwrap_or(0);
    let end = elements.last_key_value().map_or(0, |(last, _)| last + 1);
    match u64::try_from(index) {
        Ok(index) => index,
        Err(_) => end.saturating_sub(index.unsigned_abs()),
    }
}

/// An element of a value by its evaluated index.
pub(crate) fn element(value: &Value, index: &str) -> Option<Rc<str>> {
    match value {
        Value::Unset => None,
        Value::Text(text) => matches!(index, "0" | "-1").then(|| text.clone()),
        Value::Indexed(elements) => elements.get(&array_index(elements, Some(index))).cloned(),
        Value::Keyed(elements) => elements.get(index).cloned(),
    }
}

/// All elements of a value in order.
pub(crate) fn elements(value: &Value) -> Vec<Rc<str>> {
    match value {
        Value::Unset => Vec::new(),
        Value::Text(text) => vec![text.clone()],
        Value::Indexed(elements) => elements.values().cloned().collect(),
        Value::Keyed(elements) => elements.values().cloned().collect(),
    }
}

/// The keys or indexes of a value in order.
pub(crate) fn keys(value: &Value) -> Vec<Rc<str>> {
    match value {
        Value::Unset => Vec::new(),
        Value::Text(_) => vec!["0".into()],
        Value::Indexed(elements) => elements.keys().map(|key| key.to_string().into()).collect(),
        Value::Keyed(elements) => elements.keys().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locals_hide_and_come_back() {
        let mut vars = Vars::default();
        vars.set("x", "outer").expect("set");
        vars.push_scope();
        assert!(vars.make_local("x"));
        vars.set("x", "inner").expect("set");
        vars.set("y", "global").expect("set");
        assert_eq!(vars.text("x").as_deref(), Some("inner"));
        vars.pop_scope();
        assert_eq!(vars.text("x").as_deref(), Some("outer"));
        assert_eq!(vars.text("y").as_deref(), Some("global"));
    }

    #[test]
    fn arrays_grow_and_append() {
        let mut vars = Vars::default();
        vars.set_element("a", Some("2"), "c".into(), false)
            .expect("set");
        vars.set_element("a", Some("-1"), "d".into(), true)
            .expect("set");
        assert_eq!(elements(&vars.get("a").expect("set").value), ["cd".into()]);
        assert_eq!(keys(&vars.get("a").expect("set").value), ["2".into()]);
        vars.entry("r").readonly = true;
        assert_eq!(vars.set("r", "x"), Err("r: readonly variable".to_owned()));
    }

    #[test]
    fn the_environment_is_what_is_exported() {
        let mut vars = Vars::default();
        vars.set("x", "1").expect("set");
        assert!(vars.env().is_empty());
        vars.entry("x").exported = true;
        assert_eq!(vars.env().get("x").map(|text| &**text), Some("1"));
        vars.set("x", "2").expect("set");
        assert_eq!(vars.env().get("x").map(|text| &**text), Some("2"));
    }
}
