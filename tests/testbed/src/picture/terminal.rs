//! What a terminal shows, as an SVG. It has a ground of its own, so it is read on a light page and on a dark one.

use std::fmt::Write;

use anstream::adapter::WinconBytes;
use anstyle::{AnsiColor, Color, Effects, Style};

use super::{escaped, plain};

/// How wide a character is, in hundredths, and how high a line is.
const ADVANCE: usize = 840;
const LINE: usize = 20;
/// The room around the text, and above it for the frame's head.
const MARGIN: usize = 18;
const HEAD: usize = 34;
/// A picture isn't narrower than so many characters.
const LEAST: usize = 60;

/// Classes are named by their first letters: bold, dim, and the colours.
const STYLE: &str = "\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:#d3dae3;white-space:pre}\
.b{fill:#fff;font-weight:bold}.d{fill:#8b97a7}.r{fill:#ff7b72}.g{fill:#56d364}.y{fill:#e3b341}.l{fill:#79c0ff}.m{fill:#d2a8ff}.c{fill:#76e3ea}";

/// A piece of a line that looks alike and has no two spaces in it, so that columns stand straight in every font.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    column: usize,
    class: String,
    text: String,
}

/// A line of a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<Piece>);

impl Line {
    /// How many characters it has.
    fn len(&self) -> usize {
        self.0
            .last()
            .map_or(0, |piece| piece.column + piece.text.chars().count())
    }

    /// What it says.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut column = 0;
        for piece in &self.0 {
            text.extend(std::iter::repeat_n(' ', piece.column.saturating_sub(column)));
            text.push_str(&piece.text);
            column = piece.column + piece.text.chars().count();
        }
        text
    }

    /// What stands out in it, and how: each piece that has a colour, with the colour's class.
    pub fn painted(&self) -> impl Iterator<Item = (&str, &str)> {
        let painted = self.0.iter().filter(|piece| !piece.class.is_empty());
        painted.map(|piece| (piece.class.as_str(), piece.text.as_str()))
    }

    /// Adds a text from a column on. Spaces at its ends, and several of them, are told by where the next piece begins.
    fn push(&mut self, mut column: usize, class: &str, text: &str) {
        for part in text.split("  ") {
            let shown = part.trim_matches(' ');
            if !shown.is_empty() {
                self.0.push(Piece {
                    column: column + part.chars().take_while(|c| *c == ' ').count(),
                    class: class.to_owned(),
                    text: shown.to_owned(),
                });
            }
            column += part.chars().count() + 2;
        }
    }
}

/// The class of what is printed so.
fn class(style: Style) -> String {
    let effects = style.get_effects();
    let mut classes = Vec::new();
    if effects.contains(Effects::BOLD) {
        classes.push("b");
    }
    if effects.contains(Effects::DIMMED) {
        classes.push("d");
    }
    let color = match style.get_fg_color() {
        Some(Color::Ansi(AnsiColor::Red | AnsiColor::BrightRed)) => "r",
        Some(Color::Ansi(AnsiColor::Green | AnsiColor::BrightGreen)) => "g",
        Some(Color::Ansi(AnsiColor::Yellow | AnsiColor::BrightYellow)) => "y",
        Some(Color::Ansi(AnsiColor::Blue | AnsiColor::BrightBlue)) => "l",
        Some(Color::Ansi(AnsiColor::Magenta | AnsiColor::BrightMagenta)) => "m",
        Some(Color::Ansi(AnsiColor::Cyan | AnsiColor::BrightCyan)) => "c",
        _ => "",
    };
    classes.extend((!color.is_empty()).then_some(color));
    classes.join(" ")
}

/// The lines of what a program has printed, with the codes for its colours.
pub fn lines(printed: &str) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    let mut column = 0;
    let mut parser = WinconBytes::new();
    for (style, text) in parser.extract_next(printed.as_bytes()) {
        let class = class(style);
        for (number, part) in text.split('\n').enumerate() {
            if number > 0 {
                lines.push(Line::default());
                column = 0;
            }
            let part = part.trim_end_matches('\r');
            if let Some(line) = lines.last_mut() {
                line.push(column, &class, part);
            }
            column += part.chars().count();
        }
    }
    while lines.last().is_some_and(|line| line.0.is_empty()) {
        lines.pop();
    }
    lines
}

/// A command as somebody types it, and what it has printed.
pub fn typed(command: &str, printed: &str) -> Vec<Line> {
    let prompt = format!("\u{1b}[32m$\u{1b}[0m \u{1b}[1m{command}\u{1b}[0m\n{printed}");
    lines(&prompt)
}

/// A picture of lines.
pub fn svg(title: &str, all: &[Line]) -> String {
    let columns = all.iter().map(Line::len).max().unwrap_or_default();
    framed(title, columns, all.len(), "", &body(all))
}

