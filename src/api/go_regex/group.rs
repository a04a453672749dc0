//! What is known of a part of an expression without compiling it.

/// A part of an expression.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// How many characters it asks for, all repetitions written out.
    pub(super) size: usize,
    /// It matches the empty text.
    pub(super) matches_empty: bool,
    /// How often something is repeated within.
    repeated: u32,
}

impl Part {
    /// One character.
    pub(super) const CHARACTER: Self = Self::one(false);
    /// A condition that the empty text fulfils.
    pub(super) const ANCHOR: Self = Self::one(true);
    /// The edge of a word, of which the empty text has none.
    pub(super) const EDGE: Self = Self::one(false);
    /// Nothing at all.
    const NOTHING: Self = Self {
        size: 0,
        matches_empty: true,
        repeated: 0,
    };

    const fn one(matches_empty: bool) -> Self {
        Self {
            size: 1,
            matches_empty,
            repeated: 1,
        }
    }
}

/// A group that is open; the expression itself is the outermost.
pub(super) struct Group {
    /// The alternatives that are over, together.
    others: Option<Part>,
    /// What stands before the last part.
    before: Part,
    /// What a repetition would be of; none where nothing stands before.
    last: Option<Part>,
    /// The most that any part of it is repeated.
    most: u32,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            others: None,
            before: Part::NOTHING,
            last: None,
            most: 0,
        }
    }
}

impl Group {
    /// One part more.
    pub(super) fn add(&mut self, part: Part) {
        self.before = self.alternative_so_far();
        self.most = self.most.max(part.repeated);
        self.last = Some(part);
    }

    /// How often the last part repeats something within; none where nothing stands before.
    pub(super) fn repeated(&self) -> Option<u32> {
        self.last.map(|last| last.repeated)
    }

    /// The last part is repeated, written out `times`; `repeated` counts what it repeats within too.
    pub(super) fn repeat(&mut self, least: u32, times: u32, repeated: u32) {
        let Some(part) = &mut self.last else { return };
        let times = usize::try_from(times.max(1)).unwrap_or(usize::MAX);
        part.size = part.size.saturating_mul(times);
        part.matches_empty |= least == 0;
        part.repeated = repeated;
        self.most = self.most.max(repeated);
    }

    /// Another alternative begins.
    pub(super) fn alternative(&mut self) {
        self.others = Some(self.part());
        self.before = Part::NOTHING;
        self.last = None;
    }

    /// The group as a part of what is around it.
    pub(super) fn part(&self) -> Part {
        let own = self.alternative_so_far();
        let (size, matches_empty) = self
            .others
            .map_or((0, false), |others| (others.size, others.matches_empty));
        Part {
            size: size.saturating_add(own.size).max(1),
            matches_empty: matches_empty || own.matches_empty,
            repeated: self.most.max(1),
        }
    }

    fn alternative_so_far(&self) -> Part {
        let last = self.last.unwrap_or(Part::NOTHING);
        Part {
            size: self.before.size.saturating_add(last.size),
            matches_empty: self.before.matches_empty && last.matches_empty,
            repeated: 0,
        }
    }
}
