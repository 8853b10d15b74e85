//! Takes in the journal of a native run, which `cargo xtask test wasm` writes before it builds this
//! for the browser. Without one, as in a plain native build, the text is empty.
#![allow(
    clippy::disallowed_methods,
    reason = "a build script reads and writes files"
)]

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=KUBARIUM_JOURNAL");
    let journal = match std::env::var("KUBARIUM_JOURNAL") {
        Ok(path) => {
            println!("cargo::rerun-if-changed={path}");
            std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"))
        }
        Err(_) => String::new(),
    };
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names a folder"));
    std::fs::write(out.join("journal.txt"), journal).expect("cargo's folder can be written to");
}
