//! Through which API rules go, and when that changes: decided from what is wished, what there is, and what was before.

use crate::grafana::api::Why;

/// One of the two APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Goes on from here with what is known now. Nothing has to be told the first time. Without any API it stays where it is: there is nothing to go to.
    pub(super) fn choose(self, known: Known) -> Self {
        let to = if known.is_wanted() && known.is_usable {
            Door::Platform
        } else {
            Door::Provisioning
        };
        let why = match to {
            Door::Platform if known.is_asked => Why::Asked,
            Door::Platform => Why::Gone,
            Door::Provisioning if known.is_asked => Why::Unusable,
            Door::Provisioning => Why::NotAsked,
        };
        let is_nowhere = known.is_gone && !known.is_usable;
        match self.in_use {
            Some(before) if before == to || is_nowhere => Self {
                switch: self.switch.filter(|switch| switch.is_made),
                ..self
            },
            Some(_) => Self {
                switch: Some(Switch {
                    to,
                    why,
                    is_made: false,
                }),
                ..self
            },
            None => Self {
                in_use: Some(to),
                switch: None,
            },
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

    const LOST: Known = Known {
        is_asked: true,
        ..NOTHING
    };

    fn due(to: Door, why: Why) -> Switch {
        Switch {
            to,
            why,
            is_made: false,
        }
    }

    const fn through(door: Door) -> Course {
        Course {
            in_use: Some(door),
            switch: None,
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
            assert_eq!(Course::default().choose(known), through(door));
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
                Why::NotAsked,
            ),
            (Door::Platform, NOTHING, Door::Provisioning, Why::NotAsked),
            (Door::Platform, LOST, Door::Provisioning, Why::Unusable),
        ] {
            let course = through(from).choose(known);
            assert_eq!((course.in_use, course.switch), (Some(from), Some(due(to, why))));
            assert_eq!(course.choose(known), course, "another look changes nothing");
            assert_eq!(course.listed(), course, "what is read before it says nothing");
            let made = course.make_switch();
            assert_eq!(made.in_use, Some(to));
            assert!(made.switch.is_some_and(|switch| switch.is_made));
            assert_eq!(made.choose(known), made);
            assert_eq!(made.listed(), through(to));
        }
    }

    #[test]
    fn a_change_that_is_taken_back_before_it_is_made_never_was() {
        let course = through(Door::Provisioning).choose(ASKED);
        assert_eq!(course.choose(NOTHING), through(Door::Provisioning));
    }

    #[test]
    fn where_there_is_no_api_at_all_rules_go_nowhere_else() {
        for known in [
            Known {
                is_usable: false,
                ..GONE
            },
            Known {
                is_gone: true,
                ..LOST
            },
        ] {
            for door in [Door::Provisioning, Door::Platform] {
                assert_eq!(through(door).choose(known), through(door));
            }
        }
    }
}
