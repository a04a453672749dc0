//! The custom resources' definitions: that they are in step with the code, what they all have in common, and what a real API
//! server makes of them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a failure must fail the test, and json!(..) reads better without a borrow"
)]

mod admission;
mod docs;
mod examples;
mod k9s;
mod people;
mod released;
mod structure;

use std::path::Path;

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A control plane that knows our kinds; the same one for every test of this binary.
pub(crate) async fn control_plane() -> &'static alertwright_testbed::ControlPlane {
    static INSTALLED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let plane = alertwright_testbed::ControlPlane::shared().await;
    let install = async || {
        for crd in alertwright::api::crds() {
            let crd = serde_json::to_string(&crd).expect("a CRD is JSON");
            plane.apply(&crd, "default").await;
        }
    };
    INSTALLED.get_or_init(install).await;
    plane
}
