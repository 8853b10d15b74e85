//! The parts of the page, one file each. They draw what they are given and report acts.

pub mod bench;
pub mod divider;
pub mod editor;
pub mod emblem;
pub mod explain;
pub mod home;
pub mod icons;
pub mod lesson;
pub mod notices;
pub mod picture;
pub mod terminals;
pub mod time;
pub mod topbar;
pub mod trouble;
