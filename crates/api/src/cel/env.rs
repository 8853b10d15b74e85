//! What an expression may use: its variables with their types.

use std::rc::Rc;

use super::Type;

/// The variables an expression may use.
#[derive(Clone, Debug, Default)]
pub struct Env {
    variables: Vec<(Rc<str>, Type)>,
    /// Any name is a variable.
    open: bool,
    /// Operands are looked at when they are there, not before.
    pub(super) lenient: bool,
    /// `Object{…}` and `JSONPatch{…}` may be written.
    pub(super) mutates: bool,
}

impl Env {
    /// No variables.
    pub fn new() -> Env {
        Env::default()
    }

    /// Every name may be a variable; types do not count.
    pub fn open() -> Env {
        Env {
            open: true,
            lenient: true,
            ..Env::default()
        }
    }

    /// These variables; types do not count.
    pub fn untyped(variables: &[&str]) -> Env {
        let mut env = Env {
            lenient: true,
            ..Env::default()
        };
        for name in variables {
            env = env.with(name, Type::Dyn);
        }
        env
    }

    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, name: &str, ty: Type) -> Env {
        self.variables.push((Rc::from(name), ty));
        self
    }

    /// Adds the types that a mutating policy writes: `Object` and `JSONPatch`.
    #[must_use]
    pub fn with_mutations(self) -> Env {
        Env {
            mutates: true,
            ..self
        }
    }

    /// The type of a variable with a dot in its name.
    pub(super) fn dotted(&self, name: &str) -> Option<Type> {
        let found = self.variables.iter().find(|(n, _)| &**n == name);
        found.map(|(_, ty)| ty.clone())
    }

    /// The type of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<Type> {
        let found = self.variables.iter().rev().find(|(n, _)| &**n == name);
        match found {
            Some((_, ty)) => Some(ty.clone()),
            None if self.open && super::eval::type_named(name).is_none() => Some(Type::Dyn),
            None => None,
        }
    }
}
