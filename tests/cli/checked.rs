//! `alertwright check`: it says what the operator and the API server would, and nothing that they wouldn't.

use super::{run, text};

/// What is found, how, and how it ends.
fn check(input: &str, more: &[&str]) -> (Vec<(String, String)>, i32) {
    let output = run(
        &[&["check", "-f", "-", "-o", "json", "-q"][..], more].concat(),
        input,
    );
    let said = text(&output.stdout);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let found = report["findings"]
        .as_array()
        .unwrap_or_else(|| panic!("{report}"));
    let word =
        |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let found = found.iter().map(|finding| {
        let what = format!("{}[{}]", word(finding, "level"), word(finding, "rule"));
        (what, word(finding, "message"))
    });
    (found.collect(), output.status.code().unwrap_or(-1))
}

/// The errors alone.
fn errors(input: &str) -> Vec<String> {
    let (found, _) = check(input, &[]);
    let errors = found.into_iter().filter(|(what, _)| what.starts_with("error["));
    errors
        .map(|(what, message)| format!("{what}: {message}"))
        .collect()
}

#[test]
fn a_name_that_stands_for_a_title_or_a_group_is_as_short_as_these() {
    let rule = |length: usize, more: &str| {
        format!(
            "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata: {{name: {}}}\nspec: {{query: up == 0, severity: info{more}}}\n",
            "a".repeat(length)
        )
    };
    assert_eq!(errors(&rule(190, "")), [""; 0]);
    assert_eq!(errors(&rule(191, ", title: T, group: g")), [""; 0]);
    for (more, field) in [(", group: g", "title"), (", title: T", "group")] {
        let found = errors(&rule(191, more));
        assert_eq!(found.len(), 1, "{field}: {found:?}");
        assert!(
            found[0].starts_with(
                "error[refused]: it is the resource's name where it is left out, which has 191 characters"
            ),
            "{found:?}"
        );
    }
}

#[test]
fn a_template_of_grafanas_own_is_for_unrestricted_namespaces() {
    let template = |name: &str| {
        format!(
            "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: NotificationTemplate\nmetadata: {{name: t, namespace: revel}}\nspec: {{template: '{{{{ define \"{name}\" }}}}x{{{{ end }}}}'}}\n---\n"
        )
    };
    let instance = |namespace: &str, unrestricted: &str| {
        format!(
            "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: GrafanaInstance\nmetadata: {{name: default, namespace: {namespace}}}\nspec: {{url: 'http://grafana', auth: {{token: {{secretKeyRef: {{name: s, key: k}}}}}}{unrestricted}}}\n"
        )
    };
    let of = |input: &str| -> Vec<String> {
        let (found, _) = check(input, &[]);
        let found = found
            .into_iter()
            .filter(|(_, message)| message.contains("Grafana's own template"));
        found.map(|(what, _)| what).collect()
    };
    for name in ["default.title", "__x", "jira.default.summary"] {
        assert_eq!(of(&template(name)), ["warning[refused]"], "{name}");
        let closed = template(name) + &instance("ops", "");
        assert_eq!(of(&closed), ["error[refused]"], "{name}");
        for open in [
            instance("ops", ", unrestrictedNamespaces: {names: [revel]}"),
            instance("revel", ""),
        ] {
            assert_eq!(of(&(template(name) + &open)), [""; 0], "{name}");
        }
    }
    assert_eq!(of(&template("slack.title")), [""; 0]);
}

#[test]
fn a_branch_by_itself_is_no_mistake_and_beside_roots_it_names_one_of_them() {
    let policy = |name: &str, parent: &str| {
        format!(
            "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: NotificationPolicy\nmetadata: {{name: {name}, namespace: revel}}\nspec: {{receiverRef: {{grafanaName: mail}}{parent}}}\n---\n"
        )
    };
    let branch = policy("branch", ", parentRef: {name: revel}");
    assert_eq!(errors(&branch), [""; 0]);
    assert_eq!(errors(&(branch.clone() + &policy("revel", ""))), [""; 0]);
    let other = errors(&(branch.clone() + &policy("root", "")));
    assert!(
        other.len() == 1 && other[0].contains("no NotificationPolicy \"revel\""),
        "{other:?}"
    );
    let branches = errors(&(branch + &policy("revel", ", parentRef: {name: revel}")));
    assert!(
        branches.iter().any(|error| error.contains("is a branch itself")),
        "{branches:?}"
    );
}

#[test]
fn a_resource_without_its_version_or_kind_is_told_as_that() {
    let (found, code) = check(
        "kind: AlertRule\nmetadata: {name: a}\nspec: {query: up == 0}\n",
        &[],
    );
    assert_eq!(code, 1);
    assert_eq!(
        found,
        [(
            "error[schema]".to_owned(),
            "this AlertRule has no apiVersion; write apiVersion: alerting.letsrevel.io/v1alpha1".to_owned()
        )]
    );
    let list = "apiVersion: v1\nkind: List\nitems:\n- {kind: Silence, metadata: {name: a}}\n";
    assert_eq!(check(list, &[]).0.len(), 1);
    // Somebody else's.
    assert_eq!(check("kind: Other\nmetadata: {name: a}\n", &[]), (vec![], 0));
    let (found, _) = check(
        "apiVersion: alerting.letsrevel.io/v1alpha1\nmetadata: {name: a}\n",
        &[],
    );
    assert!(
        found[0]
            .1
            .starts_with("it says no kind; write one of AlertRule, "),
        "{found:?}"
    );
}
