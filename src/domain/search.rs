//! Searching: which words a text has, and whether they are those that are looked for.
//!
//! A text and a query are brought to one spelling (compatibility characters, case and accents make no difference:
//! NFKD and default case folding, Unicode Standard, section 3.13, D146), and cut where letters end. Scripts that put no
//! spaces between words are cut into pairs of letters that stand side by side (bigrams), which is what the indexes of
//! such languages are made of; so no dictionary is needed, and every language is searched in the same way.

use caseless::Caseless as _;
use memchr::memmem;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_script::Script::{Bopomofo, Han, Hangul, Hiragana, Katakana, Khmer, Lao, Myanmar, Thai};
use unicode_script::{Script, UnicodeScript as _};

/// The scripts that are cut into pairs of letters.
const WITHOUT_SPACES: [Script; 9] = [Han, Hiragana, Katakana, Hangul, Bopomofo, Thai, Lao, Khmer, Myanmar];

/// Letters of a word that count; what comes behind them is left out.
const LETTERS: usize = 64;

/// The words of a text, each once and in the order of their bytes, of which a store makes its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Each between line feeds, so that all of them are gone through in one go.
    lines: Box<str>,
}

impl Words {
    /// Bytes that the words of one text have at most. The rest of a text of nothing but rare words is not found by them:
    /// what a text costs an index has a bound.
    pub const MAX_BYTES: usize = 128 * 1024;

    /// The words of a text.
    pub fn of(text: &str) -> Self {
        let mut bytes = 0;
        let words = pieces(text).into_iter().flat_map(|piece| piece.words());
        let mut words: Vec<_> = words
            .take_while(|word| {
                bytes += word.len() + 1;
                bytes <= Self::MAX_BYTES
            })
            .collect();
        words.sort_unstable();
        words.dedup();
        Self { lines: ["\n", &words.join("\n"), "\n"].concat().into() }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.split('\n').filter(|word| !word.is_empty())
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.lines.len()
    }
}

/// What is looked for: texts that have all of its terms. It has at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

/// A word that is looked for, or what words begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Between line feeds, as in [`Words`], where the whole of the word is meant; else with one before it.
    line: String,
}

impl Query {
    /// Characters of what was typed that count.
    pub const MAX_CHARS: usize = 200;

    /// Terms that count.
    const MAX_TERMS: usize = 16;

    /// What somebody has typed; `None` where there is no word in it.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed: String = typed.chars().take(Self::MAX_CHARS).collect();
        let mut terms: Vec<Term> = Vec::new();
        for term in pieces(&typed).iter().flat_map(Piece::terms) {
            if terms.len() < Self::MAX_TERMS && !terms.contains(&term) {
                terms.push(term);
            }
        }
        // What is longest is rarest, more often than not: whoever goes through them is soon done.
        terms.sort_by_key(|term| std::cmp::Reverse(term.text().len()));
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// The terms, all of which a text must have.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether these words have all of it.
    pub fn is_in(&self, words: &Words) -> bool {
        self.terms.iter().all(|term| memmem::find(words.lines.as_bytes(), term.line.as_bytes()).is_some())
    }
}

impl Term {
    fn new(text: &str, whole: bool) -> Self {
        Self { line: ["\n", text, if whole { "\n" } else { "" }].concat() }
    }

    /// The word, or its beginning.
    pub fn text(&self) -> &str {
        self.line.trim_matches('\n')
    }

    /// Whether the whole of a word is meant, and not its beginning alone.
    pub fn is_whole(&self) -> bool {
        self.line.ends_with('\n')
    }
}

/// Letters that stand together.
enum Piece {
    /// A word.
    Word(String),
    /// Words without spaces between them.
    Run(Vec<char>),
}

