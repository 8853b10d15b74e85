//! A run in the browser leaves the journal of the native run.
#![cfg(target_arch = "wasm32")]

use kubarium_tests_wasm::{NATIVE, parting};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn native_and_wasm_leave_the_same_journal() {
    assert!(
        !NATIVE.is_empty(),
        "no native journal was built in: run cargo xtask test wasm"
    );
    let native: Vec<String> = NATIVE.lines().map(str::to_owned).collect();
    // An entry's words may have more than one line.
    let here = lab::scenario::journal().join("\n");
    let here: Vec<String> = here.lines().map(str::to_owned).collect();
    if let Some(told) = parting(&native, &here) {
        panic!("native (one) and wasm32 (other): {told}");
    }
}
