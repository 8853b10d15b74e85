//! Keeps texts by name from one visit to the next.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use gloo::storage::{LocalStorage, Storage};

/// A place for texts. Names are short paths, `progress`, `save/sandbox`.
pub trait Store: Debug {
    /// The text under a name.
    fn get(&self, name: &str) -> Option<String>;
    /// Keeps a text, or says why it could not.
    fn put(&self, name: &str, text: &str) -> Result<(), String>;
    /// Forgets a text.
    fn remove(&self, name: &str);
}

/// The browser's local storage; names get the prefix `kubarium/`.
#[derive(Debug)]
pub struct BrowserStore;

impl Store for BrowserStore {
    fn get(&self, name: &str) -> Option<String> {
        LocalStorage::raw()
            .get_item(&format!("kubarium/{name}"))
            .ok()
            .flatten()
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        LocalStorage::raw()
            .set_item(&format!("kubarium/{name}"), text)
            .map_err(|_| "The browser's storage is full or closed to this page.".to_owned())
    }

    fn remove(&self, name: &str) {
        // Fails only where storage is closed, and there nothing was kept.
        let _ = LocalStorage::raw().remove_item(&format!("kubarium/{name}"));
    }
}

/// A store that lasts as long as the page: for tests, and where the browser keeps nothing.
#[derive(Debug, Default)]
pub struct MemoryStore {
    texts: RefCell<BTreeMap<String, String>>,
}

impl Store for MemoryStore {
    fn get(&self, name: &str) -> Option<String> {
        self.texts.borrow().get(name).cloned()
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        self.texts
            .borrow_mut()
            .insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    fn remove(&self, name: &str) {
        self.texts.borrow_mut().remove(name);
    }
}

/// The browser's storage where it works, else memory.
pub fn open() -> Box<dyn Store> {
    let works = gloo::utils::window()
        .local_storage()
        .ok()
        .flatten()
        .is_some();
    if works {
        Box::new(BrowserStore)
    } else {
        Box::new(MemoryStore::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_keeps_and_forgets() {
        let store = MemoryStore::default();
        assert_eq!(store.get("a"), None);
        assert_eq!(store.put("a", "one"), Ok(()));
        assert_eq!(store.get("a").as_deref(), Some("one"));
        store.remove("a");
        assert_eq!(store.get("a"), None);
    }
}
