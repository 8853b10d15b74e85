//! What panels show, read from a lab. A view is plain data; reading it changes nothing.

mod components;
mod picture;
mod requests;
mod services;

pub use commands::netwhy::{Addresses, Fate, Met, Station, Way, Writer};
pub use components::ComponentView;
pub use picture::{EventView, MachineView, PictureReader, PictureView, PodState, PodView};
pub use requests::{Asker, RequestReader, RequestView, WayView, ask};
pub use services::{EndpointView, PortView, ServiceView, SliceView};
