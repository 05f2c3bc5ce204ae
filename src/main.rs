//! Arguments in, exit code out; what they mean is decided in `cli`.

use std::process::ExitCode;

/// A page is made of many small pieces, and a stream of events is little more than its buffers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    thoughts::cli::run()
}
