//! Every call, a crash: the operator is killed (SIGKILL) just before the call happens or just after it, and started again.

use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{apply, on_releases};

use super::{Side, run};

pub(super) fn crashes() -> [(&'static str, Fault, bool); 2] {
    [
        ("killed before the call happened", Fault::hold_before(), true),
        ("killed after the call happened", Fault::hold_after(), true),
    ]
}

macro_rules! oldest_and_newest {
    ($($test:tt)*) => { on_releases! { v10_0_0 v13_3_0_provisioning v13_3_0_platform; $($test)* } };
}

#[apply(oldest_and_newest)]
async fn wherever_it_is_killed_at_a_call_of_grafana_the_end_is_the_same() {
    run(Side::Grafana, &crashes()).await;
}

#[apply(oldest_and_newest)]
async fn wherever_it_is_killed_at_a_call_of_the_api_server_the_end_is_the_same() {
    run(Side::ApiServer, &crashes()).await;
}
