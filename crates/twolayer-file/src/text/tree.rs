//! The TOML as a tree in which every key and value knows its bytes in the file.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its bytes in the file; of a `[section]`, its header.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string, escapes resolved.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number, whole numbers beyond 64 bits included.
    Float(f64),
    /// true or false.
    Switch(bool),
    /// A date or a time, which no key takes.
    Date,
    /// […], or the tables of `[[…]]`.
    Array(Vec<Node>),
    /// {…}, or what follows a header.
    Table(Table),
}

/// A table, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table(pub Vec<Entry>);

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its bytes in the file.
    pub at: Range<usize>,
    /// The value.
    pub node: Node,
}

impl Node {
    fn new(node: &Spanned<DeValue<'_>>) -> Self {
        let value = match node.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(value) => Value::Integer(value),
                Err(_) => Value::Float(integer.as_str().parse().unwrap_or(f64::NAN)),
            },
            DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(switch) => Value::Switch(*switch),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Array(items) => Value::Array(items.iter().map(Self::new).collect()),
            DeValue::Table(table) => Value::Table(Table::new(table)),
        };
        Self { span: node.span(), value }
    }

    /// The value that `text` stands for, its bytes counted in `text`.
    ///
    /// # Errors
    /// TOML syntax.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        Ok(Self::new(&DeValue::parse(text)?))
    }

    /// The same value, standing `bytes` further on in the text.
    pub fn shifted(mut self, bytes: usize) -> Self {
        let shift = |span: &Range<usize>| span.start + bytes..span.end + bytes;
        self.span = shift(&self.span);
        self.value = match self.value {
            Value::Array(items) => Value::Array(items.into_iter().map(|item| item.shifted(bytes)).collect()),
            Value::Table(table) => {
                let entry = |e: Entry| Entry { at: shift(&e.at), node: e.node.shifted(bytes), key: e.key };
                Value::Table(Table(table.0.into_iter().map(entry).collect()))
            }
            plain => plain,
        };
        self
    }

    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Integer(integer) => Some(integer as f64),
            Value::Float(float) => Some(float),
            _ => None,
        }
    }

    /// The whole number ≥ 0, if it is one; `16.0` counts.
    pub fn whole(&self) -> Option<u64> {
        match self.value {
            Value::Integer(integer) => u64::try_from(integer).ok(),
            Value::Float(float) => {
                (float >= 0.0 && float < 2f64.powi(53) && float.fract() == 0.0).then_some(float as u64)
            }
            _ => None,
        }
    }

    /// The switch, if it is one.
    pub fn switch(&self) -> Option<bool> {
        match self.value {
            Value::Switch(switch) => Some(switch),
            _ => None,
        }
    }

    /// The items, if it is an array.
    pub fn array(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The numbers, if it is an array of nothing else.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.array()?.iter().map(Self::number).collect()
    }

    /// The rows, if it is an array of at least one array of numbers, all of one length ≥ 1.
    pub fn matrix(&self) -> Option<Vec<Vec<f64>>> {
        let rows: Vec<Vec<f64>> = self.array()?.iter().map(Self::numbers).collect::<Option<_>>()?;
        let columns = rows.first()?.len();
        (columns > 0 && rows.iter().all(|row| row.len() == columns)).then_some(rows)
    }

    /// What it is, for "expected …, found …".
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the string {text:?}"),
            Value::Integer(integer) => format!("the number {integer}"),
            Value::Float(float) => format!("the number {float}"),
            Value::Switch(switch) => switch.to_string(),
            Value::Date => "a date".into(),
            Value::Array(_) => "an array".into(),
            Value::Table(_) => "a table".into(),
        }
    }
}

impl Table {
    /// The tree of a parsed document.
    pub fn new(table: &DeTable<'_>) -> Self {
        let entry = |(key, node): (&Spanned<_>, _)| {
            let key: &Spanned<std::borrow::Cow<'_, str>> = key;
            Entry { key: key.get_ref().to_string(), at: key.span(), node: Node::new(node) }
        };
        Self(table.iter().map(entry).collect())
    }

    /// The entry at a dotted path.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        let (first, rest) = split(path);
        let entry = self.0.iter().find(|entry| entry.key == first)?;
        match rest {
            Some(rest) => entry.node.table()?.get(rest),
            None => Some(entry),
        }
    }

    /// The entry at a dotted path, to be changed.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut Entry> {
        let (first, rest) = split(path);
        let entry = self.0.iter_mut().find(|entry| entry.key == first)?;
        match rest {
            None => Some(entry),
            Some(rest) => match &mut entry.node.value {
                Value::Table(table) => table.get_mut(rest),
                _ => None,
            },
        }
    }

    /// Puts `node`, whose key stands at `at`, at a dotted path, whatever was there; tables on the way are made.
    pub fn set(&mut self, path: &str, at: Range<usize>, node: Node) {
        let (first, rest) = split(path);
        let index = self.0.iter().position(|entry| entry.key == first).unwrap_or_else(|| {
            let empty = Node { span: at.clone(), value: Value::Table(Self::default()) };
            self.0.push(Entry { key: first.into(), at: at.clone(), node: empty });
            self.0.len() - 1
        });
        let entry = &mut self.0[index];
        match rest {
            None => *entry = Entry { key: first.into(), at, node },
            Some(rest) => {
                if let Value::Table(table) = &mut entry.node.value {
                    table.set(rest, at, node);
                } else {
                    let mut table = Self::default();
                    table.set(rest, at.clone(), node);
                    *entry = Entry {
                        key: first.into(),
                        at: at.clone(),
                        node: Node { span: at, value: Value::Table(table) },
                    };
                }
            }
        }
    }

    /// Removes the entry at a dotted path, if there is one.
    pub fn remove(&mut self, path: &str) {
        match path.rsplit_once('.') {
            None => self.0.retain(|entry| entry.key != path),
            Some((parent, last)) => {
                if let Some(Entry { node: Node { value: Value::Table(table), .. }, .. }) = self.get_mut(parent) {
                    table.remove(last);
                }
            }
        }
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)))
}
