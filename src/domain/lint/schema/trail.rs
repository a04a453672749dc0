//! The way to a value while it is walked to: it is written out only where something is found.

use super::super::path::{Path, Step};

/// Where a walk is.
#[derive(Clone, Copy, Default)]
pub(super) struct Trail<'a> {
    above: Option<(&'a Trail<'a>, Way<'a>)>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Way<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Trail<'a> {
    pub(super) fn field(&'a self, name: &'a str) -> Self {
        self.with(Way::Field(name))
    }

    pub(super) fn index(&'a self, at: usize) -> Self {
        self.with(Way::Index(at))
    }

    fn with(&'a self, way: Way<'a>) -> Self {
        Self {
            above: Some((self, way)),
            depth: self.depth + 1,
        }
    }

    /// How many steps it has.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn path(&self) -> Path {
        let mut steps = Vec::with_capacity(self.depth);
        let mut at = self;
        while let Some((above, way)) = at.above {
            steps.push(match way {
                Way::Field(name) => Step::Field(name.to_owned()),
                Way::Index(at) => Step::Index(at),
            });
            at = above;
        }
        steps.reverse();
        steps.into()
    }
}