impl Piece {
    /// What a text with it is found by. The last letter of a run stands alone, so that each letter begins something.
    fn words(&self) -> Vec<String> {
        match self {
            Self::Word(word) => vec![word.clone()],
            Self::Run(letters) => {
                let last = letters.last().map(char::to_string);
                letters.windows(2).map(String::from_iter).chain(last).collect()
            }
        }
    }

    /// What it is looked for by: a word by its beginning, so that *thought* finds *thoughts*, but one letter alone would
    /// find nearly everything.
    fn terms(&self) -> Vec<Term> {
        match self {
            Self::Word(word) => vec![Term::new(word, word.chars().count() == 1)],
            Self::Run(letters) if letters.len() == 1 => vec![Term::new(&String::from_iter(letters), false)],
            Self::Run(letters) => letters.windows(2).map(|pair| Term::new(&String::from_iter(pair), true)).collect(),
        }
    }
}

/// The words and runs of a text, in its order and in the one spelling.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open = None;
    for letter in folded(text).chars() {
        open = match (open, in_run(letter)) {
            (Some(Piece::Run(mut run)), Some(true)) => {
                run.push(letter);
                Some(Piece::Run(run))
            }
            (Some(Piece::Word(mut word)), Some(false)) => {
                word.push(letter);
                Some(Piece::Word(word))
            }
            // A mark belongs to the letter before it.
            (Some(Piece::Run(mut run)), Some(false)) if is_combining_mark(letter) => {
                run.push(letter);
                Some(Piece::Run(run))
            }
            (before, begins) => {
                pieces.extend(before);
                begins.map(|run| if run { Piece::Run(vec![letter]) } else { Piece::Word(letter.to_string()) })
            }
        };
    }
    pieces.extend(open);
    for piece in &mut pieces {
        if let Piece::Word(word) = piece
            && let Some((end, _)) = word.char_indices().nth(LETTERS)
        {
            word.truncate(end);
        }
    }
    pieces
}

/// A text in the one spelling.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        // The same, and sooner.
        return text.to_ascii_lowercase();
    }
    text.chars().nfkd().default_case_fold().nfkd().filter(|letter| !is_left_out(*letter)).nfc().collect()
}

