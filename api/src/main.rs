//! The program `probity`. Everything is in the library, so that tests reach it.

fn main() -> std::process::ExitCode {
    probity_api::cli::main()
}
