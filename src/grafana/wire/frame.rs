//! Data frames, in which Grafana answers queries: columns with their names and labels (`data/frame_json.go` of its plugin SDK).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::null_as_default;

/// What came of each query and expression, by its refId.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Answered {
    /// By refId.
    #[serde(default, deserialize_with = "null_as_default")]
    pub results: BTreeMap<String, Node>,
    /// Why there is none, where Grafana says it beside them.
    #[serde(default)]
    pub message: Option<String>,
}

/// What came of one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Why there is nothing, in Grafana's or the data source's words.
    pub error: Option<String>,
    /// How it ended, as a status of HTTP; old Grafanas say nothing.
    status: Option<u16>,
    /// What there is.
    #[serde(deserialize_with = "null_as_default")]
    frames: Vec<Frame>,
}

/// Numbers that belong together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Each with its time in milliseconds since 1970, where it has one.
    pub points: Vec<(Option<i64>, Option<f64>)>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Frame {
    schema: Schema,
    data: Data,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Schema {
    meta: Option<Meta>,
    #[serde(deserialize_with = "null_as_default")]
    fields: Vec<Field>,
}

/// What a data source says beside the numbers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(deserialize_with = "null_as_default")]
    notices: Vec<Notice>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Notice {
    text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Field {
    r#type: String,
    #[serde(deserialize_with = "null_as_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Data {
    #[serde(deserialize_with = "null_as_default")]
    values: Vec<Vec<Value>>,
    #[serde(deserialize_with = "null_as_default")]
    entities: Vec<Option<Entities>>,
}

/// The places of what JSON has no number for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Entities {
    #[serde(rename = "NaN")]
    nan: Vec<usize>,
    inf: Vec<usize>,
    neg_inf: Vec<usize>,
}

impl Node {
    /// Why there is nothing, where it failed.
    pub fn failure(&self) -> Option<String> {
        let said = self.error.clone().filter(|error| !error.is_empty());
        let status = self.status.filter(|status| *status >= 400);
        said.or_else(|| {
            status.map(|status| format!("it failed with status {status}, and no reason is given"))
        })
    }

    /// What the data source says beside the numbers, such as that they aren't all there are.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        let meta = self.frames.iter().filter_map(|frame| frame.schema.meta.as_ref());
        let all = meta.flat_map(|meta| &meta.notices);
        all.map(|notice| notice.text.as_str())
            .filter(|text| !text.is_empty())
    }

    /// All series, whether there is a frame for each or one with a column for each.
    pub fn series(&self) -> Vec<Series> {
        self.frames.iter().flat_map(Frame::series).collect()
    }
}

impl Frame {
    fn series(&self) -> Vec<Series> {
        let fields = || self.schema.fields.iter().zip(&self.data.values).enumerate();
        let times = fields().find(|(_, (field, _))| field.r#type == "time");
        let times: Option<Vec<Option<i64>>> =
            times.map(|(_, (_, column))| column.iter().map(Value::as_i64).collect());
        let numbers =
            fields().filter(|(_, (field, _))| matches!(field.r#type.as_str(), "number" | "boolean"));
        let series = numbers.map(|(at, (field, column))| {
            let mut numbers: Vec<Option<f64>> = column.iter().map(number).collect();
            if let Some(Some(entities)) = self.data.entities.get(at) {
                entities.put(&mut numbers);
            }
            let time = |row: usize| times.as_ref().and_then(|times| times.get(row).copied().flatten());
            Series {
                labels: field.labels.clone(),
                points: (0..).map(time).zip(numbers).collect(),
            }
        });
        series.collect()
    }
}

impl Entities {
    fn put(&self, numbers: &mut [Option<f64>]) {
        for (places, number) in [
            (&self.nan, f64::NAN),
            (&self.inf, f64::INFINITY),
            (&self.neg_inf, f64::NEG_INFINITY),
        ] {
            for place in places {
                if let Some(there) = numbers.get_mut(*place) {
                    *there = Some(number);
                }
            }
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(holds) => Some(if *holds { 1.0 } else { 0.0 }),
        other => other.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_become_series_with_what_json_has_no_number_for() {
        let answered: Answered = serde_json::from_value(json!({"results": {"A": {"status": 200, "frames": [
            {
                "schema": {"refId": "A", "meta": {"type": "timeseries-wide"}, "fields": [
                    {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
                    {"name": "Value", "type": "number", "labels": {"a": "1"}},
                    {"name": "Value", "type": "number", "labels": {"a": "2"}, "config": {"displayName": "x"}},
                ]},
                "data": {
                    "values": [[1000, 2000, 3000], [1, null, null], [null, null, 2.5]],
                    "entities": [null, {"NaN": [1]}, {"Inf": [0], "NegInf": [1]}],
                },
            },
            {"schema": {"fields": [{"name": "A", "type": "number"}]}, "data": {"values": [[7]]}},
            {"schema": {"fields": []}, "data": {"values": []}},
        ]}, "B": {"error": "boom", "status": 500}}}))
        .unwrap();
        let series = answered.results["A"].series();
        assert_eq!(series.len(), 3);
        assert_eq!(series[0].labels["a"], "1");
        assert_eq!(series[0].points[0], (Some(1000), Some(1.0)));
        assert!(matches!(series[0].points[1], (Some(2000), Some(x)) if x.is_nan()));
        assert_eq!(series[0].points[2], (Some(3000), None));
        let numbers: Vec<_> = series[1].points.iter().map(|(_, number)| *number).collect();
        assert_eq!(numbers, [Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(2.5)]);
        assert_eq!(series[2].points, [(None, Some(7.0))]);
        assert_eq!(answered.results["B"].error.as_deref(), Some("boom"));
        assert_eq!(
            serde_json::from_str::<Answered>("{\"results\":null}").unwrap(),
            Answered::default()
        );
    }
}
