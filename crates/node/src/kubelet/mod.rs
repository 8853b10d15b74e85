//! The kubelet: keeps the pods of its machine as the API server and the manifests on disk say.

mod backoff;
mod pod;
mod probe;
mod status;
mod worker;