/// The lines, the first of them at the height 0.
pub(super) fn body(all: &[Line]) -> String {
    let mut out = String::new();
    for (number, line) in all.iter().enumerate().filter(|(_, line)| !line.0.is_empty()) {
        let _ = write!(out, "<text y=\"{}\">", number * LINE);
        for piece in &line.0 {
            let class = if piece.class.is_empty() {
                String::new()
            } else {
                format!(" class=\"{}\"", piece.class)
            };
            let _ = write!(
                out,
                "<tspan x=\"{}\"{class}>{}</tspan>",
                x(piece.column),
                escaped(&piece.text)
            );
        }
        out.push_str("</text>\n");
    }
    out
}

/// A terminal's frame around a body, with more styles.
pub(super) fn framed(title: &str, columns: usize, lines: usize, styles: &str, body: &str) -> String {
    let width = (columns.max(LEAST) * ADVANCE).div_ceil(100) + 2 * MARGIN;
    let height = HEAD + lines * LINE + MARGIN;
    let title = escaped(title);
    // Fonts may be a little wider than their lines are counted: what is beyond the text is room for that.
    let (inner, right) = (width - 1, width - MARGIN - 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title>\n<style>{STYLE}{styles}</style>\n\
         <rect x=\".5\" y=\".5\" width=\"{inner}\" height=\"{}\" rx=\"9\" fill=\"#12171f\" stroke=\"#3a4553\"/>\n\
         <g fill=\"#3a4553\"><circle cx=\"20\" cy=\"17\" r=\"5\"/><circle cx=\"38\" cy=\"17\" r=\"5\"/><circle cx=\"56\" cy=\"17\" r=\"5\"/></g>\n\
         <svg x=\"{MARGIN}\" y=\"{HEAD}\" width=\"{right}\" height=\"{}\"><g transform=\"translate(0 15)\">\n{body}</g></svg>\n</svg>\n",
        height - 1,
        lines * LINE
    )
}

/// How high so many lines are.
pub(super) fn high(lines: usize) -> usize {
    lines * LINE
}

fn x(column: usize) -> String {
    let hundredths = column * ADVANCE;
    match hundredths % 100 {
        0 => (hundredths / 100).to_string(),
        rest => format!(
            "{}.{}",
            hundredths / 100,
            format!("{rest:02}").trim_end_matches('0')
        ),
    }
}

/// What a picture shows: its lines, read from it.
pub fn read(svg: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for text in svg.split("<text y=\"").skip(1) {
        let (y, rest) = text.split_once('"').unwrap_or_default();
        let number = y.parse::<usize>().unwrap_or_default() / LINE;
        lines.resize(number, Line::default());
        let pieces = rest.split("<tspan ").skip(1).map(|span| {
            let (attributes, shown) = span.split_once('>').unwrap_or_default();
            let value = |name: &str| {
                let (_, rest) = attributes.split_once(&format!("{name}=\""))?;
                rest.split('"').next()
            };
            let x: f64 = value("x").and_then(|x| x.parse().ok()).unwrap_or_default();
            Piece {
                column: column(x),
                class: value("class").unwrap_or_default().to_owned(),
                text: plain(shown.split("</tspan>").next().unwrap_or_default()),
            }
        });
        lines.push(Line(pieces.collect()));
    }
    lines
}

/// A picture of lines as it would be drawn now. `None` where it is another picture.
pub fn redrawn(picture: &str) -> Option<String> {
    let (_, rest) = picture.split_once("<title>")?;
    let (title, _) = rest.split_once("</title>")?;
    let lines = read(picture);
    (!lines.is_empty() && !picture.contains("@keyframes")).then(|| svg(&plain(title), &lines))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "no line is that long"
)]
fn column(x: f64) -> usize {
    (x * 100.0 / ADVANCE as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_picture_shows_is_what_was_printed_with_its_colours() {
        let printed = "\u{1b}[1mNAME\u{1b}[0m     \u{1b}[1mSTATE\u{1b}[0m\na <&> b  \u{1b}[31mFiring\u{1b}[0m\n\n  \"in\"\n";
        let all = typed("kubectl get  x", printed);
        let texts: Vec<String> = all.iter().map(Line::text).collect();
        assert_eq!(
            texts,
            [
                "$ kubectl get  x",
                "NAME     STATE",
                "a <&> b  Firing",
                "",
                "  \"in\""
            ]
        );
        let picture = svg("a <title>", &all);
        assert_eq!(read(&picture), all);
        assert_eq!(redrawn(&picture), Some(picture));
        let colors: Vec<_> = all[2].painted().collect();
        assert_eq!(colors, [("r", "Firing")]);
    }

    #[test]
    fn columns_begin_where_they_began() {
        for width in [1, 7, 60, 133] {
            let printed = format!("{}  x", "─".repeat(width));
            assert_eq!(read(&svg("", &lines(&printed)))[0].text(), printed);
        }
    }
}
