//! How the operator's parts stand to one another. Each box names its module, and each arrow the line of a source that makes it true;
//! `tests/pictures.rs` looks them up.

use super::drawing::Drawing;

/// A part: its name, its module within `src`, what it does, and where it is drawn.
pub(super) type Part = (&'static str, &'static str, &'static str, [u32; 4], &'static str);

/// The parts.
#[rustfmt::skip]
pub const BOXES: [Part; 11] = [
    ("Watches", "controller/engine/watch", "of each kind", [244, 70, 148, 66], "paper"),
    ("Stores", "controller/engine/store.rs", "what Kubernetes has", [420, 70, 148, 66], "paper"),
    ("Mirror", "grafana/mirror", "what Grafana has", [596, 70, 148, 66], "paper"),
    ("Poller", "controller/instance/poller.rs", "reads in bulk", [788, 70, 148, 66], "paper"),
    ("Resolve", "cluster/referenced.rs", "what is referred to", [244, 216, 148, 66], "paper"),
    ("Decide", "domain", "no I/O, no clock", [420, 216, 148, 66], "main"),
    ("Apply", "controller/alert_rule/apply.rs", "only what differs", [596, 216, 148, 66], "paper"),
    ("Report", "controller/pass/report.rs", "one status", [244, 330, 148, 66], "paper"),
    ("Turns", "grafana/turns.rs", "one writer at a time", [788, 216, 148, 66], "paper"),
    ("Client", "grafana/transport", "of either API", [788, 330, 148, 66], "paper"),
    ("Lease", "cluster/leader.rs", "one replica writes", [244, 440, 148, 66], "paper"),
];

/// An arrow: its path, the source that it is in, and what stands there.
pub(super) type Arrow = (&'static str, &'static str, &'static str);

/// The arrows.
#[rustfmt::skip]
pub const ARROWS: [Arrow; 16] = [
    // Kubernetes → Watches → Stores → Resolve
    ("M164 103H242", "controller/engine/watch/mod.rs", "use kube::runtime::watcher"),
    ("M392 103H418", "controller/engine/watch/mod.rs", "use super::store::"),
    ("M470 136C466 182 324 168 318 214", "controller/context/mod.rs", "crate::controller::engine::store::"),
    // Grafana → Poller → Mirror → Decide
    ("M976 103H938", "controller/instance/read/mod.rs", "crate::grafana::"),
    ("M788 103H746", "controller/instance/poller.rs", "use crate::grafana::mirror::"),
    ("M640 136C636 182 500 168 494 214", "controller/alert_rule/mod.rs", "use crate::grafana::mirror::"),
    // Secrets → Resolve → Decide → Apply → Report → Kubernetes
    ("M164 249H242", "controller/notification/contact_point/mod.rs", "referenced::secrets("),
    ("M392 249H418", "controller/alert_rule/mod.rs", "decision::decide("),
    ("M568 249H594", "controller/alert_rule/mod.rs", "apply::apply("),
    ("M640 282C640 350 570 363 394 363", "controller/alert_rule/mod.rs", "applied: apply::Applied"),
    ("M244 363H166", "controller/pass/report.rs", "use crate::cluster::status"),
    // Apply → Mirror, and by turns to Grafana
    ("M700 216V138", "controller/alert_rule/mirrored.rs", "mirror"),
    ("M744 249H786", "grafana/choose/rules.rs", "use crate::grafana::turns::"),
    ("M862 282V328", "grafana/provisioning/mod.rs", "transport"),
    ("M936 363H974", "grafana/transport/mod.rs", "use reqwest::"),
    // Lease → Kubernetes
    ("M244 473H166", "cluster/leader.rs", "Lease"),
];

/// The picture.
pub(super) fn architecture() -> String {
    let mut d = Drawing::new(
        1140,
        550,
        "The operator's parts",
        "Watches fill stores with what Kubernetes has; the poller fills the mirror with what Grafana has. A pass over one resource resolves what it refers to, \
         decides from both without any I/O, applies only what differs, by turns, and reports one status. A Lease says which replica writes.",
    );
    d.area([24, 24, 140, 502], "one");
    d.text(94, 54, "t o mid", "Kubernetes");
    d.area([204, 24, 752, 502], "paper");
    d.text(224, 54, "t", "alertwright");
    d.area([976, 24, 140, 502], "two");
    d.text(1046, 54, "t w mid", "Grafana");
    d.area([224, 170, 540, 244], "ground");
    d.text(596, 396, "s", "a pass over a resource");
    for (path, ..) in ARROWS {
        d.arrow(path);
    }
    for (name, module, does, [x, y, width, high], class) in BOXES {
        d.area([x, y, width, high], class);
        let (title, small) = if class == "main" {
            ("t m mid", "n mid")
        } else {
            ("t mid", "s mid")
        };
        let middle = x + width / 2;
        d.text(middle, y + 24, title, name);
        d.text(middle, y + 42, small, does);
        let last = module.rsplit('/').next().unwrap_or(module);
        let short = match module.rsplit_once('/') {
            Some((before, _)) => format!("{}/{last}", before.rsplit('/').next().unwrap_or(before)),
            None => last.to_owned(),
        };
        d.text(
            middle,
            y + 58,
            if class == "main" { "n mid" } else { "c mid" },
            &short,
        );
    }
    d.text(94, 96, "s mid", "resources");
    d.text(94, 240, "s mid", "Secrets,");
    d.text(94, 256, "s mid", "ConfigMaps");
    d.text(94, 366, "s mid", "status, events");
    d.text(94, 476, "s mid", "Lease");
    d.text(1046, 96, "s mid", "all rules, points,");
    d.text(1046, 112, "s mid", "silences, states");
    d.text(1046, 366, "s mid", "writes, by turns");
    d.text(710, 158, "s", "told of each write");
    d.text(414, 458, "", "The command line asks the same functions:");
    d.text(
        414,
        480,
        "s",
        "diff has the real passes rehearsed, route walks the trees that they make,",
    );
    d.text(
        414,
        498,
        "s",
        "backtest evaluates as Grafana does. None of them writes.",
    );
    d.end()
}
