//! Single passes at rest among so many resources, each in a function of its own: `make callgrind` counts its instructions.

use std::hint::black_box;

use tokio::runtime::{Builder, Runtime};

use super::*;

/// How many other AlertRules there are; of each other kind as many, but a thousand at most.
const CROWD: &str = "ALERTWRIGHT_CROWD";
const OTHERS: usize = 1_000;

struct Counted {
    runtime: Runtime,
    world: World,
}

impl Counted {
    #[inline(never)]
    fn rule_at_rest(&self, rule: &AlertRule) {
        self.runtime.block_on(run(&self.world, rule));
    }

    #[inline(never)]
    fn policy_at_rest(&self, policy: &NotificationPolicy) {
        self.runtime.block_on(run(&self.world, policy));
    }

    #[inline(never)]
    fn silence_at_rest(&self, silence: &Silence) {
        self.runtime.block_on(run(&self.world, silence));
    }

    #[inline(never)]
    fn rollout_at_rest(&self, deployment: &Deployment) {
        let pass = workload::rolling(Arc::new(deployment.clone()), self.world.context.clone());
        self.runtime.block_on(pass).unwrap();
    }
}

#[test]
fn passes_over_what_rests_ask_nobody_and_write_nothing_in_a_crowd() {
    let rules = std::env::var(CROWD).ok().and_then(|many| many.parse().ok());
    let rules: usize = rules.unwrap_or(10);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (world, (rule, policy, silence, deployment)) = runtime.block_on(async {
        let mut world = World::with_others(rules, rules.min(OTHERS)).await;
        let policy = routed(&mut world).await;
        let rule = world.rule("own", json!({"query": QUERY, "group": "shared"}));
        run(&world, &rule).await;
        let rule = again(&mut world, &rule);
        let spec = json!({"alertRules": {"names": ["own"]}, "duration": "5000d"});
        let silence = world.silence("own", spec);
        run(&world, &silence).await;
        let silence = again(&mut world, &silence);
        maintenance(&mut world);
        let deployment = rolling_out();
        seen(&mut world, &deployment);
        let pass = workload::rolling(Arc::new(deployment.clone()), world.context.clone());
        pass.await.unwrap();
        let opened = opened(&world);
        seen(&mut world, &opened);
        // What is read once is read by now.
        run(&world, &rule).await;
        run(&world, &policy).await;
        run(&world, &silence).await;
        (world, (rule, policy, silence, deployment))
    });
    let counted = Counted { runtime, world };
    let asked = counted.world.grafana.calls().len();
    let before = counted.world.server.writes();
    counted.rule_at_rest(black_box(&rule));
    counted.policy_at_rest(black_box(&policy));
    counted.silence_at_rest(black_box(&silence));
    counted.rollout_at_rest(black_box(&deployment));
    assert_eq!(counted.world.server.writes(), before, "they were at rest");
    let calls = counted.world.grafana.calls().split_off(asked);
    assert!(calls.is_empty(), "{calls:?}");
}
