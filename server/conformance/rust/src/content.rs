//! Messages made from a seed and an index: the twin of content.go, which has the reasons.

use std::collections::HashMap;

use ring::digest::{Context, SHA256};

use crate::wire::Args;

const BODY_BYTES_MAX: usize = 4 << 20;

struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E3779B97F4A7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D049BB133111EB);
        z ^ (z >> 31)
    }
}

/// A row of messages, numbered from 0, none longer than `bytes_most`.
#[derive(Clone, Copy)]
pub struct Series {
    seed: u64,
    bytes_most: usize,
}

impl Series {
    /// The series that the arguments of a call name.
    pub fn of(args: &Args) -> Series {
        Series { seed: args.number("seed"), bytes_most: args.number("most") }
    }

    fn size(&self, index: u64) -> usize {
        let between = |low: u64, high: u64| (low + self.random(index).next() % (high - low + 1)) as usize;
        let size = match index * 389 % 1000 {
            0 => 1,
            389 => BODY_BYTES_MAX,
            r if r < 10 => between(64 << 10, 1 << 20),
            r if r < 100 => between(4 << 10, 64 << 10),
            _ => between(1, 4 << 10),
        };
        size.min(self.bytes_most)
    }

    pub fn at(&self, index: u64) -> Content {
        let mut random = self.random(index);
        random.next(); // size had this one
        let size = self.size(index);
        let mut body = Vec::with_capacity(size + 8);
        while body.len() < size {
            body.extend_from_slice(&random.next().to_le_bytes());
        }
        body.truncate(size);
        Content {
            body,
            tag: format!("tag-{}", index % 7),
            keys: vec![format!("key-{index}"), format!("row-{}", index % 13)],
            properties: HashMap::from([
                ("seed".into(), self.seed.to_string()),
                ("index".into(), index.to_string()),
                ("note".into(), format!("ø 世界 =&; {index}")),
            ]),
        }
    }

    fn random(&self, index: u64) -> SplitMix {
        SplitMix(SplitMix(self.seed).next() ^ index)
    }
}

pub struct Content {
    pub body: Vec<u8>,
    pub tag: String,
    pub keys: Vec<String>,
    pub properties: HashMap<String, String>,
}

impl Content {
    pub fn fingerprint(&self) -> String {
        let mut rest = format!("\0{}\0{}", self.tag, self.keys.join(" "));
        let mut names: Vec<_> = self.properties.keys().collect();
        names.sort();
        for name in names {
            rest += &format!("\0{name}={}", self.properties[name]);
        }
        let mut hash = Context::new(&SHA256);
        hash.update(&self.body);
        hash.update(rest.as_bytes());
        hex::encode(hash.finish())
    }
}
