//! What a message carries: bytes, or a shared object that could become bytes.
//! Knows nothing of what the object is; its size alone decides how long the wire is busy.

use core::any::Any;
use core::fmt;
use std::rc::Rc;

/// An object that travels by reference inside the simulation and has a wire form on demand.
pub trait Shared: Any + fmt::Debug {
    /// Length of the wire form, in bytes. Cheap: it is asked for every packet.
    fn size(&self) -> u64;
    /// The wire form itself. Made only where someone looks.
    fn bytes(&self) -> Vec<u8>;
    /// For downcasting to the concrete type.
    fn as_any(&self) -> &dyn Any;
}

/// The contents of one message. Clone is O(1).
#[derive(Clone)]
pub enum Payload {
    /// Plain bytes.
    Bytes(Rc<[u8]>),
    /// An object that both ends understand.
    Shared(Rc<dyn Shared>),
}

impl Payload {
    /// Length on the wire, in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Shared(shared) => shared.size(),
        }
    }

    /// The wire form.
    pub fn bytes(&self) -> Rc<[u8]> {
        match self {
            Payload::Bytes(bytes) => bytes.clone(),
            Payload::Shared(shared) => shared.bytes().into(),
        }
    }

    /// The object as a `T`, if that is what it is.
    pub fn downcast<T: Shared>(&self) -> Option<&T> {
        match self {
            Payload::Bytes(_) => None,
            Payload::Shared(shared) => shared.as_any().downcast_ref(),
        }
    }

    /// The object as a shared `T`, if that is what it is.
    pub fn downcast_rc<T: Shared>(&self) -> Option<Rc<T>> {
        match self {
            Payload::Bytes(_) => None,
            Payload::Shared(shared) => downcast_shared(shared),
        }
    }
}

/// `shared` as a `T`, if that is what it is.
pub fn downcast_shared<T: Shared>(shared: &Rc<dyn Shared>) -> Option<Rc<T>> {
    if !shared.as_any().is::<T>() {
        return None;
    }
    let any: Rc<dyn Any> = shared.clone();
    any.downcast().ok()
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Payload::Bytes(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Payload::Shared(shared) => shared.fmt(f),
        }
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Payload {
        Payload::Bytes(bytes.into())
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Payload {
        Payload::Bytes(text.as_bytes().into())
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload::Bytes(bytes.into())
    }
}

impl From<Rc<[u8]>> for Payload {
    fn from(bytes: Rc<[u8]>) -> Payload {
        Payload::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Note(&'static str);

    impl Shared for Note {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn bytes(&self) -> Vec<u8> {
            self.0.as_bytes().to_vec()
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    #[test]
    fn a_shared_object_keeps_its_identity_and_has_bytes() {
        let note = Rc::new(Note("hello"));
        let payload = Payload::Shared(note.clone());
        assert_eq!(payload.size(), 5);
        assert_eq!(&*payload.bytes(), b"hello");
        assert!(Rc::ptr_eq(
            &payload.downcast_rc::<Note>().expect("a note"),
            &note
        ));
    }

    #[test]
    fn bytes_are_no_object() {
        assert!(Payload::from("hello").downcast::<Note>().is_none());
    }
}
