//! What the load program was told to do.

use crate::soak;
use crate::work::Work;
use std::path::PathBuf;

/// What takes longer than a figure.
#[derive(Clone, Copy)]
pub enum Course {
    Growth,
    Overload,
    Soak,
}

/// The command line.
pub struct Options {
    pub works: Vec<Work>,
    /// A longer course instead of works.
    pub course: Option<Course>,
    /// How long a soak takes.
    pub minutes: u64,
    pub connections: Vec<usize>,
    pub stores: Vec<String>,
    /// Requests due a second; closed loop when absent.
    pub rate: Option<f64>,
    pub seconds: f64,
    pub samples: usize,
    /// Records in the log before anything is measured.
    pub records: usize,
    /// Where `load.json` and `load.html` go.
    pub out: PathBuf,
}

impl Options {
    pub fn of(mut words: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            works: Vec::new(),
            course: None,
            minutes: soak::MINUTES,
            connections: vec![1, 32, 256],
            stores: vec!["sqlite".to_owned()],
            rate: None,
            seconds: 5.0,
            samples: 1,
            records: 0,
            out: PathBuf::from("target/load"),
        };
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .unwrap_or_else(|| panic!("{word} needs a value"))
            };
            match word.as_str() {
                "--connections" => options.connections = list(&value()),
                "--stores" => options.stores = list(&value()),
                "--rate" => options.rate = value().parse().ok(),
                "--seconds" => options.seconds = value().parse().unwrap(),
                "--samples" => options.samples = value().parse().unwrap(),
                "--records" => options.records = value().parse().unwrap(),
                "--out" => options.out = value().into(),
                // What cargo adds.
                "--bench" => {}
                "--minutes" => options.minutes = value().parse().unwrap(),
                "growth" => options.course = Some(Course::Growth),
                "overload" => options.course = Some(Course::Overload),
                "soak" => options.course = Some(Course::Soak),
                name => match Work::of(name) {
                    Some(work) => options.works.push(work),
                    None => panic!("{name} is none of {}", Work::NAMES.join(", ")),
                },
            }
        }
        if options.works.is_empty() {
            options.works = Work::ALL.to_vec();
        }
        options
    }
}

fn list<T: std::str::FromStr>(words: &str) -> Vec<T> {
    let one = |word: &str| word.parse().unwrap_or_else(|_| panic!("{word}?"));
    words.split(',').map(one).collect()
}
