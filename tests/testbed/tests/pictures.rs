//! The pictures that are drawn by code are as they would be drawn now, and what they say of the sources is true.

use std::fs;

use alertwright_testbed::picture::{ARROWS, BOXES, drawn, folder, root};

#[test]
fn pictures_are_as_they_would_be_drawn_now() {
    let all = drawn().expect("pictures");
    assert!(all.len() > 4, "{all:?}");
    for (name, now) in all {
        let kept = fs::read_to_string(folder().join(&name)).unwrap_or_default();
        assert!(kept == now, "{name} is out of date: make drawings writes it");
    }
}

#[test]
fn each_part_of_the_architecture_is_a_module_and_each_arrow_stands_in_the_sources() {
    let src = root().join("src");
    for (name, module, ..) in BOXES {
        assert!(src.join(module).exists(), "{name}: there is no src/{module}");
    }
    for (_, file, line) in ARROWS {
        let text = fs::read_to_string(src.join(file)).unwrap_or_default();
        assert!(text.contains(line), "an arrow: src/{file} doesn't say {line:?}");
    }
}

#[test]
fn pictures_are_small() {
    for (at, most) in [(folder(), 60_000), (folder().join("site"), 150_000)] {
        for entry in fs::read_dir(at).expect("pictures") {
            let entry = entry.expect("an entry");
            let bytes = entry.metadata().expect("a file").len();
            assert!(bytes < most, "{}: {bytes} bytes", entry.path().display());
        }
    }
}
