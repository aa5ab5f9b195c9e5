//! `[training]`.

use twolayer::problem::{Algorithm, Dimension, DisplacementOf, Duration, Sizes, Training};

use super::reader::{NO_SIZES, Reader};

/// The highest dimension: steps and sizes stay whole numbers in f64.
pub const HIGHEST: f64 = 1e15;

/// How often a batch may be used in a row.
const MOST_REPEATS: f64 = 1e6;

/// d as the tree says, infinite included.
pub fn dimension(reader: &mut Reader<'_>) -> Option<Dimension> {
    let path = "training.dimension";
    if reader.says_infinite(path) {
        return Some(Dimension::Infinite);
    }
    reader.size(path, &NO_SIZES, HIGHEST).map(Dimension::Finite)
}

/// How the network of p neurons is trained in dimension `dimension` on a target of k directions.
pub fn resolve(reader: &mut Reader<'_>, dimension: Dimension, p: usize, k: usize) -> Option<Training> {
    let algorithm = reader.choice("training.algorithm")?;
    let loss = reader.choice("training.loss")?;
    let data = reader.choice("training.data")?;
    let reuse_order = reader.choice("training.reuse_order")?;
    let geometry = reader.choice("training.geometry")?;
    let preprocess = reader.choice("training.preprocess")?;
    let samples = reader.formula("training.samples");
    let displacement = reader.formula("training.displacement");
    let path = "training.displacement_of";
    let displacement_of = if reader.has(path) { reader.choice(path)? } else { DisplacementOf::Batch };
    let batch = reader.formula("training.batch");
    let learning_rate = reader.formula("training.learning_rate");
    let steps = reader.formula("training.steps").map(Duration::Steps);
    let duration = reader.formula("training.time").map(Duration::Time).or(steps);
    let sizes = Sizes { d: dimension.as_f64(), p: p as f64, k: k as f64, ..NO_SIZES };
    let weight_decay = reader.value("training.weight_decay", &sizes);
    let repeats = reader.size("training.repeats", &sizes, MOST_REPEATS);
    if algorithm == Algorithm::GradientFlow {
        if reader.has("training.batch") {
            let remedy = "remove batch and learning_rate, or use algorithm = \"sgd\"";
            reader.fault("training.batch", "a gradient flow has no batch", remedy);
        }
        if reader.has("training.steps") {
            reader.fault("training.steps", "a gradient flow has no steps", "write time = … instead");
        }
    }
    Some(Training {
        algorithm,
        dimension,
        data,
        samples,
        batch: batch?,
        learning_rate,
        duration: duration?,
        loss,
        weight_decay: weight_decay?,
        geometry,
        reuse_order,
        repeats: repeats?,
        displacement: displacement?,
        displacement_of,
        preprocess,
    })
}
