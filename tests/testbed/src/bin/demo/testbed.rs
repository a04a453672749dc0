//! The stage when nobody has one: all servers started here, gone with this process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use alertwright_testbed::{
    ControlPlane, Grafana, HttpSink, Loki, Scratch, SmtpSink,
    grafana::{Options, Source},
};

use crate::{
    failure::{Failure, Result},
    grafana::Api,
    inbox::{Channel, Inbox},
    kubectl::Kubectl,
    overlay::Overlay,
    report::Report,
    root,
    stage::{Ground, Pace, Stage},
};

/// The servers.
#[derive(Debug)]
pub(crate) struct Testbed {
    pub(crate) grafana: Grafana,
    _loki: Loki,
    _plane: ControlPlane,
}

/// Starts everything but the operator.
pub(crate) async fn start(report: Arc<Report>, binary: PathBuf) -> Result<Stage> {
    let failed =
        |error: alertwright_testbed::Error| Failure::new("the testbed to start", format!("{error:?}"));
    let scratch = Scratch::new("demo").map_err(failed)?;
    let source = Source::of_ones_own().map_err(failed)?;
    let is_double = source == Source::Double;
    let mut options = Options {
        source: Some(source),
        ..Options::default()
    };
    say_what_is_real(&report, &options);
    let http = HttpSink::start().await;
    let mail = if is_double {
        Some(SmtpSink::start().await)
    } else {
        None
    };
    if let Some(mail) = &mail {
        options.smtp = Some(mail.address());
        options.pagerduty = Some(format!("{}{}", http.url(), Channel::PagerDuty.path()));
        report.say("channels listen: Slack, Discord and PagerDuty by HTTP, e-mail by SMTP");
    } else {
        report.say("channels listen: Slack and Discord by HTTP, webhooks in place of PagerDuty and e-mail");
    }
    let plane = async {
        let plane = ControlPlane::start().await?;
        report.say("control plane is ready: kube-apiserver, etcd, controllers, scheduler, kwok");
        Ok(plane)
    };
    let loki = async {
        let loki = Loki::start().await?;
        report.say(format!("Loki is ready: {}", loki.url()));
        Ok(loki)
    };
    let grafana = async {
        let grafana = Grafana::start(options).await?;
        report.say(format!("{} is ready: {}", grafana.description(), grafana.url()));
        Ok(grafana)
    };
    let (plane, loki, grafana) = tokio::try_join!(plane, loki, grafana).map_err(failed)?;
    grafana.add_loki_datasource(&loki, "loki", "Loki", true).await;
    let token = grafana.token().await;
    let example = if is_double {
        root().join("deploy/examples/demo")
    } else {
        let overlay = Overlay {
            namespace: "revel",
            service: "revel",
            datasource: "loki",
            sink_url: &http.url(),
            adopt: false,
        };
        overlay.write(&scratch)?
    };
    Ok(Stage {
        kubectl: Kubectl::new(plane.kubeconfig(), scratch.path()),
        grafana: Api {
            url: grafana.url(),
            token,
        },
        loki_url: loki.url().to_owned(),
        service: "revel".to_owned(),
        sink_url: http.url(),
        inbox: Inbox { http, mail },
        home: "alertwright-system".to_owned(),
        namespace: "revel".to_owned(),
        example,
        binary,
        operator: None,
        pace: Pace {
            soon: Duration::from_secs(if is_double { 60 } else { 180 }),
            min_ready: 12,
            deadline: 30,
            quiet: Duration::from_secs(5),
        },
        ground: Ground::Testbed(Box::new(Testbed {
            grafana,
            _loki: loki,
            _plane: plane,
        })),
        report,
        scratch,
    })
}

/// The first lines: what is the real thing, and what plays it.
fn say_what_is_real(report: &Report, options: &Options) {
    report.say("real: the API server, etcd, controllers, scheduler, and Loki 2.2.1's LogQL engine");
    match &options.source {
        Some(Source::Image(image)) => report.say(format!("real: Grafana, of {}", image.name)),
        _ => report.say(format!(
            "played: Grafana {}, by a double on Alertmanager's own engine (tests/testbed/grafana); GRAFANA_VERSION names \
             another release, GRAFANA_IMAGE a real one",
            options.version
        )),
    }
    report
        .say("played: kubelets by kwok, and what stands behind the channels by servers of the demonstration");
}
