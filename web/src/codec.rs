//! Messages to bytes and back. The format is postcard: compact, and enough because the messages in
//! `protocol` are closed types. Values that describe themselves (objects, JSON) never cross the
//! wire as such; the worker turns them into text or into protocol types first.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes of a message.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    postcard::to_allocvec(message).expect("protocol types always encode")
}

/// The message in these bytes, or a sentence that says what is wrong with them.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(format!("{} bytes too many at the end", rest.len())),
        Err(error) => Err(format!("not a message: {error}")),
    }
}
