//! The stage when nobody has one: all servers started here, gone with this process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use alertwright_testbed::{ControlPlane, Grafana, HttpSink, Loki, Scratch, SmtpSink, grafana};

use crate::{
    failure::{Failure, Result},
    grafana::Api,
    inbox::{Channel, Inbox},
    kubectl::Kubectl,
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
    let (http, mail) = (HttpSink::start().await, SmtpSink::start().await);
    report.say("channels listen: Slack, Discord and PagerDuty by HTTP, e-mail by SMTP");
    let options = grafana::Options {
        smtp: Some(mail.address()),
        pagerduty: Some(format!("{}{}", http.url(), Channel::PagerDuty.path())),
        ..grafana::Options::default()
    };
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
        let version = options.version;
        let grafana = Grafana::start(options).await?;
        report.say(format!(
            "Grafana's double is ready, as {version}: {}",
            grafana.url()
        ));
        Ok(grafana)
    };
    let (plane, loki, grafana) = tokio::try_join!(plane, loki, grafana).map_err(failed)?;
    grafana.add_loki_datasource(&loki, "loki", "Loki", true).await;
    let token = grafana.token().await;
    Ok(Stage {
        kubectl: Kubectl::new(plane.kubeconfig(), scratch.path()),
        grafana: Api {
            url: grafana.url(),
            token,
        },
        loki_url: loki.url().to_owned(),
        service: "revel".to_owned(),
        sink_url: http.url(),
        inbox: Inbox {
            http,
            mail: Some(mail),
        },
        home: "alertwright-system".to_owned(),
        namespace: "revel".to_owned(),
        example: root().join("deploy/examples/demo"),
        binary,
        operator: None,
        pace: Pace {
            soon: Duration::from_secs(60),
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
