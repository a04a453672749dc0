//! `alertwright status`: one screen that says how things are.

pub(super) mod events;
mod nothing;
pub(super) mod open;
mod operator;
pub(super) mod routes;
pub(super) mod screen;
pub(super) mod state;
mod text;
pub(super) mod version;
mod view;
mod watch;

#[cfg(test)]
mod inhibited_tests;
#[cfg(test)]
mod quiet_tests;
#[cfg(test)]
mod screen_tests;

use jiff::Timestamp;

use self::screen::{Screen, Shown};
use self::text::Parts;
use self::view::{Output, View};
use super::common::color::Colors;
use super::common::connect::{Cluster, Scope, wait};
use super::common::dns;
use super::common::exit::{self, Exit};
use super::common::moments::place;
use super::common::names;
use super::common::print::print;
use super::diff::asked;

/// Say how things are, on one screen: what fires and who is told, what isn't in sync and why, and what is silenced.
///
/// It reads the cluster's resources and nothing else: no Grafana, no Secret. Who is told is worked out from the resources, by the functions that `route` asks, for the
/// labels that all alerts of a rule have. What you may not read is said and left out.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(after_help = format!("Examples:\n  alertwright status -A\n  alertwright status -n revel --firing -w\n  alertwright status -A --not-ready --exit-code\n  alertwright status -n shop -l app=checkout -o json\n\n{}, 130 interrupted.", exit::HELP_IN_PART.trim_end_matches('.')))]
pub(super) struct Status {
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    scope: Scope,
    /// The GrafanaInstance whose alerts and resources are shown. Default: all.
    #[arg(short, long, value_name = "NAME", value_parser = dns::name, add = names::of("GrafanaInstance"))]
    instance: Option<String>,
    /// Only resources with these labels, such as team=payments,tier!=low.
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = asked::selector)]
    selector: Option<asked::Selector>,
    /// Only what fires.
    #[arg(long)]
    firing: bool,
    /// Only what isn't in sync or in error.
    #[arg(long)]
    not_ready: bool,
    /// Go on, and show each change as it happens.
    #[arg(short, long)]
    watch: bool,
    /// End with 1 if something isn't ready, or a Grafana isn't reached; with --not-ready also if a rule is in error; with --firing alone if something fires. With 4 if not everything may be read.
    #[arg(long, conflicts_with = "watch")]
    exit_code: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
    /// Nothing but the screen: no notes.
    #[arg(short, long)]
    quiet: bool,
}

impl Status {
    pub(super) fn execute(self) -> Result<Exit, String> {
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let cluster = self.cluster.connect(&self.scope).await?;
        let narrow = (!self.scope.whole.all_namespaces).then_some(cluster.namespace.as_str());
        let read = cluster.objects(narrow).await?;
        let view = View {
            parts: self.parts(),
            output: self.output,
            has_titles: !self.no_headers,
            color: self.colors.color,
            is_quiet: self.quiet,
            is_partial: read.is_partial(),
            shown: Shown {
                namespace: narrow,
                instance: self.instance.as_deref(),
                selector: self.selector.as_ref(),
                is_whole: read.is_whole(),
                is_blind: read.is_blind_to("Deployment"),
            },
            place: place(),
        };
        view.notes(&read.notes);
        let (objects, now) = (read.objects(), Timestamp::now());
        let screen = view.screen(&objects, now)?;
        if screen.resources == 0 {
            let said = nothing::told(&cluster, &read, &objects, &view.shown).await?;
            view.notes(&[said]);
        }
        if self.watch {
            return watch::watch(&cluster, read, &view).await;
        }
        print(&view.said(&screen, now)?)?;
        for why in screen
            .firing
            .iter()
            .filter_map(|firing| firing.why_not.as_ref())
            .take(1)
        {
            view.notes(&[format!("who is told isn't known: {why}")]);
        }
        Ok(self.exit(&screen, view.is_partial))
    }

    /// What the exit code says. What may not be read may be anything but well.
    fn exit(&self, screen: &Screen, is_partial: bool) -> Exit {
        match (self.exit_code, self.is_well(screen)) {
            (true, false) => Exit::No,
            (true, true) if is_partial => Exit::InPart,
            _ => Exit::Done,
        }
    }

    fn is_well(&self, screen: &Screen) -> bool {
        let is_ready = (self.firing && !self.not_ready)
            || (screen.is_ready() && (!self.not_ready || screen.in_error.is_empty()));
        let is_calm = !self.firing || screen.firing.is_empty();
        is_ready && is_calm
    }

    fn parts(&self) -> Parts {
        let is_all = !self.firing && !self.not_ready;
        Parts {
            firing: self.firing || is_all,
            not_ready: self.not_ready || is_all,
            around: is_all,
        }
    }
}
