//! Where a field stands in a resource.

use std::fmt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a field of an object.
    Field(String),
    /// Into an entry of a list.
    Index(usize),
}

/// The way from a resource to a field of it; no step is the resource itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// A path that is written out: `spec.routes[0].matchers[1]`, `spec.annotations[summary]`.
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (key, behind) = inner.split_once(']').unwrap_or((inner, ""));
                steps.push(
                    key.parse()
                        .map_or_else(|_| Step::Field(key.to_owned()), Step::Index),
                );
                rest = behind;
            } else {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let (name, behind) = name.split_at(end);
                if !name.is_empty() {
                    steps.push(Step::Field(name.to_owned()));
                } else if behind.len() == rest.len() {
                    break;
                }
                rest = behind;
            }
        }
        Self(steps)
    }

    /// The path of a field of what this one leads to.
    #[must_use]
    pub fn field(&self, name: impl Into<String>) -> Self {
        self.with(Step::Field(name.into()))
    }

    /// The path of an entry of the list that this one leads to.
    #[must_use]
    pub fn index(&self, at: usize) -> Self {
        self.with(Step::Index(at))
    }

    /// The path one step on.
    #[must_use]
    pub fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The path that goes on as another does.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self([self.0.as_slice(), &other.0].concat())
    }

    /// The steps, the first one first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this leads to what another one leads to, or into it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl From<Vec<Step>> for Path {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(at) => write!(f, "[{at}]")?,
                // A key that holds a dot or a bracket would read as several steps.
                Step::Field(name) if name.is_empty() || name.contains(['.', '[', ']', '/']) => {
                    write!(f, "[{name}]")?;
                }
                Step::Field(name) if i == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_what_refusals_and_it_itself_write() {
        for (text, steps, said) in [
            ("spec.query", 2, "spec.query"),
            ("spec.routes[0].matchers[12]", 5, "spec.routes[0].matchers[12]"),
            ("spec.annotations[summary]", 3, "spec.annotations.summary"),
            (
                "metadata.annotations[a.b/c-d]",
                3,
                "metadata.annotations[a.b/c-d]",
            ),
            (".matchers", 1, "matchers"),
            ("", 0, ""),
            ("spec..a", 2, "spec.a"),
            ("spec[", 2, "spec[]"),
        ] {
            let path = Path::parse(text);
            assert_eq!(
                (path.steps().len(), path.to_string().as_str()),
                (steps, said),
                "{text}"
            );
            assert_eq!(Path::parse(&path.to_string()), path, "{text}");
        }
        let spec = Path::parse("spec");
        assert!(Path::parse("spec.a").is_within(&spec) && !Path::parse("special").is_within(&spec));
    }
}
