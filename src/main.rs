//! The `icos` program: a thin reader of the library.

fn main() -> std::process::ExitCode {
    icos::cli::main()
}
