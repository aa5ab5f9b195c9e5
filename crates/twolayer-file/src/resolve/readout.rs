//! `[readout]`.

use twolayer::problem::{Readout, ReadoutData, ReadoutSource, Sizes};

use super::reader::Reader;

/// Ridge regression on the features, at these sizes.
pub fn resolve(reader: &mut Reader<'_>, sizes: &Sizes) -> Option<Readout> {
    let data = match reader.choice("readout.data")? {
        ReadoutSource::Same => {
            if reader.has("readout.samples") {
                let reason = "`data = \"same\"` fits to the batch of the step just made, whose size is training.batch";
                reader.fault("readout.samples", reason, "remove the line, or write data = \"fresh\"");
                return None;
            }
            ReadoutData::Same
        }
        ReadoutSource::Fresh => ReadoutData::Fresh(reader.formulas("readout.samples")?),
    };
    let ridge = reader.formulas("readout.ridge")?.iter().map(|ridge| ridge.value(sizes)).collect();
    let at = reader.choice("readout.at")?;
    let test_samples = usize::try_from(reader.whole("readout.test_samples")?).ok()?;
    let bounds = reader.switch("readout.bounds");
    let readout = Readout { data, ridge, at, test_samples, bounds };
    // A dimension that is infinite has no samples to count.
    if sizes.d.is_finite() {
        let samples = readout.samples(sizes);
        reader.accept("readout", samples)?;
    }
    Some(readout)
}
