use serde_json::json;

use super::super::Wish;
use super::super::source::Source;
use super::super::tests::{NEW, OLD, alert, beside, carried, group, import, names, of_import, said};
use super::*;
use crate::api::prometheus_rule_import::SourceKind;

#[test]
fn titles_differ_where_grafana_wants_them_to_and_that_is_named() {
    let source = group(json!([alert("A"), {"alert": "A", "expr": "up == 1"}]));
    let titles = |wish: &Wish| -> Vec<_> {
        wish.rules
            .iter()
            .filter_map(|rule| rule.spec.title.clone())
            .collect()
    };
    let old = carried(json!({}), &[("web", source.clone())], OLD);
    assert_eq!(titles(&old), ["A", "A (2)"]);
    assert!(
        said(&old.different)[0].contains("alertname"),
        "{:?}",
        old.different
    );
    let new = carried(json!({}), &[("web", source)], NEW);
    assert_eq!(
        (titles(&new), new.different.count),
        (vec!["A".into(), "A".into()], 0)
    );
    assert_eq!(names(&old), names(&new), "a newer Grafana changes no names");
}

#[test]
fn a_rule_keeps_its_title_when_another_of_the_name_comes_before_it() {
    let (first, last) = (
        group(json!([alert("A")])),
        group(json!([alert("A"), {"alert": "A", "expr": "up == 1"}])),
    );
    let source = |name, spec| Source {
        kind: SourceKind::PrometheusRule,
        namespace: "shop",
        name,
        spec,
    };
    let titles = |wish: &Wish| -> BTreeMap<String, String> {
        let rules = wish.rules.iter();
        rules
            .map(|rule| (rule.name_any(), rule.spec.title.clone().unwrap()))
            .collect()
    };
    let own = import(json!({}));
    let then = of_import(&own, vec![source("web", &last)], OLD);
    let known = titles(&then);
    let now = beside(
        &known,
        &own,
        vec![source("api", &first), source("web", &last)],
        OLD,
    );
    let all = titles(&now);
    assert!(
        known.iter().all(|(name, title)| all.get(name) == Some(title)),
        "{known:?} {all:?}"
    );
    let values: BTreeSet<&str> = all.values().map(String::as_str).collect();
    assert_eq!(values, BTreeSet::from(["A", "A (2)", "A (3)"]));
    // What is asked for is what was: nothing is written anew.
    for rule in &then.rules {
        let same = now
            .rules
            .iter()
            .find(|other| other.name_any() == rule.name_any())
            .unwrap();
        assert_eq!(same.annotations(), rule.annotations());
    }
    // A title that is none of its own isn't kept, nor is one of a rule that goes.
    let stranger = known
        .keys()
        .map(|name| (name.clone(), "B (2)".to_owned()))
        .collect();
    let values = |wish: &Wish| titles(wish).into_values().collect::<BTreeSet<_>>();
    let expected = BTreeSet::from(["A".to_owned(), "A (2)".to_owned()]);
    assert_eq!(
        values(&beside(&stranger, &own, vec![source("web", &last)], OLD)),
        expected
    );
    assert_eq!(
        values(&beside(&known, &own, vec![source("else", &last)], OLD)),
        expected
    );
}
