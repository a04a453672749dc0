//! How tables look on a terminal: in colours, and no wider than it is.

use std::io::{self, IsTerminal};

use terminal_size::{Height, Width};

use super::color::Color;
use super::print::{columns, harmless, padded};

/// How what is printed looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Look {
    /// Whether there are colours.
    pub(in super::super) has_color: bool,
    /// How many characters a line may have; as many as it has where that isn't said, as in a pipe.
    pub(in super::super) width: Option<usize>,
}

/// What makes a word stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Paint {
    /// A title.
    Bold,
    /// All is well.
    Green,
    /// Worth a look.
    Yellow,
    /// Somebody has to do something.
    Red,
    /// Nobody has to look at it now.
    Dim,
}

impl Paint {
    const fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
        }
    }
}

/// What each cell of a table is painted in, by its row and column.
pub(in super::super) type Painted<'a> = &'a dyn Fn(usize, usize) -> Option<Paint>;

impl Look {
    /// That of standard output, where lines are as long as they are if that is asked.
    pub(in super::super) fn of_output(color: Color, is_wide: bool) -> Self {
        let out = io::stdout();
        let size = out
            .is_terminal()
            .then(|| terminal_size::terminal_size_of(&out))
            .flatten();
        Self::of(color.is_on(&out), size.filter(|_| !is_wide))
    }

    /// That of standard error.
    pub(in super::super) fn of_errors(color: Color, is_wide: bool) -> Self {
        let errors = io::stderr();
        let size = errors
            .is_terminal()
            .then(|| terminal_size::terminal_size_of(&errors))
            .flatten();
        Self::of(color.is_on(&errors), size.filter(|_| !is_wide))
    }

    fn of(has_color: bool, size: Option<(Width, Height)>) -> Self {
        Self {
            has_color,
            width: size
                .map(|(width, _)| usize::from(width.0))
                .filter(|width| *width > 0),
        }
    }

    /// A text that stands out, however long it is.
    pub(in super::super) fn painted(self, text: &str, paint: Paint) -> String {
        let text = harmless(text);
        if self.has_color && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
        } else {
            text
        }
    }

    /// A line that ends where the terminal does.
    pub(in super::super) fn line(self, text: &str) -> String {
        let mut line = Line::new(self);
        line.push(&harmless(text), None);
        line.end() + "\n"
    }

    /// Rows below their titles, each column as wide as it must be. The last one is as long as it is, or as there is room.
    pub(in super::super) fn table(
        self,
        titles: &[&str],
        rows: &[Vec<String>],
        has_titles: bool,
        painted: Painted<'_>,
    ) -> String {
        let above: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
        let all = || has_titles.then_some(&above).into_iter().chain(rows);
        let width = |column: usize| {
            let cells = all().filter_map(|row| row.get(column));
            cells.map(|cell| columns(cell)).max().unwrap_or_default()
        };
        let count = all().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..count).map(width).collect();
        let mut out = String::new();
        for (number, row) in all().enumerate() {
            let of_cell = |column| match number.checked_sub(usize::from(has_titles)) {
                None => Some(Paint::Bold),
                Some(row) => painted(row, column),
            };
            out.push_str(&self.row(row, &widths, &of_cell));
        }
        out
    }

    /// A row of cells, each at least as wide as its column.
    pub(in super::super) fn row(
        self,
        row: &[String],
        widths: &[usize],
        painted: &dyn Fn(usize) -> Option<Paint>,
    ) -> String {
        let last = row.iter().rposition(|cell| !cell.trim_end().is_empty());
        let mut line = Line::new(self);
        for (column, cell) in row.iter().enumerate() {
            let cell = harmless(cell);
            if Some(column) == last {
                line.push(cell.trim_end(), painted(column));
                break;
            }
            let width = widths.get(column).copied().unwrap_or_default();
            line.push(&cell, painted(column));
            line.push(&padded("", width.saturating_sub(columns(&cell)) + 2), None);
        }
        line.end() + "\n"
    }
}

/// Nothing but titles stands out.
pub(in super::super) const fn plain(_: usize, _: usize) -> Option<Paint> {
    None
}

/// The begin of a text, as far as so many columns have room for it.
fn begin(text: &str, room: usize) -> &str {
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let begins = ends.map_while(|end| text.get(..end).filter(|begin| columns(begin) <= room));
    begins.last().unwrap_or_default()
}

/// A line of parts, each in its paint.
struct Line {
    look: Look,
    parts: Vec<(String, Option<Paint>)>,
}

impl Line {
    const fn new(look: Look) -> Self {
        Self {
            look,
            parts: Vec::new(),
        }
    }

