//! What commands print of a cluster for programs has the fields that are kept.

use alertwright_testbed::{any_release, apply};
use serde_json::Value;

use super::filled;
use super::shown::documents::IN_A_CLUSTER;
use super::shown::fields;

#[apply(any_release)]
async fn each_document_has_the_fields_that_are_kept_where_there_is_a_cluster() {
    let filled = filled::start().await;
    filled.reader().await;
    filled.lossy().await;
    filled.odd().await;
    filled.unwell().await;
    let mut wrong = Vec::new();
    for (name, lines) in IN_A_CLUSTER {
        // The operator would put it right with its next look.
        if *name == "diff" {
            filled.operator.pause();
            filled.change_by_hand().await;
        }
        let mut documents: Vec<Value> = Vec::new();
        for line in *lines {
            let (printed, code) = filled.desk.runs(&format!("{{ {line}; }} 2>/dev/null")).await;
            println!("$ {line}\n{code:?} {printed}");
            documents.push(serde_json::from_str(&printed).expect("a document"));
        }
        wrong.extend(fields::difference(name, &documents));
    }
    filled.operator.resume();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
