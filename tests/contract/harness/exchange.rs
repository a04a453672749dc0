//! One exchange: its calls, one after the other, held against what is expected.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use futures::future::join_all;

use super::{
    call::{Body, Call, Caller},
    contract::{Case, Contract},
    expect::{Answer, Expect},
    names::Names,
    path,
    server::Server,
    sweep,
};

const PAUSE: Duration = Duration::from_millis(50);
/// How much of a body is quoted.
const QUOTED: usize = 2000;

/// One call as it went, for the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Method and path.
    pub call: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// Whether it was as expected.
    pub held: bool,
}

/// How an exchange went.
#[derive(Debug)]
pub struct Outcome {
    /// Its calls.
    pub rows: Vec<Row>,
    /// What is wrong; `None` if all was as expected.
    pub failure: Option<String>,
}

/// Tries a case on a server, then removes what it has made.
pub async fn run(server: &mut Server, contract: &Contract, case: &Case, number: usize) -> Outcome {
    let mut names = Names::new(format!("{}-{number:03}", server.run));
    names.keep("org", server.organisation().into());
    names.keep("space", server.namespace().into());
    names.keep("soon", server.soon().into());
    let logged = server.log().len();
    let mut rows = Vec::new();
    let mut transcript = String::new();
    let mut failure = None;
    for call in contract.given.iter().chain(&case.calls) {
        if let Err(error) = server.admit(&call.by).await {
            failure = Some(error);
            break;
        }
        let (row, told) = make(server, call, &mut names).await;
        let held = row.held;
        rows.push(row);
        transcript.push_str(&told);
        if !held {
            failure = Some("the answer is another one".to_owned());
            break;
        }
    }
    let calls = contract.given.iter().chain(&case.calls);
    let swept = sweep::sweep(server, names.prefix(), calls).await;
    if failure.is_none() {
        failure = swept.err().map(|error| format!("cannot be cleaned up: {error}"));
    }
    let failure = failure.map(|why| {
        let log = server.log();
        let log = log.get(logged..).unwrap_or_default().trim();
        let log = if log.is_empty() { "nothing" } else { log };
        let sources = case.sources();
        format!("{why}\n\n{transcript}\nsource: {sources}\nthe server logged: {log}")
    });
    Outcome { rows, failure }
}

async fn make(server: &Server, call: &Call, names: &mut Names) -> (Row, String) {
    let deadline = Instant::now() + server.patience();
    loop {
        let numbers = 1..=call.times;
        let answers = join_all(numbers.map(|number| {
            let mut names = names.clone();
            names.keep("n", number.into());
            async move { send(server, call, &names).await }
        }));
        let answers: Vec<_> = answers.await;
        let judged: Vec<_> = answers.iter().map(|answer| judge(call, answer, names)).collect();
        let wrong = judged.iter().position(|refuted| !refuted.is_empty());
        if wrong.is_some() && call.eventually && Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let shown = wrong.unwrap_or_default();
        if let (None, Some(Ok(answer))) = (wrong, answers.first()) {
            for (path, name) in &call.kept {
                if let Some(value) = path::find(&answer.json, &names.fill(path)).first() {
                    names.keep(name, (*value).clone());
                }
            }
        }
        let empty = Vec::new();
        return tell(call, names, &answers[shown], judged.get(shown).unwrap_or(&empty));
    }
}

async fn send(server: &Server, call: &Call, names: &Names) -> Result<Answer, String> {
    let mut request = match &call.by {
        Caller::Token(name) => server
            .request(call.method.clone(), &names.fill_path(&call.path), &Caller::Nobody)
            .bearer_auth(names.text(name)),
        caller => server.request(call.method.clone(), &names.fill_path(&call.path), caller),
    };
    for (name, value) in &call.headers {
        request = request.header(*name, names.fill(value));
    }
    request = match &call.body {
        Body::None => request,
        Body::Json(body) => request.json(&names.fill_json(body)),
        Body::Text(text) => request
            .header("Content-Type", "application/json")
            .body(names.fill(text)),
    };
    let answer = request
        .send()
        .await
        .map_err(|error| format!("no answer: {error:?}"))?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer
        .text()
        .await
        .map_err(|error| format!("half an answer: {error:?}"))?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer {
        status,
        headers,
        text,
        json,
    })
}

/// What is expected and isn't so, with what is there instead.
fn judge(call: &Call, answer: &Result<Answer, String>, names: &Names) -> Vec<(Expect, String)> {
    let Ok(answer) = answer else {
        return vec![(Expect::Status(Vec::new()), "no answer".to_owned())];
    };
    let mut refuted = Vec::new();
    let about_status = |expect: &Expect| matches!(expect, Expect::Status(_));
    if !call.expected.iter().any(about_status) && !answer.status.is_success() {
        refuted.push((Expect::Status(vec![200]), answer.status.as_u16().to_string()));
    }
    for expect in &call.expected {
        let expect = expect.filled(names);
        if let Some(instead) = expect.refuted_by(answer) {
            refuted.push((expect, instead));
        }
    }
    for (path, _) in &call.kept {
        let path = names.fill(path);
        if path::find(&answer.json, &path).is_empty() {
            refuted.push((Expect::There(path), "nothing".to_owned()));
        }
    }
    refuted
}

fn tell(
    call: &Call,
    names: &Names,
    answer: &Result<Answer, String>,
    refuted: &[(Expect, String)],
) -> (Row, String) {
    let address = format!("{} {}", call.method, names.fill(&call.path));
    let expected: Vec<_> = call
        .expected
        .iter()
        .map(|expect| expect.filled(names).to_string())
        .collect();
    let expected = if expected.is_empty() {
        "success".to_owned()
    } else {
        expected.join("; ")
    };
    let got = match answer {
        Ok(answer) => format!("{} {}", answer.status.as_u16(), shorten(answer.text.trim())),
        Err(error) => error.clone(),
    };
    let mut told = address.clone();
    if call.by != Caller::Admin {
        let _ = write!(told, " as {:?}", call.by);
    }
    for (name, value) in &call.headers {
        let _ = write!(told, "\n    with      {name}: {}", names.fill(value));
    }
    match &call.body {
        Body::None => {}
        Body::Json(body) => {
            let _ = write!(
                told,
                "\n    sent      {}",
                shorten(&names.fill_json(body).to_string())
            );
        }
        Body::Text(text) => {
            let _ = write!(told, "\n    sent      {}", shorten(&names.fill(text)));
        }
    }
    let _ = write!(told, "\n    expected  {expected}\n    got       {got}");
    for (expect, instead) in refuted {
        let _ = write!(told, "\n    WRONG     expected {expect}, got {instead}");
    }
    told.push('\n');
    let row = Row {
        call: address,
        expected,
        got,
        held: refuted.is_empty(),
    };
    (row, told)
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{} [...]", &text[..end]),
        None => text.to_owned(),
    }
}
