//! TimeIntervals, NotificationTemplates and InhibitionRules.

use serde_json::{Value, json};

use super::{DOTS, accepted, immutable, mutable, refused, with};

fn one(period: Value) -> Value {
    json!({"timeIntervals": [period]})
}

fn time(start: &str, end: &str) -> Value {
    one(json!({"times": [{"startTime": start, "endTime": end}]}))
}

#[tokio::test]
async fn a_bad_time_interval_is_refused_with_its_cure() {
    let weekdays = |text: &str| one(json!({"weekdays": [text]}));
    let days = |text: &str| one(json!({"daysOfMonth": [text]}));
    let months = |text: &str| one(json!({"months": [text]}));
    let years = |text: &str| one(json!({"years": [text]}));
    let location = |text: &str| one(json!({"weekdays": ["sunday"], "location": text}));
    let nothing = "say at least one of times, weekdays, daysOfMonth, months and years";
    let (a_time, over_midnight) = (
        "a time is HH:MM, from 00:00 to 24:00",
        "what goes over midnight is two times, one until 24:00 and one from 00:00",
    );
    let a_weekday = "a weekday is sunday, monday and so on, or from one to another as monday:friday";
    let a_day = "a day of the month is 1 to 31, or -1 to -31 from its end";
    let backwards = "the first day must not be after the last one";
    let a_month = "a month is january, february and so on, or 1 to 12";
    let months_backwards = "for november:february write november:december and january:february";
    let a_year = "a year has four digits";
    let a_location = "a location is the IANA name of a time zone, such as Europe/Berlin";
    refused(
        "TimeInterval",
        &[
            (json!({}), "spec.timeIntervals"),
            (json!({"timeIntervals": []}), "spec.timeIntervals"),
            (
                with(&one(json!({"weekdays": ["sunday"]})), json!({"name": "."})),
                DOTS,
            ),
            (
                with(&one(json!({"weekdays": ["sunday"]})), json!({"name": ".."})),
                DOTS,
            ),
            (json!({"timeIntervals": [{}]}), nothing),
            (one(json!({"location": "Europe/Berlin"})), nothing),
            (one(json!({"weekdays": []})), nothing),
            (one(json!({"weekdays": ["sunday"], "days": [1]})), "days"),
            (one(json!({"times": [{"startTime": "08:00"}]})), "endTime"),
            (time("8:00", "09:00"), a_time),
            (time("08:00", "24:01"), a_time),
            (time("08:00", "09:60"), a_time),
            (time("22:00", "06:00"), over_midnight),
            (time("08:00", "08:00"), over_midnight),
            (weekdays("mon"), a_weekday),
            (weekdays("1"), a_weekday),
            (weekdays("monday:friday:"), a_weekday),
            (weekdays("monday-friday"), a_weekday),
            (
                weekdays("friday:monday"),
                "for friday:monday write friday:saturday and sunday:monday",
            ),
            (weekdays("Saturday:SUNDAY"), "weeks begin on Sunday"),
            (days("0"), a_day),
            (days("32"), a_day),
            (days("-32"), a_day),
            (days("first"), a_day),
            (days("5:1"), backwards),
            (days("-1:-3"), backwards),
            (days("-3:5"), backwards),
            (days("28:-1"), backwards),
            (
                one(json!({"daysOfMonth": [1]})),
                "spec.timeIntervals[0].daysOfMonth[0]",
            ),
            (months("13"), a_month),
            (months("0"), a_month),
            (months("jan"), a_month),
            (months("november:february"), months_backwards),
            (months("11:february"), months_backwards),
            (months("12:1"), months_backwards),
            (years("26"), a_year),
            (years("2026-2030"), a_year),
            (
                years("2030:2026"),
                "the first year must not be after the last one",
            ),
            (location("Europe/"), a_location),
            (location("middle of nowhere"), a_location),
            (location(""), "spec.timeIntervals[0].location"),
            (with(&weekdays("sunday"), json!({"name": ""})), "spec.name"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_time_interval_takes_what_alertmanager_takes() {
    accepted(
        "TimeInterval",
        &[
            time("00:00", "24:00"),
            json!({"name": "Nächte & Wochenenden", "timeIntervals": [
                {"times": [{"startTime": "00:00", "endTime": "06:30"}, {"startTime": "22:00", "endTime": "24:00"}],
                 "weekdays": ["monday:friday", "Sunday", "saturday:saturday"], "daysOfMonth": ["1:5", "-3:-1", "31", "01", "1:-1", "27:-1"],
                 "months": ["january:March", "12", "5:june", "12:december"], "years": ["2026", "2027:2030"], "location": "America/Argentina/Buenos_Aires"},
                {"years": ["2026"], "location": "Etc/GMT+3"},
            ]}),
            json!({"timeIntervals": vec![json!({"weekdays": ["sunday"]}); 32]}),
        ],
    )
    .await;
    let sunday = one(json!({"weekdays": ["sunday"]}));
    let fixed = "instance is immutable";
    immutable(
        "TimeInterval",
        &[(sunday.clone(), with(&sunday, json!({"instance": "other"})), fixed)],
    )
    .await;
    mutable(
        "TimeInterval",
        "named",
        &sunday,
        &with(&sunday, json!({"name": "other", "instance": "default"})),
    )
    .await;
}

#[tokio::test]
async fn a_bad_template_is_refused_with_its_cure() {
    let from = json!({"configMapKeyRef": {"name": "texts", "key": "slack"}});
    let either = "give exactly one of template and templateFrom";
    refused(
        "NotificationTemplate",
        &[
            (json!({}), either),
            (json!({"template": "x", "templateFrom": from}), either),
            (json!({"template": ""}), "spec.template"),
            (json!({"templateFrom": {}}), "spec.templateFrom.configMapKeyRef"),
            (
                json!({"templateFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}),
                "spec.templateFrom",
            ),
            (
                json!({"templateFrom": {"configMapKeyRef": {"name": "No Name", "key": "k"}}}),
                "the name of a ConfigMap",
            ),
            (json!({"template": "x", "name": ""}), "spec.name"),
            (json!({"template": "x", "name": "."}), DOTS),
            (json!({"template": "x", "name": ".."}), DOTS),
            (
                json!({"template": "x", "name": "na\"me"}),
                "a name holds no quote",
            ),
            (
                json!({"template": "x", "name": "na\\me"}),
                "a name holds no quote",
            ),
            (json!({"template": "x".repeat(262_145)}), "spec.template"),
        ],
    )
    .await;
    accepted(
        "NotificationTemplate",
        &[
            json!({"template": "{{ define \"a\" }}x{{ end }}"}),
            json!({"templateFrom": from, "name": "any name"}),
        ],
    )
    .await;
    let text = json!({"template": "x"});
    let fixed = "instance is immutable";
    immutable(
        "NotificationTemplate",
        &[(text.clone(), with(&text, json!({"instance": "other"})), fixed)],
    )
    .await;
}

#[tokio::test]
async fn a_bad_inhibition_rule_is_refused_with_its_cure() {
    let good =
        json!({"sourceMatchers": ["alertname=\"NodeDown\""], "targetMatchers": ["severity=\"warning\""]});
    let name = "small letters, digits, - and .";
    refused(
        "InhibitionRule",
        &[
            (json!({}), "spec.sourceMatchers: Required value"),
            (
                with(&good, json!({"targetMatchers": null})),
                "spec.targetMatchers: Required value",
            ),
            (with(&good, json!({"sourceMatchers": []})), "spec.sourceMatchers"),
            (
                with(&good, json!({"targetMatchers": ["severity"]})),
                "write one matcher an entry",
            ),
            (
                with(&good, json!({"sourceMatchers": ["severity=\"a\", team=\"b\""]})),
                "write one matcher an entry",
            ),
            (
                with(&good, json!({"targetMatchers": ["__alertwright__=~\".*\""]})),
                "the operator's own label",
            ),
            (
                with(&good, json!({"equal": ["node", "node"]})),
                "duplicate entries for key",
            ),
            (with(&good, json!({"equal": [""]})), "spec.equal[0]"),
            (with(&good, json!({"name": ""})), "spec.name"),
            (with(&good, json!({"name": "Node down"})), name),
            (with(&good, json!({"name": "node-"})), name),
            (with(&good, json!({"name": "n".repeat(41)})), "spec.name"),
            (
                with(&good, json!({"source_matchers": ["a=b"]})),
                "source_matchers",
            ),
        ],
    )
    .await;
    let whole = json!({
        "instance": "other", "deletionPolicy": "Orphan", "suspend": true, "name": "node.down-1",
        "sourceMatchers": ["alertname=~\"Node.*\""], "targetMatchers": ["severity!=critical", "team!~\"a|b\""], "equal": ["node"],
    });
    let mut nulls = good.clone();
    nulls["equal"] = Value::Null;
    nulls["name"] = Value::Null;
    accepted("InhibitionRule", &[good.clone(), whole, nulls]).await;
    let fixed = "instance is immutable";
    immutable(
        "InhibitionRule",
        &[(good.clone(), with(&good, json!({"instance": "other"})), fixed)],
    )
    .await;
    let renamed = with(&good, json!({"name": "other", "equal": ["node"]}));
    mutable("InhibitionRule", "renamed", &good, &renamed).await;
}
