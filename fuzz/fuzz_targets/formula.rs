//! Gives bytes to the formula language and checks what `tests/all/robust.rs` checks.
#![no_main]

#[path = "../../tests/all/tame.rs"]
mod tame;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(source) = std::str::from_utf8(bytes) {
        tame::hold(source);
    }
});
