//! The program `probity`. Everything is in the library, so that tests reach it.

/// A decision takes thousands of small allocations: the system's allocator took a third of the server's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    probity_api::cli::main()
}
