//! The `alertwright` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything that speaks TLS: kube and reqwest must use one and the same provider.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    alertwright::cli::Arguments::of_process().execute()
}
