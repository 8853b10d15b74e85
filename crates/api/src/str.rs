//! A shared string: cheap to clone, compared by content. Not a symbol table; sharing of equal
//! strings is the `Interner`'s business.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// A string that clones in constant time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str(Rc<str>);

impl Str {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared allocation itself, for those that keep `Rc<str>`.
    pub fn as_rc(&self) -> &Rc<str> {
        &self.0
    }

    /// Whether both are one allocation.
    pub fn ptr_eq(&self, other: &Str) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Str {
    fn default() -> Self {
        Str(Rc::from(""))
    }
}

impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.0, f)
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Str(Rc::from(text))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Str(Rc::from(text))
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Self {
        Str(Rc::from(text.as_str()))
    }
}

impl From<Rc<str>> for Str {
    fn from(text: Rc<str>) -> Self {
        Str(text)
    }
}

impl From<&Rc<str>> for Str {
    fn from(text: &Rc<str>) -> Self {
        Str(text.clone())
    }
}

impl From<&Str> for Str {
    fn from(text: &Str) -> Self {
        text.clone()
    }
}

impl From<Str> for Rc<str> {
    fn from(text: Str) -> Self {
        text.0
    }
}

impl From<&Str> for Rc<str> {
    fn from(text: &Str) -> Self {
        text.0.clone()
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}
