//! The panic handler of a firmware whose only Rust library is this one.

unsafe extern "C" {
    /// Defined by the firmware.
    fn quectel_azure_on_panic(file: *const u8, file_len: usize, line: u32);
}

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("", 0), |at| (at.file(), at.line()));
    // SAFETY: the firmware defines the function as the header declares it; the text lives for ever.
    unsafe { quectel_azure_on_panic(file.as_ptr(), file.len(), line) };
    // It should not have returned; whoever called the library cannot go on.
    loop {
        core::hint::spin_loop();
    }
}
