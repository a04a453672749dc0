use super::*;

/// What is found in files beside what stands in a cluster, of which these kinds may be read, as `rule object.path: message`.
fn beside(files: Vec<Value>, there: Vec<Value>, known: &[&str]) -> (Vec<String>, usize) {
    let objects = |values: Vec<Value>| -> Vec<Object> {
        values.into_iter().map(|value| Object::new(value, "")).collect()
    };
    let known = known.iter().map(|kind| ((*kind).to_owned(), None));
    let files = objects(files);
    let standing = Standing::new(&files, objects(there), known);
    let (found, unseen) = across(&files, &standing, &options());
    let told = found.iter().map(|finding| {
        format!(
            "{} {}.{}: {}",
            finding.rule.name, finding.object, finding.path, finding.message
        )
    });
    (told.collect(), unseen)
}

/// The same resource as it is in a cluster since a day of that year.
fn since(day: &str, mut value: Value) -> Value {
    value["metadata"]["creationTimestamp"] = json!(format!("2026-{day}T00:00:00Z"));
    value
}

#[test]
fn what_files_refer_to_may_stand_in_the_cluster() {
    let root = || vec![policy("root", json!({"receiver": "mail"}))];
    let there = || vec![since("01-01", point("mail"))];
    assert_eq!(beside(root(), there(), &["ContactPoint"]), (Vec::new(), 0));
    let (found, unseen) = beside(root(), Vec::new(), &["ContactPoint"]);
    assert_eq!(
        (found, unseen),
        (
            vec!["reference 0.spec.receiver: no ContactPoint \"mail\" in namespace revel".to_owned()],
            0
        )
    );
    // What may not be read may be there.
    assert_eq!(beside(root(), Vec::new(), &["AlertRule"]), (Vec::new(), 1));
}

#[test]
fn a_grafana_instance_is_missing_where_all_are_known() {
    let of_stage = || vec![rule("a", json!({"instance": "stage"})), rule("b", json!({}))];
    assert_eq!(beside(of_stage(), Vec::new(), &[]), (Vec::new(), 0));
    let there = object("GrafanaInstance", "default", json!({"url": "http://grafana"}));
    let (found, _) = beside(of_stage(), vec![there], &["GrafanaInstance"]);
    assert_eq!(found, ["reference 0.spec.instance: no GrafanaInstance \"stage\""]);
    let (found, _) = beside(of_stage(), Vec::new(), &["GrafanaInstance"]);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn what_only_one_can_have_belongs_to_who_has_it_and_else_to_the_older_one() {
    let title = |name: &str| rule(name, json!({"uid": "one"}));
    let other = || vec![since("01-02", title("there"))];
    let (found, _) = beside(vec![title("new")], other(), &[]);
    assert_eq!(
        found,
        ["duplicate 0.spec.uid: AlertRule revel/there has the uid \"one\" already, and keeps it"]
    );
    // One that is older takes it.
    let (found, _) = beside(
        vec![title("old")],
        vec![
            since("01-01", rule("old", json!({}))),
            since("01-02", title("there")),
        ],
        &[],
    );
    assert_eq!(
        found,
        [
            "duplicate 0.spec.uid: AlertRule revel/there of the cluster has the uid \"one\" and would lose it, for this resource is older"
        ]
    );
    // But not from one that has it in Grafana by its status.
    let mut stored = title("there");
    stored["status"] = json!({"uid": "one"});
    let there = vec![
        since("01-01", rule("old", json!({}))),
        since("01-02", stored.clone()),
    ];
    let (found, _) = beside(vec![title("old")], there, &[]);
    assert_eq!(
        found,
        ["duplicate 0.spec.uid: AlertRule revel/there has the uid \"one\" already, and keeps it"]
    );
    // And what a file has so is not the older one's.
    let there = vec![since("01-01", title("old")), since("01-02", stored)];
    let (found, _) = beside(vec![title("there")], there, &[]);
    assert_eq!(found, Vec::<String>::new());
    // That it had it before is nothing new.
    let (found, _) = beside(
        vec![title("old")],
        vec![since("01-01", title("old")), since("01-02", title("there"))],
        &[],
    );
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_group_that_stands_in_the_cluster_has_its_interval() {
    let of = |name: &str, interval: &str| rule(name, json!({"group": "g", "interval": interval}));
    let there = || vec![since("01-02", of("there", "1m"))];
    let (found, _) = beside(vec![of("new", "2m")], there(), &[]);
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("duplicate 0.spec.interval: the group \"g\" is evaluated every 1m as AlertRule there says, not every 2m")),
        "{found:?}"
    );
    assert_eq!(
        beside(vec![of("new", "1m")], there(), &[]).0,
        Vec::<String>::new()
    );
    let older = |interval: &str| {
        vec![
            since("01-01", of("old", interval)),
            since("01-02", of("there", "1m")),
        ]
    };
    let (found, _) = beside(vec![of("old", "2m")], older("1m"), &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    let (found, _) = beside(vec![of("old", "2m")], older("2m"), &[]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn nothing_is_told_of_what_stands_there_itself() {
    let there = vec![
        since(
            "01-01",
            policy(
                "root",
                json!({"receiver": "nobody", "routes": [{"matchers": ["team=a"]}]}),
            ),
        ),
        since("01-02", point("unused")),
        since("01-03", rule("one", json!({"uid": "one"}))),
        since("01-04", rule("two", json!({"uid": "one"}))),
    ];
    let (found, _) = beside(vec![point("mail")], there, &["ContactPoint"]);
    assert_eq!(
        found,
        [
            "unused-contact-point 0.metadata.name: nothing refers to ContactPoint mail: no policy here and no rule"
        ]
    );
}

#[test]
fn the_oldest_grafana_of_a_resource_counts_unless_one_is_named() {
    let known = Options {
        versions: [("default", "12.4.1"), ("stage", "11.6")]
            .into_iter()
            .filter_map(|(name, version)| Some((name.to_owned(), Version::parse(version)?)))
            .collect(),
        ..options()
    };
    let of =
        |spec: Value, options: &Options| options.version_of(&Object::new(object("AlertRule", "a", spec), ""));
    assert_eq!(of(json!({}), &known), Version::parse("12.4.1"));
    let both = json!({"instances": ["default", "stage", "other"]});
    assert_eq!(of(both.clone(), &known), Version::parse("11.6"));
    assert_eq!(of(json!({"instance": "other"}), &known), None);
    let named = Options {
        version: Version::parse("13"),
        ..known
    };
    assert_eq!(of(both, &named), Version::parse("13"));
}
