//! Whether there are colours.

use std::io::IsTerminal;

/// When what is printed has colours.
#[derive(clap::ValueEnum, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When there are colours, for a command that prints tables or marks.
#[derive(clap::Args, Debug, Clone, Copy, Default)]
pub(in super::super) struct Colors {
    /// When there are colours.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(in super::super) color: Color,
}

impl Color {
    /// Whether to print colours to a place.
    pub(in super::super) fn is_on(self, place: &impl IsTerminal) -> bool {
        let wishes_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        self.decide(place.is_terminal(), wishes_none)
    }

    fn decide(self, is_terminal: bool, wishes_none: bool) -> bool {
        match self {
            Self::Auto => is_terminal && !wishes_none,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_somebody_says_otherwise() {
        let all = [(true, false), (true, true), (false, false), (false, true)];
        let of = |color: Color| all.map(|(terminal, none)| color.decide(terminal, none));
        assert_eq!(of(Color::Auto), [true, false, false, false]);
        assert_eq!(of(Color::Always), [true; 4]);
        assert_eq!(of(Color::Never), [false; 4]);
    }
}
