//! Arrays: archives with turned bits, and archives that are whole and hold what they should not.

use std::{
    fs,
    io::{Cursor, Read, Write},
};

use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{Target, reading};
use crate::{
    bench::{Bench, unsealed},
    dice::Dice,
    mutate,
};

pub const TARGET: Target = Target { name: "archive", share: 15_000, short: 100, seconds: 2.0, input, check };

/// The arrays of a view, damaged: nothing but the checksums of 0.1.0 guards them.
fn input(dice: &mut Dice, bench: &Bench) -> Vec<u8> {
    let mut bytes = bench.results[dice.below(bench.results.len())].1.clone();
    if dice.one_in(3) {
        mutate::bytes(dice, &mut bytes);
        return bytes;
    }
    let mut arrays = arrays(bytes);
    for _ in 0..dice.few(3) {
        damage(dice, &mut arrays);
    }
    archive(dice, &arrays)
}

type Arrays = Vec<(String, Vec<u8>)>;

fn arrays(bytes: Vec<u8>) -> Arrays {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut entry = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.name().unwrap().to_string(), content)
        })
        .collect()
}

fn archive(dice: &mut Dice, arrays: &Arrays) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let method = if dice.one_in(8) { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    for (name, content) in arrays {
        // Of a name that is there already the archive has one.
        if archive.start_file(name, SimpleFileOptions::default().compression_method(method)).is_ok() {
            archive.write_all(content).unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

const NUMBERS: [f64; 8] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e308, -1e-320, 1e18];

fn damage(dice: &mut Dice, arrays: &mut Arrays) {
    let at = dice.below(arrays.len());
    let other = arrays[dice.below(arrays.len())].1.clone();
    let (name, content) = &mut arrays[at];
    let header = (10 + usize::from(u16::from_le_bytes([content[8], content[9]]))).min(content.len());
    match dice.below(10) {
        0 => name.insert(0, 'x'),
        1 => *content = other,
        2 => mutate::bytes(dice, content),
        3 => {
            let mut head = content[10..header].to_vec();
            mutate::bytes(dice, &mut head);
            content.splice(10..header, head);
        }
        4 => shape(dice, content, header),
        5 => content.truncate(header),
        _ => {
            let all = dice.one_in(4);
            let value = NUMBERS[dice.below(NUMBERS.len())];
            for number in content[header..].chunks_exact_mut(8) {
                if all || dice.one_in(8) {
                    number.copy_from_slice(&value.to_le_bytes());
                }
            }
        }
    }
    // What is next must find a header.
    if arrays[at].1.len() < 16 {
        arrays[at].1.resize(16, 0);
    }
}

/// Another shape, in as many characters.
fn shape(dice: &mut Dice, content: &mut [u8], header: usize) {
    let digits: Vec<usize> = (10..header).filter(|at| content[*at].is_ascii_digit()).collect();
    if !digits.is_empty() {
        content[digits[dice.below(digits.len())]] = b"0123456789- ,()"[dice.below(15)];
    }
}

fn check(input: &[u8], bench: &Bench) -> Result<(), String> {
    let manifest = unsealed(&bench.manifest).to_string();
    let out = bench.lay_out(manifest.as_bytes());
    for (name, whole) in &bench.results {
        fs::write(out.join(name), input).unwrap();
        reading::read(&out, reading::one_in(4, input));
        fs::write(out.join(name), whole).unwrap();
    }
    Ok(())
}
