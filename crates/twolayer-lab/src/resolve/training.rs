//! `[training]`.

use twolayer::problem::{
    Algorithm, Data, Dimension, Duration, Formula, Geometry, Loss, Preprocess, ReuseOrder, Sizes, Training,
};

use super::reader::{NO_SIZES, Reader};

/// The highest dimension: steps and sizes stay whole numbers in f64.
pub const HIGHEST: f64 = 1e15;

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
    let algorithm = match reader.text("training.algorithm").as_deref() {
        Some("gradient-flow") => Algorithm::GradientFlow,
        _ => Algorithm::Sgd,
    };
    let loss = match reader.text("training.loss").as_deref() {
        Some("correlation") => Loss::Correlation,
        _ => Loss::Squared,
    };
    let batch = reader.formula("training.batch");
    let learning_rate = reader.formula("training.learning_rate");
    let steps = reader.formula("training.steps").map(Duration::Steps);
    let duration = reader.formula("training.time").map(Duration::Time).or(steps);
    let sizes = Sizes { d: dimension.as_f64(), p: p as f64, k: k as f64, ..NO_SIZES };
    let weight_decay = reader.value("training.weight_decay", &sizes);
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
        data: Data::Fresh,
        samples: None,
        batch: batch?,
        learning_rate,
        duration: duration?,
        loss,
        weight_decay: weight_decay?,
        geometry: Geometry::Free,
        reuse_order: ReuseOrder::Full,
        repeats: 1,
        displacement: Formula::number(0.0),
        preprocess: Preprocess::None,
    })
}
