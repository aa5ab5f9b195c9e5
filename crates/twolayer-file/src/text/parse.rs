//! From TOML to a checked [`Spec`].

use toml::de::DeTable;

use super::{check, keys, overrides::spell_out, settings, spec::Spec, tree::Table};
use crate::diagnostic::{Diagnostic, Severity, Source};

impl Spec {
    /// Reads TOML and checks its keys and their types; `settings` are those that stand behind the file in `source`.
    ///
    /// # Errors
    /// Every fault that can be seen without working anything out: TOML syntax (then it is the only one), unknown
    /// sections and keys, values of the wrong type, keys that this version has no engine for.
    pub fn parse(source: &Source<'_>, settings: &[String]) -> Result<Self, Vec<Diagnostic>> {
        let document = DeTable::parse(&source.text[..source.file]).map_err(|error| vec![syntax(source, &error)])?;
        let mut root = Table::new(document.get_ref());
        let mut faults = check::check(source, &root).err().unwrap_or_default();
        keys::KEYS.iter().for_each(|key| spell_out(&mut root, key.path));
        let default_views = root.get("view").is_none();
        let mut spec = Self { root, axes: Vec::new(), default_views };
        let settings = settings::read(source, settings).unwrap_or_else(|wrong| {
            faults.extend(wrong);
            Vec::new()
        });
        faults.extend(settings.iter().flat_map(|setting| spec.check_setting(source, setting, false)));
        if faults.is_empty() {
            settings.iter().for_each(|setting| spec.set(setting));
        }
        match spec.axes(source, &settings) {
            Ok(axes) => spec.axes = axes,
            Err(wrong) => faults.extend(wrong),
        }
        if faults.is_empty() { Ok(spec) } else { Err(faults) }
    }
}

fn syntax(source: &Source<'_>, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let remedy = "see https://toml.io for how keys, strings and tables are written";
    source.diagnostic(Severity::Error, span, format!("this is not TOML: {}", error.message()), remedy)
}
