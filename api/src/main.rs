//! The program `probity`. Everything is in the library, so that tests reach it.

/// In place of the C library's, which took a fifth of the server's time (docs/adr/0022).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    probity_api::cli::main()
}
