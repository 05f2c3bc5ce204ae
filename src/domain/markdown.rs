//! Markdown becomes HTML: parsed by comrak, with raw HTML shown as text and images as links, then cleaned by
//! ammonia, so that a mistake of the one is caught by the other.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use comrak::nodes::{AstNode, NodeLink, NodeValue};
use comrak::{Arena, Options, format_html, parse_document};

use super::thought::Message;

/// HTML that came out of [`render`]: the one kind of text that a view may print unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeHtml(String);

impl SafeHtml {
    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Renders a message. Never fails: whatever isn't Markdown is text.
pub fn render(message: &Message) -> SafeHtml {
    let options = options();
    let arena = Arena::new();
    let root = parse_document(&arena, message.as_str(), &options);
    // The page's own heading is its h1. Those of a thought stand below it, and none skips a level: who listens to
    // headings must not look for one that isn't there.
    let mut last = 1;
    for node in root.descendants() {
        if let NodeValue::Heading(heading) = &mut node.data_mut().value {
            heading.level = (heading.level + 1).min(last + 1).min(6);
            last = heading.level;
        }
        link_images(node);
    }
    let mut html = String::with_capacity(message.as_str().len() * 2);
    // Writing into a String can't fail; were it to, an empty thought is shown rather than half of one.
    if format_html(root, &options, &mut html).is_err() {
        html.clear();
    }
    SafeHtml(CLEANER.clean(&html).to_string())
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.cjk_friendly_emphasis = true;
    // Raw HTML comes out as the text that was typed.
    options.render.escape = true;
    // A line break that was typed is a line break, as people expect of a short post.
    options.render.hardbreaks = true;
    options
}

/// Makes a link of an image.
fn link_images<'a>(node: &'a AstNode<'a>) {
    let value = &mut node.data_mut().value;
    // A remote image would tell its host who reads what. The link still leads there, on a click.
    if let NodeValue::Image(link) = value {
        let link = NodeLink { url: std::mem::take(&mut link.url), title: std::mem::take(&mut link.title) };
        *value = NodeValue::Link(Box::new(link));
    }
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::empty();
    cleaner
        .tags(HashSet::from([
            "a",
            "blockquote",
            "br",
            "code",
            "del",
            "em",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "input",
            "li",
            "ol",
            "p",
            "pre",
            "strong",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title"])),
            ("code", HashSet::from(["class"])),
            ("input", HashSet::from(["checked", "disabled"])),
            ("ol", HashSet::from(["start"])),
            ("td", HashSet::from(["align"])),
            ("th", HashSet::from(["align"])),
        ]))
        .attribute_filter(|tag, attribute, value| match (tag, attribute) {
            ("code", "class") if !value.starts_with("language-") => None,
            _ => Some(value.into()),
        })
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .set_tag_attribute_value("input", "aria-label", "Task")
        // What may be wider than the page scrolls by itself, by keyboard too.
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("ugc nofollow noopener"));
    cleaner
});

#[cfg(test)]
mod tests {
    use super::*;

    fn html(markdown: &str) -> String {
        render(&Message::parse(markdown).unwrap()).as_str().trim().to_owned()
    }

    #[test]
    fn emphasis_lists_and_code_are_rendered() {
        assert_eq!(html("**b** *i* ~~s~~ `c`"), "<p><strong>b</strong> <em>i</em> <del>s</del> <code>c</code></p>");
        assert_eq!(html("one\ntwo"), "<p>one<br>\ntwo</p>");
        assert!(html("- [x] done").contains(r#"type="checkbox""#));
    }

    #[test]
    fn a_bare_link_becomes_a_link_that_vouches_for_nothing() {
        assert_eq!(
            html("see https://example.org/x"),
            r#"<p>see <a href="https://example.org/x" rel="ugc nofollow noopener">https://example.org/x</a></p>"#
        );
    }

    #[test]
    fn raw_html_is_text() {
        assert_eq!(html("a <b>b</b>"), "<p>a &lt;b&gt;b&lt;/b&gt;</p>");
        assert!(!html("<script>alert(1)</script>").contains("<script"));
        assert!(!html(r#"<div hx-get="/x" hx-trigger="load">"#).contains("<div"));
    }

    #[test]
    fn a_link_can_only_lead_to_the_web_or_to_mail() {
        for markdown in
            ["[x](javascript:alert(1))", "[x](data:text/html,x)", "[x](vbscript:x)", "<javascript:alert(1)>"]
        {
            assert!(!html(markdown).contains("href=\"java"), "{markdown}");
            assert!(!html(markdown).contains("href=\"data"), "{markdown}");
            assert!(!html(markdown).contains("href=\"vb"), "{markdown}");
        }
    }

    #[test]
    fn an_image_becomes_a_link_to_it() {
        let html = html("![a cat](https://example.org/cat.png)");
        assert!(html.contains(r#"<a href="https://example.org/cat.png""#), "{html}");
        assert!(!html.contains("<img"), "{html}");
    }

    #[test]
    fn headings_stand_below_that_of_the_page() {
        assert_eq!(html("# big"), "<h2>big</h2>");
        assert_eq!(html("#### deep\n###### deeper\n# top"), "<h2>deep</h2>\n<h3>deeper</h3>\n<h2>top</h2>");
    }
}
