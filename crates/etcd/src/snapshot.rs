//! The database as a value: what lies in the data directory, and what `etcdctl snapshot save`
//! brings home. A file holds it whole or not at all.
//!
//! Models server/storage/backend and etcdutl/snapshot.

use std::any::Any;
use std::rc::Rc;

use net::Shared;

use crate::member::{Cluster, Config};
use crate::store::Store;

/// What a sealed file ends in.
const SEAL: &[u8; 32] = b"-- a hash of what is above it --";

/// The contents of a database file. A clone shares everything.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The key space.
    pub store: Store,
    /// The cluster and this member's place in the log.
    pub cluster: Cluster,
    /// The file ends in a hash of its contents, as `snapshot save` leaves it and a database in use
    /// does not.
    pub sealed: bool,
}

/// What `etcdutl snapshot status` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotStatus {
    /// A hash of the contents.
    pub hash: u32,
    /// The revision of the last change.
    pub revision: i64,
    /// How many key versions it holds.
    pub total_key: u64,
    /// Bytes of the file.
    pub total_size: u64,
}

/// The options of `etcdutl snapshot restore`.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    /// The member that the data is for.
    pub config: Config,
    /// `--bump-revision`.
    pub bump_revision: u64,
    /// `--mark-compacted`.
    pub mark_compacted: bool,
}

impl Snapshot {
    /// Its summary.
    pub fn status(&self) -> SnapshotStatus {
        SnapshotStatus {
            hash: self.store.hash(),
            revision: self.store.revision(),
            total_key: self.store.versions(),
            total_size: self.store.db_size(),
        }
    }

    /// The database of a new cluster of one member that holds the same keys.
    pub fn restore(&self, restore: &Restore) -> Snapshot {
        Snapshot {
            store: self
                .store
                .clone()
                .restored(restore.bump_revision, restore.mark_compacted),
            cluster: Cluster::bootstrap(&restore.config),
            sealed: false,
        }
    }

    /// The same as a file that `snapshot save` writes.
    pub fn sealed(&self) -> Snapshot {
        Snapshot {
            sealed: true,
            ..self.clone()
        }
    }

    /// The snapshot that the bytes of a file are, after something copied it byte by byte. Which cluster
    /// it was of is not in them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Snapshot> {
        Some(Snapshot {
            store: Store::from_bytes(bytes)?,
            cluster: Cluster::bootstrap(&Config::default()),
            sealed: bytes.ends_with(SEAL),
        })
    }

    /// The snapshot that a file's shared content is, if it is one.
    pub fn of(content: &Rc<dyn Shared>) -> Option<Rc<Snapshot>> {
        net::downcast_shared(content)
    }
}

impl Shared for Snapshot {
    fn size(&self) -> u64 {
        // The hash is a SHA-256.
        self.store.db_size() + if self.sealed { 32 } else { 0 }
    }

    /// The key space, filled up to the length of the file; a mark at the end of a sealed one stands for
    /// the hash.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.store.to_bytes();
        let size = usize::try_from(self.size()).unwrap_or(usize::MAX);
        if bytes.len() < size {
            bytes.resize(size, 0);
        }
        if self.sealed {
            let end = bytes.len() - SEAL.len();
            bytes[end..].copy_from_slice(SEAL);
        }
        bytes
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
