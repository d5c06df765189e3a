//! Extracts the article of each file that is named, and counts what came out.

fn main() {
    let mut letters = 0;
    for path in std::env::args().skip(1) {
        let raw = std::fs::read(&path).expect("the file can be read");
        let page = String::from_utf8_lossy(&raw);
        let found = dom_smoothie::Readability::new(page.as_ref(), None, None);
        if let Ok(article) = found.and_then(|mut readability| readability.parse()) {
            letters += article.text_content.len();
        }
    }
    eprintln!("{letters}");
}
