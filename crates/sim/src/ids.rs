//! Typed ids: a machine is never mistaken for a process.

/// Declares a `u32`- or `u64`-backed id with ordering and a plain `Display`.
#[macro_export]
macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident($inner:ty)) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

typed_id!(
    /// A machine of the world; 0 is the world itself (its wires, its inputs), machines count from 1.
    MachineId(u32)
);
typed_id!(
    /// A process id, unique on one machine.
    Pid(u32)
);
typed_id!(
    /// An entry of the journal; 0 stands for "no cause".
    EntryId(u64)
);

impl MachineId {
    /// The world itself as a source of events: inputs from outside.
    pub const WORLD: MachineId = MachineId(0);
}

impl EntryId {
    /// No entry: the start of a chain of causes.
    pub const NONE: EntryId = EntryId(0);
}
