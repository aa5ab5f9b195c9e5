//! Puts the gallery's files into the program, so that `twolayer gallery run NAME` needs no checkout.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let gallery = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../gallery");
    println!("cargo:rerun-if-changed={}", gallery.display());
    let mut files = Vec::new();
    for folder in fs::read_dir(&gallery)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        println!("cargo:rerun-if-changed={}", folder.display());
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let part = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                let (Some(folder), Some(file)) = (part(&folder), part(&path)) else { continue };
                files.push((format!("{folder}/{file}"), fs::canonicalize(&path)?));
            }
        }
    }
    files.sort();
    let mut table = String::from("&[\n");
    for (name, path) in files {
        writeln!(table, "    ({name:?}, include_str!({:?})),", path.display().to_string())?;
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("gallery.rs"), table)?;
    Ok(())
}
