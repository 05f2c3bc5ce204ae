//! Arguments in, exit code out; what they mean is decided in `cli`.

use std::process::ExitCode;

/// glibc's takes a lock for what is larger than a kilobyte, as a page is, and threads wait for each other there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    thoughts::cli::run()
}
