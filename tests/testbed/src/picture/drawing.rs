//! Boxes and arrows, in colours for light and for dark.

use std::fmt::Write;

use super::escaped;

const STYLE: &str = "\
:root{--ground:#f8fafc;--edge:#cbd5e1;--ink:#1f2937;--soft:#55606e;--paper:#fff;--one:#eef2ff;--one-edge:#818cf8;--one-ink:#3730a3;--two:#fff7ed;--two-edge:#fb923c;--two-ink:#9a3412;--main:#4f46e5;--good:#15803d;--bad:#b91c1c}\
@media(prefers-color-scheme:dark){:root{--ground:#12171f;--edge:#3a4553;--ink:#e2e8f0;--soft:#a3b0bf;--paper:#1b222d;--one:#1a1f38;--one-edge:#6470d8;--one-ink:#c3cafc;--two:#2b2017;--two-edge:#c9742b;--two-ink:#fdc390;--good:#56d364;--bad:#ff7b72}}\
text{font:14px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:var(--ink)}\
.ground{fill:var(--ground);stroke:var(--edge)}.paper{fill:var(--paper);stroke:var(--edge)}.one{fill:var(--one);stroke:var(--one-edge)}.two{fill:var(--two);stroke:var(--two-edge)}.main{fill:var(--main)}\
.t{font-weight:600;font-size:15px}.o{fill:var(--one-ink)}.w{fill:var(--two-ink)}.s{fill:var(--soft);font-size:12.5px}.m{fill:#fff}.n{fill:#e0e7ff;font-size:12.5px}\
.c{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:var(--soft)}.good{fill:var(--good)}.bad{fill:var(--bad)}\
.a{fill:none;stroke:var(--soft);stroke-width:1.6;marker-end:url(#tip)}#tip path{fill:var(--soft)}.mid{text-anchor:middle}";

/// A drawing that is being made.
#[derive(Debug)]
pub(super) struct Drawing {
    body: String,
}

impl Drawing {
    /// An empty one with a title and what it shows, in words.
    pub(super) fn new(width: u32, height: u32, title: &str, shows: &str) -> Self {
        let (title, shows) = (escaped(title), escaped(shows));
        let mut body = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"desc\">{shows}</desc>\n<style>{STYLE}</style>\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\"/></marker></defs>\n"
        );
        let _ = writeln!(
            body,
            "<rect class=\"ground\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"12\"/>",
            width - 1,
            height - 1
        );
        Self { body }
    }

    /// A box: where it is and how large, and how it looks.
    pub(super) fn area(&mut self, [x, y, width, height]: [u32; 4], class: &str) {
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>"
        );
    }

    /// A line of text.
    pub(super) fn text(&mut self, x: u32, y: u32, class: &str, text: &str) {
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        let _ = writeln!(
            self.body,
            "<text{class} x=\"{x}\" y=\"{y}\">{}</text>",
            escaped(text)
        );
    }

    /// An arrow along a path.
    pub(super) fn arrow(&mut self, path: &str) {
        let _ = writeln!(self.body, "<path class=\"a\" d=\"{path}\"/>");
    }

    /// The picture.
    pub(super) fn end(self) -> String {
        self.body + "</svg>\n"
    }
}
