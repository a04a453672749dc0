//! Through which API rules go, and when that changes: decided from what is wished, what there is, and what was before.

use crate::grafana::api::Why;

/// One of the two APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Provisioning,
    Platform,
}

/// What is known of the two.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// Whether the newer one is asked for.
    pub(super) is_asked: bool,
    /// Whether the older one isn't there any more.
    pub(super) is_gone: bool,
    /// Whether the newer one is there and may be used.
    pub(super) is_usable: bool,
}

/// A change that waits until it was told, or that was made and hasn't shown yet that it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switch {
    pub(super) to: Door,
    pub(super) why: Why,
    pub(super) is_made: bool,
}

/// What rules go through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Course {
    /// `None` until the first choice of the first process.
    pub(super) in_use: Option<Door>,
    pub(super) switch: Option<Switch>,
}

impl Known {
    /// Whether the newer one is to be looked for.
    pub(super) fn is_wanted(self) -> bool {
        self.is_asked || self.is_gone
    }
}

impl Course {
    /// Goes on from here with what is known now. Nothing has to be told the first time. A newer API that can't be used any more is left at once:
    /// there is nothing else to go through.
    pub(super) fn choose(self, known: Known) -> Self {
        let to = if known.is_wanted() && known.is_usable {
            Door::Platform
        } else {
            Door::Provisioning
        };
        let switch = Switch {
            to,
            why: if known.is_gone && !known.is_asked {
                Why::Gone
            } else {
                Why::Asked
            },
            is_made: false,
        };
        match self.in_use {
            Some(before) if before == to => Self {
                switch: self.switch.filter(|switch| switch.is_made),
                ..self
            },
            Some(Door::Platform) if !known.is_usable => Self::through(Door::Provisioning),
            Some(_) => Self {
                switch: Some(switch),
                ..self
            },
            None => Self::through(to),
        }
    }

    /// Makes the change that is due.
    pub(super) fn make_switch(self) -> Self {
        match self.switch {
            Some(switch) => Self {
                in_use: Some(switch.to),
                switch: Some(Switch {
                    is_made: true,
                    ..switch
                }),
            },
            None => self,
        }
    }

    /// Notes that rules have been listed through what is used.
    pub(super) fn listed(self) -> Self {
        Self {
            switch: self.switch.filter(|switch| !switch.is_made),
            ..self
        }
    }

    /// Uses this one without a word.
    pub(super) fn through(door: Door) -> Self {
        Self {
            in_use: Some(door),
            switch: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Known = Known {
        is_asked: false,
        is_gone: false,
        is_usable: false,
    };
    const ASKED: Known = Known {
        is_asked: true,
        is_usable: true,
        ..NOTHING
    };
    const GONE: Known = Known {
        is_gone: true,
        is_usable: true,
        ..NOTHING
    };

    fn due(to: Door, why: Why) -> Switch {
        Switch {
            to,
            why,
            is_made: false,
        }
    }

    #[test]
    fn the_first_choice_tells_nothing() {
        for (known, door) in [
            (NOTHING, Door::Provisioning),
            (ASKED, Door::Platform),
            (GONE, Door::Platform),
            (
                Known {
                    is_asked: true,
                    ..NOTHING
                },
                Door::Provisioning,
            ),
        ] {
            assert_eq!(Course::default().choose(known), Course::through(door));
        }
    }

    #[test]
    fn a_change_waits_until_it_is_made_and_ends_once_rules_are_listed() {
        for (from, known, to, why) in [
            (Door::Provisioning, ASKED, Door::Platform, Why::Asked),
            (Door::Provisioning, GONE, Door::Platform, Why::Gone),
            (
                Door::Platform,
                Known {
                    is_usable: true,
                    ..NOTHING
                },
                Door::Provisioning,
                Why::Asked,
            ),
        ] {
            let course = Course::through(from).choose(known);
            assert_eq!((course.in_use, course.switch), (Some(from), Some(due(to, why))));
            assert_eq!(course.choose(known), course, "another look changes nothing");
            assert_eq!(course.listed(), course, "what is read before it says nothing");
            let made = course.make_switch();
            assert_eq!(made.in_use, Some(to));
            assert!(made.switch.is_some_and(|switch| switch.is_made));
            assert_eq!(made.choose(known), made);
            assert_eq!(made.listed(), Course::through(to));
        }
    }

    #[test]
    fn a_change_that_is_taken_back_before_it_is_made_never_was() {
        let course = Course::through(Door::Provisioning).choose(ASKED);
        assert_eq!(course.choose(NOTHING), Course::through(Door::Provisioning));
    }

    #[test]
    fn a_newer_api_that_cannot_be_used_any_more_is_left_at_once() {
        let lost = Known {
            is_asked: true,
            ..NOTHING
        };
        assert_eq!(
            Course::through(Door::Platform).choose(lost),
            Course::through(Door::Provisioning)
        );
        assert_eq!(
            Course::through(Door::Platform).choose(NOTHING),
            Course::through(Door::Provisioning)
        );
    }
}