/// Accents, which are typed by some and not by others, and what is not seen: joiners, soft hyphens, variation selectors.
fn is_left_out(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Whether a letter belongs to a run rather than to a word; `None` for what is no letter, digit or mark.
fn in_run(letter: char) -> Option<bool> {
    if letter.is_ascii() {
        return letter.is_ascii_alphanumeric().then_some(false);
    }
    if !letter.is_alphanumeric() && !is_combining_mark(letter) {
        return None;
    }
    let scripts = letter.script_extension();
    let shared = scripts.is_common() || scripts.is_inherited();
    Some(!shared && WITHOUT_SPACES.iter().any(|script| scripts.contains_script(*script)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, text: &str) -> bool {
        Query::parse(query).unwrap_or_else(|| panic!("no words in {query:?}")).is_in(&Words::of(text))
    }

    #[test]
    fn a_text_is_found_by_all_of_the_words_in_any_order() {
        let text = "The quick brown fox jumps over the lazy dog.";
        assert!(finds("fox", text) && finds("dog QUICK", text) && finds("“brown” (fox)!", text));
        assert!(!finds("fox cat", text) && !finds("rown", text) && !finds("foxes", text));
    }

    #[test]
    fn a_word_is_found_by_its_beginning_but_not_by_one_letter() {
        assert!(finds("thought", "Thoughts, shared") && finds("th", "Thoughts, shared"));
        assert!(!finds("t", "Thoughts, shared") && finds("t", "model T"));
    }

    #[test]
    fn case_accents_and_width_make_no_difference() {
        for (query, text) in [
            ("cafe", "Café"),
            ("CAFÉ", "cafe\u{301}"),
            ("strasse", "Straße"),
            ("οδοσ", "ὈΔΌΣ"),
            ("fi", "ﬁsh"),
            ("abc", "ＡＢＣ"),
            ("カタカナ", "ｶﾀｶﾅ"),
            ("нарёк", "НАРЕК"),
            ("soft", "so\u{ad}ft"),
        ] {
            assert!(finds(query, text), "{query} in {text}");
        }
    }

    #[test]
    fn what_is_written_without_spaces_is_found_in_the_middle() {
        for (query, text) in [
            ("東京", "昨日は東京都に行きました"),
            ("京", "昨日は東京都に行きました"),
            ("た", "昨日は東京都に行きました"),
            ("行きました", "昨日は東京都に行きました"),
            ("北京大学", "我在北京大学学习"),
            ("コーヒー", "朝のコーヒーが好き"),
            ("한국", "대한민국과 한국어를"),
            ("민국", "대한민국과"),
            ("ภาษา", "ฉันพูดภาษาไทย"),
            ("rust 言語", "プログラミング言語Rust"),
        ] {
            assert!(finds(query, text), "{query} in {text}");
        }
        assert!(!finds("東北", "東京都と北海道") && !finds("学校", "大学"));
    }

    #[test]
    fn every_script_with_spaces_is_cut_at_them() {
        for (query, text) in [
            ("мысли", "Мои Мысли здесь"),
            ("अनुभव", "मेरा अनुभव यह है"),
            ("فكرة", "هذه فكرة جديدة"),
            ("רעיון", "זה רעיון חדש"),
            ("ιδέα", "Μια ΙΔΈΑ"),
            ("example", "see https://example.org/a_b?c=d"),
            ("b", "see https://example.org/a_b?c=d"),
            ("2026", "on 2026-11-28"),
        ] {
            assert!(finds(query, text), "{query} in {text}");
        }
    }

    #[test]
    fn what_has_no_word_is_no_query_and_no_words() {
        for text in ["", " ", "!?", "🎉", "\n", "\u{301}"] {
            assert_eq!(Query::parse(text), None, "{text:?}");
            assert_eq!(Words::of(text).iter().count(), 0, "{text:?}");
        }
    }

    #[test]
    fn words_come_once_and_in_order() {
        let words = Words::of("b a B, 東京 a");
        assert_eq!(words.iter().collect::<Vec<_>>(), ["a", "b", "京", "東京"]);
    }

    #[test]
    fn what_a_text_and_a_query_cost_has_a_bound() {
        let many = (0..300_000 / 7).map(|number| format!("{number:06}")).collect::<Vec<_>>().join(" ");
        let (words, long) = (Words::of(&many), "x".repeat(10_000));
        assert!(words.bytes() <= Words::MAX_BYTES + 2, "{}", words.bytes());
        assert!(finds("000000", &many) && finds(&long, &format!("{long}y")));
        assert!(Query::parse(&many).unwrap().terms().len() <= Query::MAX_TERMS);
        let without_spaces = "ខ្មែរ".repeat(10_000);
        assert!(finds("ខ្មែ", &without_spaces) && Words::of(&without_spaces).bytes() <= Words::MAX_BYTES);
    }

    #[test]
    fn ascii_is_cut_like_everything_else() {
        let ascii: String = (0..128_u8).map(char::from).collect();
        let text = format!("{ascii} It's 3.14 at EXAMPLE.org/~Ann_B?c=d&e");
        // Which says "e" already.
        assert_eq!(Words::of(&format!("{text} é")), Words::of(&text));
        assert!(Words::of(&text).iter().count() > 10);
    }

    #[test]
    fn whatever_is_typed_finds_itself() {
        for text in
            ["a\u{0}b", "\u{10ffff}x", "e\u{301}\u{301}", "ก็", "ㄅㄆ", "𝔘𝔫𝔦", "İstanbul", "ǅ", "ﷺ", "x\u{200d}y"]
        {
            assert!(Query::parse(text).is_none_or(|query| query.is_in(&Words::of(text))), "{text:?}");
        }
    }
}
