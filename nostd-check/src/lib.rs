//! Links the six `no_std` crates without `std` and without an allocator.
//!
//! `std` anywhere below is a duplicate `panic_impl` lang item; `alloc` is "no global memory allocator found".

#![no_std]

use azure_auth as _;
use quectel_at as _;
use quectel_azure as _;
use quectel_file as _;
use quectel_mqtt as _;
use quectel_ssl as _;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
