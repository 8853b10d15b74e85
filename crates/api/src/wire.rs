//! Objects on the simulated wire: they travel by reference, with the length their JSON would have.

use std::any::Any;
use std::rc::Rc;

use net::Shared;
use net::http::Body;

use crate::Value;
use crate::json::JsonError;

impl Shared for Value {
    fn size(&self) -> u64 {
        self.json_len() as u64
    }

    fn bytes(&self) -> Vec<u8> {
        self.to_json().into_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// An object whose length on the wire is known already: what goes to many readers is measured once.
#[derive(Clone, Debug)]
pub struct Measured {
    value: Value,
    len: u64,
    /// A newline follows, as after each event of a watch.
    line: bool,
}

impl Measured {
    /// Measures the object.
    pub fn new(value: Value) -> Measured {
        let len = value.json_len() as u64;
        Measured {
            value,
            len,
            line: false,
        }
    }

    /// The object, whose compact JSON is known to be `len` bytes long.
    pub fn with_len(value: Value, len: u64) -> Measured {
        Measured {
            value,
            len,
            line: false,
        }
    }

    /// The same as a line of its own.
    pub fn line(self) -> Measured {
        Measured { line: true, ..self }
    }

    /// The length of its compact JSON, in bytes.
    pub fn json_len(&self) -> u64 {
        self.len
    }

    /// The object.
    pub fn value(&self) -> &Value {
        &self.value
    }
}

impl Shared for Measured {
    fn size(&self) -> u64 {
        self.len + u64::from(self.line)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.value.bytes();
        if self.line {
            bytes.push(b'\n');
        }
        bytes
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The object that something shared is, if it is one.
pub fn shared_value(shared: &dyn Shared) -> Option<&Value> {
    let any = shared.as_any();
    any.downcast_ref::<Value>()
        .or_else(|| any.downcast_ref().map(Measured::value))
}

/// The body that carries this object.
pub fn body(value: Value) -> Body {
    Body::Shared(Rc::new(value))
}

/// The object a body carries: by reference if it was sent so, else read from its JSON. An empty
/// body is null.
pub fn body_value(body: &Body) -> Result<Value, JsonError> {
    match body {
        Body::Empty => Ok(Value::Null),
        Body::Bytes(bytes) => Value::from_json(bytes),
        Body::Shared(shared) => match shared_value(&**shared) {
            Some(value) => Ok(value.clone()),
            None => Value::from_json(&shared.bytes()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn a_body_is_the_object_or_its_text() {
        let v = object! { "kind": "Pod", "spec": { "x": "<" } };
        let sent = body(v.clone());
        assert_eq!(sent.size(), v.to_json().len() as u64);
        assert_eq!(body_value(&sent), Ok(v.clone()));
        let measured = Body::shared(Rc::new(Measured::new(v.clone())));
        assert_eq!(
            (measured.size(), body_value(&measured)),
            (sent.size(), Ok(v.clone()))
        );
        assert_eq!(body_value(&Body::Bytes(v.bytes().into())), Ok(v));
        assert_eq!(body_value(&Body::Empty), Ok(Value::Null));
        assert!(body_value(&Body::Bytes(b"{".as_slice().into())).is_err());
    }
}
