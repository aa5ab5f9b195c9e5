//! `[training]` and `[record]`.

use twolayer::{
    problem::{
        Algorithm, Data, Dimension, Duration, Geometry, Loss, Preprocess, Record, ReuseOrder, Sizes, Spacing, Training,
    },
    trajectory::KeepQ,
};

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
    let algorithm = match reader.text("training.algorithm").as_deref() {
        Some("gradient-flow") => Algorithm::GradientFlow,
        _ => Algorithm::Sgd,
    };
    let loss = match reader.text("training.loss").as_deref() {
        Some("correlation") => Loss::Correlation,
        _ => Loss::Squared,
    };
    let data = match reader.text("training.data").as_deref() {
        Some("reused") => Data::Reused,
        _ => Data::Fresh,
    };
    let reuse_order = match reader.text("training.reuse_order").as_deref() {
        Some("cyclic") => ReuseOrder::Cyclic,
        Some("with-replacement") => ReuseOrder::WithReplacement,
        _ => ReuseOrder::Full,
    };
    let geometry = match reader.text("training.geometry").as_deref() {
        Some("spherical") => Geometry::Spherical,
        Some("normalised") => Geometry::Normalised,
        _ => Geometry::Free,
    };
    let samples = reader.formula("training.samples");
    let displacement = reader.formula("training.displacement");
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
        preprocess: Preprocess::None,
    })
}

/// What is recorded.
pub fn record(reader: &mut Reader<'_>, sizes: &Sizes) -> Option<Record> {
    let spacing = match reader.text("record.spacing").as_deref() {
        Some("linear") => Spacing::Linear,
        _ => Spacing::Log,
    };
    let keep_q = match reader.text("record.Q").as_deref() {
        Some("full") => Some(KeepQ::Full),
        Some("diagonal") => Some(KeepQ::Diagonal),
        Some("none") => Some(KeepQ::None),
        _ => None,
    };
    let first = reader.has("record.first").then(|| reader.value("record.first", sizes));
    if let Some(Some(start)) = first
        && start <= 0.0
    {
        reader.fault(
            "record.first",
            format!("the grid starts at {start}"),
            "write a number > 0: entry 0 is kept anyway",
        );
    }
    let points = usize::try_from(reader.whole("record.points")?).ok()?;
    let first = match first {
        Some(first) => Some(first?),
        None => None,
    };
    Some(Record { points, spacing, first, keep_q, gradients: false, crossings: Vec::new() })
}
