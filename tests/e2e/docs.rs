//! The commands that `docs/cli` shows are run here as people type them, by `kubectl alertwright`, in a cluster with the example of Revel and a Grafana
//! that people have filled with 500 objects: what is printed is what the pages show. `WRITE_DOCS=1 cargo test --test e2e docs::` writes it.
//!
//! A block of a page is run here if its first command is one of `kubectl`; `tests/cli` runs those of `alertwright` alone, which need no cluster.
//! Pictures of a terminal and of the backtest's page (`docs/pictures`) are made from the same runs, with colours.
//! A line `...` stands for what is left out: as many lines as stand before and behind it are shown. What is another at each run is in `shown::masks`.

mod canaries;
mod desk;
mod documents;
mod filled;
mod people;
mod pictured;
#[path = "../cli/shown/mod.rs"]
mod shown;
#[path = "../cli/exits/table.rs"]
#[allow(dead_code, reason = "what needs no cluster is run by tests/cli")]
mod table;
mod taken;

use alertwright::api::ContactPoint;
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply};
use serde_json::json;

use filled::Filled;
use shown::pages::{Piece, Shown};
use shown::{masks, pages, pictures};

/// The pages, in the order in which they are gone through: those that write come last.
const PAGES: [&str; 17] = [
    "status.md",
    "trace.md",
    "events.md",
    "open.md",
    "version.md",
    "doctor.md",
    "route.md",
    "test-rule.md",
    "report.md",
    "backtest.md",
    "export.md",
    "silence.md",
    "test-contact-point.md",
    "diff.md",
    "reconcile.md",
    "suspend.md",
    "adopt.md",
];

/// What must be so before a page is gone through.
async fn scene(filled: &mut Filled, page: &str) {
    match page {
        // The operator would put it right with its next look.
        "diff.md" => {
            filled.operator.pause();
            filled.change_by_hand().await;
        }
        "reconcile.md" => filled.operator.resume(),
        "adopt.md" => {
            let hook =
                json!({"integrations": [{"webhook": {"url": {"value": "https://oncall.example.com/hook"}}}]});
            filled.put("ContactPoint", filled::FOREIGN_POINT, hook).await;
            filled
                .reason::<ContactPoint>(filled::FOREIGN_POINT, "NotOwned")
                .await;
        }
        _ => {}
    }
}

async fn run(filled: &Filled, standing: &Shown, changed: &mut Vec<pictured::Changed>) -> Shown {
    let (printed, picture) = match filled.early.get(&standing.command) {
        Some(printed) => (printed.clone(), None),
        None => pictured::printed(filled, &standing.command).await,
    };
    println!("$ {}\n{}", standing.command, printed.join("\n"));
    let output = pages::cut(printed, &standing.output);
    // What differs in nothing but the time stays as it is, and so does its picture.
    let mut same = masks::masked(&output) == masks::masked(&standing.output);
    let picture = picture.and_then(|(name, lines)| pictured::changed(same, name, &lines, &standing.output));
    if let Some(picture) = picture {
        changed.push(picture);
        same = false;
    }
    Shown {
        command: standing.command.clone(),
        output: if same { standing.output.clone() } else { output },
    }
}

#[apply(any_release)]
async fn what_the_pages_show_is_what_is_printed() {
    let mut filled = filled::start().await;
    let (mut stale, mut changed) = (Vec::new(), Vec::new());
    for page in PAGES {
        scene(&mut filled, page).await;
        let mut pieces = pages::read(page);
        let before = pages::text(&pieces);
        let mut count = 0;
        for piece in &mut pieces {
            if let Piece::Block(all) = piece {
                for standing in all {
                    *standing = run(&filled, standing, &mut changed).await;
                    count += 1;
                }
            }
        }
        assert!(count > 0, "{page} shows no command that a cluster answers");
        if page == "backtest.md" {
            changed.extend(pictured::backtest_page(&filled).await);
        }
        let now = pages::text(&pieces);
        if now == before {
            continue;
        }
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(pages::path(page), &now).expect("the page");
        } else {
            stale.push(page);
        }
    }
    for (name, picture) in changed {
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(pictures::path(name), picture).expect("the picture");
        } else {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "out of date: {stale:?}; make docs-cluster (WRITE_DOCS=1 cargo test --test e2e docs::) writes them"
    );
}

/// Runs the lines of a row, and tells those that end otherwise.
async fn try_row(filled: &Filled, (command, code, situation, lines): &table::Row, wrong: &mut Vec<String>) {
    for line in *lines {
        let (printed, ended) = filled.desk.runs(line).await;
        println!("{command} {ended:?} {line}\n{printed}");
        if ended != Some(*code) {
            wrong.push(format!("{command}, {situation}: {line}\n{ended:?} {printed}"));
        }
    }
}

#[apply(any_release)]
async fn each_command_ends_as_the_table_says_where_there_is_a_cluster() {
    let filled = filled::with_all().await;
    let mut wrong = Vec::new();
    for (method, paths, after, row) in table::BROKEN {
        for path in *paths {
            let refused = Fault::status(403).on(method, path).after(*after);
            filled.proxy.fault(refused);
        }
        try_row(&filled, row, &mut wrong).await;
        filled.proxy.clear_faults();
    }
    for (rows, has_operator) in [(table::IN_A_CLUSTER, true), (table::WITHOUT_OPERATOR, false)] {
        if !has_operator {
            filled.operator.pause();
        }
        for row in rows {
            try_row(&filled, row, &mut wrong).await;
        }
    }
    filled.operator.resume();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
