//! Arguments in, exit code out; what they mean is decided in `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    thoughts::cli::run()
}
