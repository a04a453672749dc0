//! A page of HTML that needs nothing else, as an SVG: a browser shows the page itself in it.

use super::escaped;

/// The page in a picture of this size. `None` where it isn't a page with a style and a body, or not well-formed enough to tell.
pub fn page(title: &str, html: &str, width: usize, height: usize) -> Option<String> {
    let between = |from: &str, to: &str| {
        let (_, rest) = html.split_once(from)?;
        Some(rest.split_once(to)?.0)
    };
    let (style, body) = (between("<style>", "</style>")?, between("<body>", "</body>")?);
    // What is said of the page's pictures is not said of this one.
    let style = style
        .replace("}svg{", "}body svg{")
        .replace("}svg ", "}body svg ");
    let title = escaped(title);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title>\n<style>{}\nbody{{box-sizing:border-box;height:{height}px;overflow:hidden;border:1px solid var(--line);border-radius:9px}}</style>\n\
         <foreignObject width=\"{width}\" height=\"{height}\"><body xmlns=\"http://www.w3.org/1999/xhtml\">{}</body></foreignObject>\n</svg>\n",
        style.replace('&', "&amp;").replace('<', "&lt;"),
        body.replace("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_in_its_picture_and_its_style_is_said_of_the_page_alone() {
        let html = "<html><head><style>p{a:b}svg{width:100%}svg text{fill:red}</style></head><body><p>x</p><svg role=\"img\"></svg></body></html>";
        let svg = page("A \"page\"", html, 10, 20).unwrap();
        assert!(
            svg.contains("<p>x</p><svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">"),
            "{svg}"
        );
        assert!(
            svg.contains("p{a:b}body svg{width:100%}body svg text{fill:red}"),
            "{svg}"
        );
        assert!(svg.contains("aria-label=\"A &quot;page&quot;\""), "{svg}");
        assert_eq!(page("", "<p>no page</p>", 1, 1), None);
    }
}
