//! `alertwright probe`: whether a URL answers, asked from where there is no shell to ask with.

use std::io::{self, Write};
use std::time::Duration;

use url::Url;

/// Longer than a server that is well takes, shorter than anybody wants to wait.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Fetch a URL and print the answer. Fails if there is none within 10 seconds, or none of success.
///
/// The image holds nothing but the operator; this is how to see what it sees: names, certificates, proxies.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  alertwright probe http://localhost:8080/readyz\n  alertwright probe http://localhost:8080/metrics\n  kubectl -n alertwright-system exec deploy/alertwright -- /alertwright probe https://grafana.example.com/api/health\n\nExit codes: 0 done, 2 wrong arguments, 3 could not be done."
)]
pub(crate) struct Probe {
    /// What to fetch: http:// or https://.
    url: Url,
}

impl Probe {
    pub(crate) fn execute(self) -> Result<(), String> {
        let answer = self.fetch()?;
        io::stdout()
            .lock()
            .write_all(&answer)
            .map_err(|error| format!("cannot print the answer: {error}"))
    }

    fn fetch(&self) -> Result<Vec<u8>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime
            .block_on(async {
                let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
                let answer = client.get(self.url.clone()).send().await?.error_for_status()?;
                Ok(answer.bytes().await?.to_vec())
            })
            .map_err(|error: reqwest::Error| crate::cluster::answer::chain(&error))
    }
}