    fn push(&mut self, text: &str, paint: Option<Paint>) {
        self.parts.push((text.to_owned(), paint));
    }

    /// The line as far as there is room, which it says where there isn't enough.
    fn end(self) -> String {
        let count: usize = self.parts.iter().map(|(text, _)| columns(text)).sum();
        let mut room = match self.look.width {
            Some(width) if count > width => width,
            _ => usize::MAX,
        };
        let mut out = String::new();
        for (text, paint) in self.parts {
            let length = columns(&text);
            // The last place is for the sign that there is more.
            let is_last = length >= room;
            let shown = if is_last {
                format!("{}…", begin(&text, room - 1))
            } else {
                text
            };
            match paint {
                Some(paint) => out.push_str(&self.look.painted(&shown, paint)),
                None => out.push_str(&shown),
            }
            if is_last {
                break;
            }
            room -= length;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        vec![
            row(["a", "red\u{1b}[2J", ""]),
            row(["other", "–", "ein längeres Wort"]),
            row(["支払", "👩‍🚒", "障害が起きた"]),
        ]
    }

    const TITLES: [&str; 3] = ["NAME", "STATE", "WHAT"];

    fn shown(look: Look) -> String {
        let paint = |row, column| (row == 0 && column == 1).then_some(Paint::Red);
        look.table(&TITLES, &rows(), true, &paint)
    }

    #[test]
    fn in_a_pipe_each_column_is_as_wide_as_it_must_be_and_no_line_ends_in_spaces() {
        let whole = "NAME   STATE    WHAT\na      red\u{fffd}[2J\nother  –        ein längeres Wort\n支払   👩‍🚒       障害が起きた\n";
        assert_eq!(shown(Look::default()), whole);
        let alone = Look::default().table(&TITLES, &rows(), false, &plain);
        assert_eq!(alone, whole.split_once('\n').unwrap().1);
    }

    #[test]
    fn a_cell_without_a_title_is_shown() {
        let rows = [vec!["a".to_owned(), "more".to_owned()]];
        assert_eq!(Look::default().table(&["X"], &rows, true, &plain), "X\na  more\n");
    }

    #[test]
    fn columns_stand_below_each_other_whatever_is_written_in_them() {
        let row = |name: &str| vec![name.to_owned(), "x".to_owned()];
        // Wide letters, an emoji of several characters, a letter with an accent of its own, a control character, and one that turns the direction.
        let names = [
            "支払いエラー",
            "👩‍🚒 fire",
            "e\u{301}t\u{301}",
            "a\u{1b}b",
            "a\u{202e}b",
            "plain",
        ];
        let rows: Vec<_> = names.map(row).to_vec();
        let table = Look::default().table(&["NAME", "X"], &rows, true, &plain);
        for line in table.lines() {
            let (before, _) = line.rsplit_once("  ").unwrap();
            assert_eq!(columns(before), 12, "{line}");
        }
        assert_eq!(columns("支払い"), 6);
        assert_eq!(padded("支払い", 4), "支払い");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_one_that_is_cut_says_so() {
        for width in 1..60 {
            let narrow = Look {
                width: Some(width),
                ..Look::default()
            };
            let (cut, whole) = (shown(narrow), shown(Look::default()));
            assert_eq!(cut.lines().count(), whole.lines().count());
            for (cut, whole) in cut.lines().zip(whole.lines()) {
                assert!(columns(cut) <= width, "{width}: {cut}");
                let begin = cut.strip_suffix('…').unwrap_or(cut);
                assert!(
                    whole.starts_with(begin) && (cut == whole || cut.ends_with('…')),
                    "{cut}"
                );
            }
        }
        let narrow = Look {
            width: Some(5),
            ..Look::default()
        };
        assert_eq!(narrow.line("SILENCES"), "SILE…\n");
        assert_eq!(narrow.line("SILEN"), "SILEN\n");
    }

    #[test]
    fn colours_take_no_room_and_end_with_their_cell() {
        let look = Look {
            has_color: true,
            width: Some(9),
        };
        let said = shown(look);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "\u{1b}[1mNAME\u{1b}[0m   \u{1b}[1mS…\u{1b}[0m");
        assert_eq!(lines[1], "a      \u{1b}[31mr…\u{1b}[0m");
        let wide = shown(Look { width: None, ..look });
        assert!(wide.contains("\u{1b}[31mred\u{fffd}[2J\u{1b}[0m\n"), "{wide:?}");
        let plain = wide
            .replace("\u{1b}[1m", "")
            .replace("\u{1b}[31m", "")
            .replace("\u{1b}[0m", "");
        assert_eq!(plain, shown(Look::default()));
    }
}
