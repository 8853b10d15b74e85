//! What panels show, read from a lab. A view is plain data; reading it changes nothing.

mod picture;

pub use picture::{EventView, MachineView, PictureReader, PictureView, PodState, PodView};
