//! Lines of the protocol: URL query strings.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use percent_encoding::{percent_decode_str, utf8_percent_encode, NON_ALPHANUMERIC};

/// A line coming in.
pub struct Args(HashMap<String, String>);

impl Args {
    pub fn parse(line: &str) -> Args {
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = line.split('&').filter_map(|pair| pair.split_once('='));
        Args(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A number, or 0.
    pub fn number<T: FromStr + Default>(&self, name: &str) -> T {
        self.text(name).parse().unwrap_or_default()
    }

    /// The arguments whose names begin with `prefix`, without it.
    pub fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

/// A line going out.
#[derive(Default)]
pub struct Answer(String);

impl Answer {
    pub fn add(mut self, name: &str, value: impl Display) -> Answer {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0 += name;
        self.0.push('=');
        self.0.extend(utf8_percent_encode(&value.to_string(), NON_ALPHANUMERIC));
        self
    }

    pub fn line(self) -> String {
        self.0
    }
}
